"""A mapped asset: what the PIM shall hear of one asset of the DAM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from pim_connector.delta import slot_hashes
from pim_connector.mapping.result import FieldError, Json, Slot, WantedOption

SlotKey = tuple[str, ...]


class MediaFile(Struct, frozen=True, kw_only=True):
    """A file to download from the DAM and to upload to the PIM, for the value at `key`.

    `identity` changes when the binary does and stays when only a signature in the URL changes.
    """

    key: SlotKey
    url: str
    name: str
    identity: str


class LinkTarget(Struct, frozen=True, kw_only=True):
    """A product's asset collection that the asset belongs into."""

    resource: str
    product: str
    attribute: str
    locale: str | None
    channel: str | None


class MappedAsset(Struct, frozen=True, kw_only=True):
    """An asset in slots; a media file's slot holds its identity until the file is uploaded."""

    dam_id: str
    family: str
    code: str
    slots: tuple[Slot, ...]
    options: tuple[WantedOption, ...] = ()
    media: tuple[MediaFile, ...] = ()
    links: tuple[LinkTarget, ...] = ()
    warnings: tuple[FieldError, ...] = ()

    @property
    def hashes(self) -> bytes:
        """Pack the hash of every slot; two equal ones mean that the PIM need not hear of it."""
        return slot_hashes(self.slots)

    def payload(
        self,
        slots: Iterable[Slot] | None = None,
        media_codes: Mapping[SlotKey, str] | None = None,
    ) -> dict[str, Json]:
        """Make the entry of the collection PATCH (https://api.akeneo.com/concepts/asset-manager.html).

        `slots`: a subset, else all. `media_codes`: codes of uploaded files by slot key; a file
        that has none yet is shown by its identity, which is for reading only.
        """
        codes = media_codes or {}
        values: dict[str, list[Json]] = {}
        for slot in self.slots if slots is None else slots:
            _, attribute, locale, channel = slot.key
            data = codes.get(slot.key, slot.data)
            values.setdefault(attribute, []).append(
                {"locale": locale or None, "channel": channel or None, "data": data}
            )
        body: dict[str, Json] = {"code": self.code}
        if values:
            body["values"] = dict(values)
        return body
