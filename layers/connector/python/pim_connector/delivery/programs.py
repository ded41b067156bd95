"""The mappings that runs have pinned, compiled once per worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.mapping import Program, compile_mapping, load_mapping

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket
    from pim_connector.mapping.language import MappingFile, Origin
    from pim_connector.messages import MappingPin

MOST_KEPT = 20


class Pinned(Struct, frozen=True, kw_only=True):
    """A compiled mapping and what it says of its source."""

    program: Program
    source: Origin
    attribute_codes: frozenset[str] | None
    identifier_attribute: str


class Programs:
    """Reads mappings from the bucket by key and version."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._kept: dict[MappingPin, Pinned] = {}

    def pinned(self, pin: MappingPin) -> Pinned:
        """Give the mapping a run has pinned.

        RejectedError where that version is gone or cannot be used: messages of that run are of no
        use until it is back, those of other runs are.
        """
        if pin not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[pin] = self._compiled(pin)
        return self._kept[pin]

    def _compiled(self, pin: MappingPin) -> Pinned:
        content = self._read(pin)
        try:
            mapping = load_mapping(content, name=pin.key)
            program = compile_mapping(mapping)
        except ConfigurationError as error:
            raise RejectedError(f"this run's mapping cannot be used: {error}") from error
        return Pinned(
            program=program,
            source=mapping.file.source,
            attribute_codes=attribute_codes(mapping.file),
            identifier_attribute=mapping.file.identifier_attribute,
        )

    def _read(self, pin: MappingPin) -> bytes:
        try:
            return self._bucket.get(pin.key, pin.version)
        except FileNotFoundError as error:
            where = f"{pin.key} (version {pin.version})"
            raise RejectedError(f"the mapping {where} is not in the bucket any more") from error


def attribute_codes(file: MappingFile) -> frozenset[str] | None:
    """Name the attributes a mapping needs the structure of; None if rows may name any."""
    codes = {file.identifier_attribute}
    for rule in file.records.values():
        codes |= rule.values.keys()
        for pivot in rule.pivots:
            if pivot.unlisted == "use_key":
                return None
            listed = pivot.attributes.values()
            codes |= {each if isinstance(each, str) else each.attribute for each in listed}
    return frozenset(codes)
