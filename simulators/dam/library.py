"""The assets of the simulated DAM: every version of each, and who sees which of them when."""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from simulators.dam.habits import Habits

SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An asset as somebody left it. Times are epoch microseconds by the DAM's clock."""

    stamp: int
    visible: int
    properties: dict[str, Any]
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class Asset:
    """All versions of one asset, oldest first."""

    id: str
    created: int
    versions: list[Version] = field(default_factory=list)

    def at(self, moment: int) -> Version | None:
        """Give the version that is visible at `moment`, None before the first one is."""
        for version in reversed(self.versions):
            if version.visible <= moment:
                return version
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the DAM would announce."""

    kind: str
    ids: tuple[str, ...]
    at: int


class Library:
    """Assets that are created, changed and deleted. `clock` gives epoch seconds."""

    def __init__(
        self, *, habits: Habits | None = None, clock: Callable[[], float] = time.time, seed: int = 1
    ) -> None:
        self.habits = habits or Habits()
        self.random = Random(seed)  # noqa: S311  # a simulation
        self.assets: dict[str, Asset] = {}
        self.deletions: list[tuple[int, int, str]] = []  # visible, serial, id
        self.watchers: list[Callable[[Event], None]] = []
        self.changes = 0
        self._clock = clock
        self._skew = 0.0
        self._number = 0
        self._quiet_from = 0

    def now(self) -> int:
        """Give the DAM's time in epoch microseconds."""
        return round((self._clock() + self._skew) * SECOND)

    def advance(self, seconds: float) -> None:
        """Let the DAM's clock go on by itself."""
        self._skew += seconds

    def add(self, *, id_: str | None = None, **properties: Any) -> str:
        """Put a new asset in; its id is a number in letters unless one is given."""
        self._number += 1
        asset_id = f"a{self._number:06d}" if id_ is None else id_
        self.assets[asset_id] = Asset(id=asset_id, created=self.now())
        base = {
            "name": f"SKU-{self._number:05d}_front.jpg",
            "title": f"Asset {self._number}",
            "tags": ["product"],
            "number": self._number,
        }
        self._write(asset_id, {**base, **properties, "version": 1}, kind="created")
        return asset_id

    def change(self, asset_id: str, **properties: Any) -> None:
        """Change an asset's properties; its `version` counts up. KeyError for no such asset."""
        latest = self.assets[asset_id].versions[-1]
        changed = {**latest.properties, **properties, "version": latest.properties["version"] + 1}
        self._write(asset_id, changed, kind="updated")

    def delete(self, asset_id: str) -> None:
        """Delete an asset. KeyError for no such asset."""
        latest = self.assets[asset_id].versions[-1]
        self._write(asset_id, latest.properties, kind="deleted", deleted=True)
        visible = self.assets[asset_id].versions[-1].visible
        insort(self.deletions, (visible, len(self.deletions) + 1, asset_id))

    def living(self) -> dict[str, dict[str, Any]]:
        """Give the truth: the latest properties of every asset that is not deleted."""
        return {
            asset.id: asset.versions[-1].properties
            for asset in self.assets.values()
            if not asset.versions[-1].deleted
        }

    def visible(self, lag_s: float = 0) -> Iterator[tuple[Asset, Version]]:
        """Give what a reader sees whose view is `lag_s` seconds old."""
        moment = self.now() - round(lag_s * SECOND)
        for asset in self.assets.values():
            version = asset.at(moment)
            if version is not None:
                yield asset, version

    def is_quiet(self, lag_s: float = 0) -> bool:
        """Say whether every change there was is visible to such a reader."""
        return self._quiet_from <= self.now() - round(lag_s * SECOND)

    def _write(
        self, asset_id: str, properties: dict[str, Any], *, kind: str, deleted: bool = False
    ) -> None:
        stamp = self.now()
        late = self.random.uniform(0, self.habits.late_commit_s)
        versions = self.assets[asset_id].versions
        before = versions[-1].visible if versions else 0
        visible = max(stamp + round(late * SECOND), before)  # a row is locked until its commit
        stamp = max(stamp, versions[-1].stamp) if versions else stamp
        versions.append(
            Version(stamp=stamp, visible=visible, properties=properties, deleted=deleted)
        )
        self.changes += 1
        self._quiet_from = max(self._quiet_from, visible)
        for watch in self.watchers:
            watch(Event(kind=kind, ids=(asset_id,), at=stamp))
