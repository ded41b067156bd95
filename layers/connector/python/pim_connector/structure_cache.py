"""Keeps the PIM's structure at hand: in memory, in S3 for all workers, and fresh where it matters.

Nothing may be rejected on the word of an old cache, so whoever is about to reject a record asks
for `newer_than` first. Options that were just created are added without asking the PIM again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from pim_connector.structure import AttributeOption, Structure

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket

KEY = "cache/structure.json"
TTL_SECONDS = 3600
FRESH_SECONDS = 60
"""A structure this young is believed when it says no; so at most one refresh a minute."""


Codes = Collection[str] | None
"""Attribute codes, or None for all that the PIM has."""


class _Cached(msgspec.Struct, frozen=True, kw_only=True):
    fetched: float
    attributes: frozenset[str] | None
    structure: Structure

    def knows(self, codes: Codes) -> bool:
        return self.attributes is None or (codes is not None and self.attributes.issuperset(codes))


class StructureCache:
    """The structure of the attributes that mappings name, read through memory and S3.

    `fetch` asks the PIM for the structure of the given attribute codes (one call per 100) and
    raises what the client raises. Workers may overwrite one another's object in S3: each is whole
    in itself, and what it lacks is fetched again.
    """

    def __init__(
        self,
        bucket: Bucket,
        fetch: Callable[[Codes], Structure],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._fetch = fetch
        self._now = now
        self._memory: _Cached | None = None

    def structure(self, attributes: Codes) -> Structure:
        """Give a structure that knows these attributes and is at most an hour old."""
        return self._at_most(TTL_SECONDS, attributes).structure

    def fresh(self, attributes: Codes) -> Structure:
        """Give a structure at most a minute old: ask before a record is rejected."""
        return self._at_most(FRESH_SECONDS, attributes).structure

    def add_options(self, options: Sequence[AttributeOption]) -> None:
        """Note options that the PIM has just accepted, for this worker and the others."""
        if self._memory is None or not options:
            return
        known = self._memory.structure
        merged = {(o.attribute, o.code.casefold()): o for o in known.attribute_options or ()}
        merged |= {(o.attribute, o.code.casefold()): o for o in options}
        grown = msgspec.structs.replace(known, attribute_options=tuple(merged.values()))
        self._memory = msgspec.structs.replace(self._memory, structure=grown)
        self._store(self._memory)

    def _at_most(self, seconds: float, attributes: Codes) -> _Cached:
        known: _Cached | None = None
        for read in (self._remembered, self._load):
            cached = read()
            if cached and cached.knows(attributes) and self._is_young(cached, seconds):
                self._memory = cached
                return cached
            known = known or cached
        return self._refresh(attributes, known)

    def _remembered(self) -> _Cached | None:
        return self._memory

    def _is_young(self, cached: _Cached, seconds: float) -> bool:
        return self._now() - cached.fetched <= seconds

    def _refresh(self, attributes: Codes, known: _Cached | None) -> _Cached:
        wanted = None if attributes is None else frozenset(attributes)
        if known is not None:
            wanted = _joined(wanted, known.attributes)
        fetched = self._now()
        structure = self._fetch(None if wanted is None else sorted(wanted))
        self._memory = _Cached(fetched=fetched, attributes=wanted, structure=structure)
        self._store(self._memory)
        return self._memory

    def _load(self) -> _Cached | None:
        try:
            return msgspec.json.decode(self._bucket.get(KEY), type=_Cached)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None  # not there yet, or of another release: fetched and written anew

    def _store(self, cached: _Cached) -> None:
        self._bucket.put(KEY, msgspec.json.encode(cached))


def _joined(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other
