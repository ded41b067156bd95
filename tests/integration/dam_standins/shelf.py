"""What every stand-in has to show: files with a time of their last change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file. `deleted` ones are kept for the DAMs that still show them."""

    id: str
    number: int
    modified: datetime
    deleted: bool = False
    title: str = ""

    @property
    def name(self) -> str:
        return f"SKU{self.number:03}_front.jpg"


@dataclass(slots=True, kw_only=True)
class Shelf:
    """All files of a DAM, and the removals it may tell of."""

    ids: Any
    media: dict[str, Media] = field(default_factory=dict)
    removed: list[tuple[int, Media]] = field(default_factory=list)
    clock: datetime = START

    def add(self) -> str:
        number = len(self.media) + 1
        self.clock += timedelta(seconds=20)
        made = Media(
            id=self.ids(number), number=number, modified=self.clock, title=f"Title {number}"
        )
        self.media[made.id] = made
        return made.id

    def change(self, id_: str) -> None:
        self.clock += timedelta(minutes=10)
        self.media[id_] = replace(self.media[id_], modified=self.clock, title="Changed")

    def remove(self, id_: str) -> None:
        self.clock += timedelta(minutes=10)
        self.media[id_] = replace(self.media[id_], modified=self.clock, deleted=True)
        self.removed.append((len(self.removed) + 1, self.media[id_]))

    def living(self, *, deleted: bool = False) -> list[Media]:
        found = [one for one in self.media.values() if deleted or not one.deleted]
        return sorted(found, key=lambda one: (one.modified, one.id))

    def find(self, id_: str) -> Media | None:
        found = self.media.get(id_)
        return None if found is None or found.deleted else found

    def since(self, moment: datetime, *, after: bool = False, deleted: bool = False) -> list[Media]:
        found = self.living(deleted=deleted)
        return [m for m in found if m.modified > moment or (m.modified == moment and not after)]


def query(request: httpx.Request) -> dict[str, str]:
    """The parameters of a query, of repeated ones the last."""
    text = request.url.query.decode()
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


def iso(moment: datetime) -> str:
    """2026-03-01T12:00:07Z"""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def answer(body: Any, status: int = 200) -> httpx.Response:
    """A JSON answer."""
    return httpx.Response(status, json=body)


def gone() -> httpx.Response:
    """404"""
    return answer({"message": "not found"}, 404)


def page(found: list[Any], values: dict[str, str], number: str, size: str, first: int) -> list[Any]:
    """One page by number."""
    per = int(values[size])
    start = (int(values[number]) - first) * per
    return found[start : start + per]


def window(found: list[Any], offset: str | int, limit: str | int) -> list[Any]:
    """One page by offset."""
    return found[int(offset) : int(offset) + int(limit)]
