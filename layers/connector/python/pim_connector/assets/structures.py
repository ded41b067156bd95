"""The PIM's asset structure at hand, and fresh where somebody is about to be rejected for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from pim_connector.structure import Structure

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
        """Give a structure at most an hour old."""
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
