"""Lists of assets as a DAM's database or search index gives them, with its habits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulators.dam.habits import Habits
from simulators.dam.library import SECOND, Asset, Library, Version

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[int, str]


@dataclass(slots=True, kw_only=True)
class Found:
    """One page: its assets, how many the DAM says there are, and whether there are more."""

    assets: list[tuple[Asset, Version]]
    total: int
    more: bool
    last_key: Row | None


class Listing:
    """The DAM's index. It is sorted once, and again only after something changed."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._sorted: list[Row] = []
        self._versions: dict[str, tuple[Asset, Version]] = {}
        self._state: tuple[int, float, bool] | None = None
        self._said_total: int | None = None

    def find(
        self,
        *,
        since: int | None = None,
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
        after: Row | None = None,
        keyed: bool = False,
        by_id: bool = False,
    ) -> Found:
        """Give a page: by offset, or `keyed`, after the key of the last one, by stamp.

        Keys are of stamp and id, so a keyed walk knows no ties: what is behind it stays behind.
        """
        habits = self.library.habits
        rows = self._rows(keyed=keyed)
        if by_id:
            rows = sorted((0, asset_id) for _, asset_id in rows)
        if since is not None:
            floor = (_floor(since, habits.index_step_s), "")
            if habits.exclusive_since:
                rows = rows[bisect_right(rows, (floor[0], "\U0010ffff")) :]
            else:
                rows = rows[bisect_left(rows, floor) :]
        if descending:
            rows = rows[::-1]
        if after is not None:
            offset = sum(row >= after for row in rows) if descending else bisect_right(rows, after)
        limit = max(0, min(limit, habits.page_cap or limit))
        page = rows[offset : offset + limit]
        return Found(
            assets=[self._versions[key] for _, key in page],
            total=self._total(len(rows)),
            more=offset + len(page) < len(rows),
            last_key=page[-1] if page else None,
        )

    def _rows(self, *, keyed: bool) -> list[Row]:
        library, habits = self.library, self.library.habits
        state = (library.changes, habits.index_step_s, habits.deleted_in_list)
        settled = library.is_quiet(habits.index_lag_s)
        if self._state != state or habits.ties == "random":
            self._versions = {
                asset.id: (asset, version)
                for asset, version in library.visible(habits.index_lag_s)
                if habits.deleted_in_list or not version.deleted
            }
            self._sorted = sorted(
                (_floor(version.stamp, habits.index_step_s), asset_id)
                for asset_id, (_, version) in self._versions.items()
            )
            self._state = state if settled else None
        if habits.ties == "random" and not keyed:
            chance = library.random.random
            return sorted(self._sorted, key=lambda row: (row[0], chance()))
        return self._sorted

    def _total(self, right: int) -> int:
        if self.library.habits.total == "stale":
            self._said_total = right if self._said_total is None else self._said_total
            return self._said_total // 3
        return right


def printed(moment: int, habits: Habits) -> str | int:
    """Print a stamp as this DAM does."""
    moment = _floor(moment, habits.printed_step_s)
    whole = _EPOCH + timedelta(microseconds=moment)
    local = whole.astimezone(ZoneInfo(habits.zone))
    match habits.stamp_format:
        case "epoch":
            return moment // SECOND
        case "epoch_ms":
            return moment // 1000
        case "iso_z":
            return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03}Z"
        case "naive":
            return f"{local:%Y-%m-%dT%H:%M:%S}"
        case "space":
            return f"{local:%Y-%m-%d %H:%M:%S}"
        case "compact":
            return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03}"


def read(text: Any, habits: Habits) -> int:
    """Read a stamp as this DAM does, microseconds; ValueError for none it understands."""
    if habits.stamp_format == "epoch":
        return int(text) * SECOND
    if habits.stamp_format == "epoch_ms":
        return int(text) * 1000
    pattern = "%Y%m%d%H%M%S%f" if habits.stamp_format == "compact" else None
    value = datetime.strptime(str(text), pattern) if pattern else datetime.fromisoformat(str(text))
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(habits.zone))
    return (value - _EPOCH) // timedelta(microseconds=1)


def _floor(moment: int, step_s: float) -> int:
    step = max(1, round(step_s * SECOND))
    return moment - moment % step
