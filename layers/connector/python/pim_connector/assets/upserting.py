"""The PIM's asset structure at hand, and fresh where somebody is about to be rejected for it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.akeneo import AkeneoClient, LineOutcome, Refused, Unanswered, Upserted
from pim_connector.akeneo.answers import RefusedError
from pim_connector.akeneo.media import Downloads
from pim_connector.akeneo.pim import PimUnavailableError, asking_the_pim
from pim_connector.akeneo.structure import AssetAttributeOption, Structure
from pim_connector.assets.state import AssetEntry, AssetSyncState
from pim_connector.assets.values import (
    AssetOutcome,
    AssetState,
    MappedAsset,
    MediaFile,
    SlotKey,
    rejected,
)
from pim_connector.errors import RejectedError, TransientError
from pim_connector.mapping.results import Slot
from pim_connector.outcomes import Problem
from pim_connector.sync.comparison import changed_slots

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient

TTL_SECONDS = 3600
FRESH_SECONDS = 60


class AssetStructures:
    """One structure for all sources, in this worker's memory.

    Reading it is a few requests (families, and per family its attributes and their options); a
    worker lives long, so it is not shared through S3. `fetch` raises what the client raises.
    """

    def __init__(
        self, fetch: Callable[[], Structure], *, now: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._known: Structure | None = None
        self._fetched = 0.0

    def current(self) -> Structure:
        """Return a structure at most an hour old."""
        return self._at_most(TTL_SECONDS)

    def fresh(self) -> Structure:
        """Give one at most a minute old: nothing is rejected on the word of an old one."""
        return self._at_most(FRESH_SECONDS)

    def replace(self, structure: Structure) -> None:
        """Note what this worker has just changed in the PIM."""
        self._known = structure

    def _at_most(self, seconds: float) -> Structure:
        if self._known is None or self._now() - self._fetched > seconds:
            self._fetched = self._now()
            self._known = self._fetch()
        return self._known


# Creates options of asset attributes before the assets that use them, and remembers them.


def missing_options(
    assets: Iterable[MappedAsset], structure: Structure
) -> tuple[AssetAttributeOption, ...]:
    """Return the options the assets want and the PIM has not, each once. Pure."""
    wanted: dict[tuple[str, str, str], AssetAttributeOption] = {}
    for asset in assets:
        for option in asset.options:
            known = structure.asset_options(asset.family, option.attribute) or frozenset()
            if option.code in known:
                continue
            key = (asset.family, option.attribute, option.code.casefold())
            wanted.setdefault(
                key,
                AssetAttributeOption(
                    code=option.code,
                    asset_family=asset.family,
                    attribute=option.attribute,
                    labels=option.labels,
                ),
            )
    return tuple(wanted.values())


def create_options(
    pim: AkeneoClient, options: Iterable[AssetAttributeOption]
) -> dict[tuple[str, str, str], str]:
    """Create options one by one (the PIM has no bulk call for them), at the client's pace.

    Gives the PIM's reason for each it refuses, by family, attribute and code.
    """
    refused: dict[tuple[str, str, str], str] = {}
    for option in options:
        item = {"code": option.code, "labels": option.labels}
        try:
            pim.upsert_asset_attribute_option(option.asset_family, option.attribute, item)
        except RefusedError as error:
            refused[option.asset_family, option.attribute, option.code] = str(error)
    return refused


def _with_options(structure: Structure, created: Iterable[AssetAttributeOption]) -> Structure:
    """Add options that the PIM has just taken to what is known of it."""
    known = {
        (o.asset_family, o.attribute, o.code): o for o in structure.asset_attribute_options or ()
    }
    known |= {(o.asset_family, o.attribute, o.code): o for o in created}
    return msgspec.structs.replace(structure, asset_attribute_options=tuple(known.values()))


# Brings a media file from the DAM into the PIM: once for each binary, however often it is used.


class MediaUploader:
    """Uploads files by the sync state's marks: where a file came from, and what is in it.

    A file lies on disk while it is on its way, so memory does not grow with it.
    """

    def __init__(self, source: str, downloads: Downloads, sync_state: AssetSyncState) -> None:
        self._source = source
        self._downloads = downloads
        self._sync_state = sync_state

    def codes(self, pim: AkeneoClient, files: tuple[MediaFile, ...]) -> dict[SlotKey, str]:
        """Return the PIM's code of each file, after downloading and uploading those it has not.

        Raises what `Downloads.download` and the client raise.
        """
        return {file.key: self._code(pim, file) for file in files}

    def _code(self, pim: AkeneoClient, file: MediaFile) -> str:
        origin = f"{self._source}|{file.identity}"
        known = self._sync_state.media_code(origin)
        if known is not None:
            return known
        with tempfile.TemporaryDirectory(prefix="media-") as folder:
            path = Path(folder) / "file"
            with path.open("wb") as target:
                taken = self._downloads.download(file.url, target)
            content = f"sha256|{taken.sha256}|{PurePosixPath(file.name).suffix.lower()}"
            code = self._sync_state.media_code(content)
            if code is None:
                kind = taken.content_type or None
                code = pim.upload_asset_media(file.name, lambda: path.open("rb"), content_type=kind)
        self._sync_state.note_media((origin, content), code)
        return code


# Decides what the PIM must hear of a mapped asset. Pure.


class Send(Struct, frozen=True, kw_only=True):
    """The slots to send; `fresh` when the PIM is not known to have the asset.

    `lost`: its file was waited for long enough.
    """

    asset: MappedAsset
    slots: tuple[Slot, ...]
    fresh: bool
    stamp: int | None = None
    lost: bool = False


def is_superseded(entry: AssetEntry | None, stamp: int | None) -> bool:
    """Say whether the PIM holds a newer version; of two with one stamp nobody knows which is."""
    if entry is None or entry.stamp is None or stamp is None:
        return False
    return stamp < entry.stamp


def is_unchanged(asset: MappedAsset, entry: AssetEntry | None) -> bool:
    """Say whether the PIM has accepted exactly this before, under the same code and links."""
    return (
        entry is not None
        and entry.present
        and (entry.family, entry.code) == (asset.family, asset.code)
        and entry.hashes == asset.hashes
        and set(_link_keys(asset)) == set(entry.links)
    )


def _link_keys(asset: MappedAsset) -> tuple[str, ...]:
    """Return each link of an asset as the text that the sync state keeps."""
    return tuple(
        "|".join(
            (link.resource, link.product, link.attribute, link.locale or "", link.channel or "")
        )
        for link in asset.links
    )


def slots_due(asset: MappedAsset, entry: AssetEntry | None) -> tuple[Slot, ...]:
    """Return the slots that are new or changed since the PIM last accepted; all, if it never
    did.
    """
    if (
        entry is None
        or not entry.present
        or (entry.family, entry.code) != (asset.family, asset.code)
    ):
        return asset.slots
    return changed_slots(asset.slots, entry.hashes)


def needs_current(due: tuple[Slot, ...], *, fresh: bool) -> bool:
    """Say whether the owners of what is due make it necessary to ask the PIM first."""
    return any(slot.owner == "if_empty" or (slot.owner == "create_only" and fresh) for slot in due)


def chosen(
    asset: MappedAsset,
    due: tuple[Slot, ...],
    current: Mapping[str, Any] | None,
    *,
    exists: bool,
) -> tuple[Slot, ...]:
    """Choose what to send, by owner. `current` is the PIM's asset where it was asked for."""

    def is_wanted(slot: Slot) -> bool:
        if slot.owner == "create_only":
            return not exists
        if slot.owner == "if_empty" and exists:
            return current is not None and not holds(current, slot.key)
        return True

    wanted = {slot.key for slot in due if is_wanted(slot)}
    return tuple(
        slot for slot in asset.slots if slot.key in wanted or (wanted and slot.owner == "always")
    )


def holds(current: Mapping[str, Any], key: tuple[str, ...]) -> bool:
    """Say whether the PIM's asset has a value there."""
    _, attribute, locale, channel = key
    return any(
        (value.get("locale") or "") == locale
        and (value.get("channel") or "") == channel
        and value.get("data") not in (None, "", [])
        for value in current.get("values", {}).get(attribute, ())
    )


# Sends up to 100 assets of one family: options, files, PATCH, and every asset's own outcome.


ASSETS_PER_CALL = 100
"""https://api.akeneo.com/api-reference.html#patch_asset__code_"""


class Upserting(Struct, frozen=True, kw_only=True):
    """What sending assets of one source needs."""

    source: str
    pim: AkeneoClient
    uploader: MediaUploader
    structures: AssetStructures


class Sent(Struct, frozen=True, kw_only=True):
    """What became of a chunk: an outcome for each, and entries for what the PIM accepted.

    Of assets without an outcome nobody knows: `failure` says why, and their messages come again.
    """

    outcomes: tuple[AssetOutcome, ...]
    accepted: tuple[AssetEntry, ...]
    failure: TransientError | None


def upsert(sends: Sequence[Send], parts: Upserting) -> Sent:
    """Bring one family's assets (at most 100) to the PIM.

    Raises TransientError where nothing is known of any of them, and ConfigurationError.
    """
    refusals = _create_options(sends, parts)
    ready: list[tuple[Send, dict[SlotKey, str]]] = []
    outcomes: list[AssetOutcome] = []
    failure: TransientError | None = None
    for send in sends:
        try:
            _check_options(send, refusals)
            due = {slot.key for slot in send.slots}
            files = tuple(file for file in send.asset.media if file.key in due)
            ready.append((send, parts.uploader.codes(parts.pim, files)))
        except RejectedError as error:
            asset = send.asset
            outcomes.append(rejected(asset.dam_id, str(error), code=asset.code))
        except PimUnavailableError:
            raise
        except TransientError as error:
            if send.lost:
                outcomes.append(rejected(send.asset.dam_id, str(error), code=send.asset.code))
            else:
                failure = error
    sent = _patch(ready, outcomes, parts)
    return replace(sent, failure=sent.failure or failure)


def _create_options(sends: Sequence[Send], parts: Upserting) -> dict[tuple[str, str, str], str]:
    missing = missing_options((send.asset for send in sends), parts.structures.current())
    if not missing:
        return {}
    with asking_the_pim():
        refused = create_options(parts.pim, missing)
    taken = [o for o in missing if (o.asset_family, o.attribute, o.code) not in refused]
    parts.structures.replace(_with_options(parts.structures.current(), taken))
    return refused


def _check_options(send: Send, refusals: dict[tuple[str, str, str], str]) -> None:
    for option in send.asset.options:
        reason = refusals.get((send.asset.family, option.attribute, option.code))
        if reason:
            raise RejectedError(f"option {option.code} of {option.attribute}: {reason}")


def _patch(
    ready: Sequence[tuple[Send, dict[SlotKey, str]]],
    outcomes: list[AssetOutcome],
    parts: Upserting,
) -> Sent:
    accepted: list[AssetEntry] = []
    unanswered = 0
    called = [(send, codes) for send, codes in ready if send.slots]
    answers: list[LineOutcome] = []
    if called:
        family = called[0][0].asset.family
        items = [send.asset.payload(send.slots, codes) for send, codes in called]
        with asking_the_pim():
            answers = parts.pim.upsert_assets(family, items)
    answered = {s.asset.dam_id: a for (s, _), a in zip(called, answers, strict=True)}
    for send, _ in ready:
        answer = answered.get(send.asset.dam_id)
        if isinstance(answer, Refused):
            outcomes.append(_refused(send, answer))
        elif isinstance(answer, Unanswered):
            unanswered += 1
        else:
            outcomes.append(_accepted(send, answer))
            accepted.append(_entry(send, parts.source))
    said = f"the PIM did not answer for {unanswered} assets"
    failure = TransientError(said) if unanswered else None
    return Sent(outcomes=tuple(outcomes), accepted=tuple(accepted), failure=failure)


def _accepted(send: Send, answer: Upserted | None) -> AssetOutcome:
    asset = send.asset
    if answer is None:  # nothing but its links changes
        return AssetOutcome(dam_id=asset.dam_id, state="unchanged", code=asset.code)
    state: AssetState = "created" if answer.created else "updated"
    return AssetOutcome(dam_id=asset.dam_id, state=state, code=asset.code)


def _refused(send: Send, answer: Refused) -> AssetOutcome:
    details = [
        Problem(reason=error.message, attribute=error.attribute or error.property or None)
        for error in answer.errors
    ]
    problems = details or [Problem(reason=answer.message)]
    asset = send.asset
    return AssetOutcome(
        dam_id=asset.dam_id, state="rejected", code=asset.code, problems=tuple(problems)
    )


def _entry(send: Send, source: str) -> AssetEntry:
    asset = send.asset
    return AssetEntry(
        source=source,
        dam_id=asset.dam_id,
        family=asset.family,
        code=asset.code,
        hashes=asset.hashes,
        stamp=send.stamp,
        links=_link_keys(asset),
    )
