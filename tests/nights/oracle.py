"""What the PIM must hold in the end, worked out from the generated data alone.

Nothing of the connector is used here: not its mapping, not its sync state, not its order of files.
What the books say became of a record comes in as plain text and is believed only as far as it can
be true: a record may only be superseded by a newer one, unchanged only if nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import TypeAlias

from tests.nights.goods import POISON, Item, is_good

Key: TypeAlias = tuple[str, str]
"""Resource and identifier."""
Values: TypeAlias = dict[str, str]
SENT = ("created", "updated", "unchanged")
VALUES = ("title", "stock", "color", "size", "note", "categories", "ALSO", "SET")
NO_ANSWER = "never answered"


@dataclass(frozen=True, kw_only=True)
class StoredResult:
    """What the books say of one record: its state and, if it was rejected, the reasons."""

    state: str
    reasons: str = ""


@dataclass(kw_only=True)
class FileRun:
    """One file with what the books say of it. `split_at` is when its split ended.

    A replay has the items and the order of its file, some of whose records it `repeats` later. One
    that `withdraws` names the products that its file, a full export, no longer has. `id` is that
    of the run in the books.
    """

    name: str
    id: str = ""
    order: tuple[str, str, str]
    mapping: int
    items: tuple[Item, ...]
    stored: Mapping[int, StoredResult]
    split_at: str
    written: frozenset[Key] = frozenset()
    """What the PIM itself says that this run wrote."""
    repeats: str = ""
    withdraws: bool = False
    undoes: str = ""
    """The id of the run that it reverts."""
    redriven: bool = False
    """Whether messages of it were dead letters for a while."""


@dataclass
class Expected:
    """The PIM's products: for each place the texts that may stand there, "" for no value."""

    values: dict[Key, dict[str, set[str]]] = field(default_factory=dict)
    parents: dict[Key, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Record:
    run: FileRun
    number: int
    item: Item
    stored: StoredResult

    @property
    def place(self) -> tuple[tuple[str, str, str], int]:
        return self.run.order, self.number

    @property
    def turn(self) -> tuple[tuple[str, str, str], str, int]:
        return self.run.order, self.run.repeats, self.number

    def __str__(self) -> str:
        return f"{self.run.name} record {self.number} ({self.item.no}, {self.stored.state})"


def mapped(item: Item, mapping: int) -> Values:
    """Say what a mapping makes of an item: attribute or field to text."""
    new = mapping == 2
    title = f"new {item.title}" if new and item.title else item.title
    color = item.color.lower().replace(" ", "_")
    match item.kind:
        case "model":
            found = {"title": title, "categories": item.category}
        case "sub":
            found = {"color": color}
        case "variant":
            found = {"size": item.size, "stock": item.stock}
        case "simple":
            found = {
                "title": title,
                "stock": item.stock,
                "color": color,
                "categories": item.category,
            }
    if new and item.resource == "product":
        found["note"] = item.note
    return {name: text for name, text in found.items() if text}


def links(item: Item, left: frozenset[str] = frozenset()) -> Values:
    """Say what its links read like, but for those to products that are `left` out."""
    also = ",".join(sorted(no for no in item.also if no not in left))
    parts = ",".join(sorted(f"{no}*{count}" for no, count in item.parts if no not in left))
    found = {"ALSO": also} if item.also else {}
    return found | ({"SET": parts} if item.parts else {})


def _link_places(record: _Record, there_since: Mapping[Key, str]) -> dict[str, set[str]]:
    """Say what may stand in the places of its links.

    A target that the PIM never had is left out, one that it had when the file was split is not;
    one that came meanwhile may be either.
    """
    since = {no: there_since.get(("product", no)) for no in record.item.targets}
    never = {no for no, moment in since.items() if moment is None}
    perhaps = [no for no, moment in since.items() if moment and moment >= record.run.split_at]
    if record.stored.state == "unchanged":
        perhaps = []
    found: dict[str, set[str]] = {}
    for count in range(len(perhaps) + 1):
        for left in combinations(perhaps, count):
            for name, text in links(record.item, frozenset(never | {*left})).items():
                found.setdefault(name, set()).add(text)
    return found


def expect(
    runs: list[FileRun],
    there_since: Mapping[Key, str] = MappingProxyType({}),
    before: Mapping[tuple[str, Key], Values | None] = MappingProxyType({}),
) -> Expected:
    """Go through all records, the oldest first, and say what must have become of the PIM.

    `there_since` is when the PIM itself first had each product, as text like `split_at`; `before`
    what it held of a product, if it had it, when a run first wrote to it.
    """
    expected = Expected()
    records = sorted(_records(runs), key=lambda record: record.turn)
    held = {run.order: {i.key for i in run.items if not i.gone} for run in runs if not run.repeats}
    for record in records:
        if record.run.withdraws:
            _withdraw(expected, record, held.get(record.run.order, set()))
            continue
        if record.run.undoes:
            _undo(expected, record, before)
            continue
        wrong = _impossible(record, records, there_since)
        if wrong:
            expected.wrong.append(f"{record}: {wrong}")
        if record.stored.state in SENT:
            _take(expected, record, records, there_since)
        elif _may_be_there(record):
            _may_take(expected, record)
    return expected


def _records(runs: list[FileRun]) -> list[_Record]:
    return [
        _Record(run=run, number=number, item=item, stored=run.stored[number])
        for run in runs
        for number, item in enumerate(run.items, start=1)
        if number in run.stored
    ]


def _withdraw(expected: Expected, record: _Record, held: set[Key]) -> None:
    if record.item.key in held:
        expected.wrong.append(f"{record}: the file has it")
    places = expected.values.get(record.item.key)
    if places is None:
        return
    if record.stored.state == "filtered" and "" not in places:
        expected.wrong.append(f"{record}: an older file brought it nevertheless")
    if record.stored.state in ("updated", "unchanged"):
        places["enabled"] = {"False"}
    elif _may_be_there(record):
        places["enabled"] = places["enabled"] | {"False"}


def _undo(
    expected: Expected, record: _Record, before: Mapping[tuple[str, Key], Values | None]
) -> None:
    """Let the values be those of before the run; `undone` says of each write whether they are."""
    key = record.item.key
    places = expected.values.get(key)
    if places is None or not (record.stored.state in SENT or _may_be_there(record)):
        return
    known = before.get((record.run.undoes, key), {})
    if known is None:
        known = {"enabled": "False"}
    for name in places.keys() & {*known, *VALUES}:
        places[name] = places[name] | {known.get(name, "")}


def _may_be_there(record: _Record) -> bool:
    """Say whether the PIM may have it though the books name another state.

    It never answered; or it took the product, whose links then waited for a newer file.
    """
    if record.stored.state == "superseded":
        return record.item.key in record.run.written
    return record.stored.state == "rejected" and NO_ANSWER in record.stored.reasons


def _take(
    expected: Expected,
    record: _Record,
    records: list[_Record],
    there_since: Mapping[Key, str],
) -> None:
    item = record.item
    values = mapped(item, record.run.mapping)
    places = expected.values.setdefault(item.key, {})
    if record.stored.state == "unchanged":
        different = {n for n, text in values.items() if places.get(n) != {text}}
        if different and not _was_there(record, values, records):
            expected.wrong.append(f"{record}: called unchanged, but {sorted(different)} differ")
    for name, text in values.items():
        places[name] = {text}
    places |= _link_places(record, there_since)
    if item.resource == "product":
        places["enabled"] = {"True"}
    if item.parent:
        expected.parents[item.key] = item.parent


def _was_there(record: _Record, values: Values, records: list[_Record]) -> bool:
    """Say whether an older record brought the same, though it was booked as superseded.

    That is so where its message died after the PIM had taken it, and was redriven later.
    """
    return any(
        other.item.key == record.item.key
        and other.place < record.place
        and other.stored.state == "superseded"
        and other.item.key in other.run.written
        and mapped(other.item, other.run.mapping) == values
        for other in records
    )


def _may_take(expected: Expected, record: _Record) -> None:
    if POISON in record.item.title:
        return
    places = expected.values.get(record.item.key)
    if places is None:
        expected.values[record.item.key] = places = {"": {"perhaps"}}
    for name, text in mapped(record.item, record.run.mapping).items():
        places[name] = places.get(name, {""}) | {text}
    if record.item.resource == "product":
        places["enabled"] = places.get("enabled", set()) | {"True"}
    targets = sorted(record.item.targets)
    for count in range(len(targets) + 1):
        for left in combinations(targets, count):
            for name, text in links(record.item, frozenset(left)).items():
                places[name] = places.get(name, {""}) | {text}


def _impossible(
    record: _Record, records: list[_Record], there_since: Mapping[Key, str]
) -> str | None:
    """Say why the state that is booked cannot be true, None if it can."""
    state, item = record.stored.state, record.item
    if item.gone or state == "filtered":
        return None if item.gone == (state == "filtered") else f"gone is {item.gone}"
    if state == "superseded":
        return None if _newer(record, records) else "there is no newer record"
    if state == "rejected":
        return _why_rejected(record, records, there_since)
    if state == "parked":
        return "still waits for its parent"
    if not is_good(item):
        return "no PIM would have taken it"
    return None


def _newer(record: _Record, records: list[_Record]) -> bool:
    """Say whether a newer record of the product reached the PIM, or stood in a newer file.

    Or may have reached it: of the same file, in a message that was among the dead letters.
    """
    return any(
        other.item.key == record.item.key
        and other.place > record.place
        and (
            other.stored.state in (*SENT, "superseded")
            or other.run is not record.run
            or other.run.redriven
        )
        for other in records
    )


def _why_rejected(
    record: _Record, records: list[_Record], there_since: Mapping[Key, str]
) -> str | None:
    item, reasons = record.item, record.stored.reasons
    if not reasons:
        return "rejected without a reason"
    if not is_good(item) or NO_ANSWER in reasons:
        return None
    if item.parent and not _had_parent(record, records, there_since):
        return None
    return f"a good record was rejected: {reasons}"


def _had_parent(record: _Record, records: list[_Record], there_since: Mapping[Key, str]) -> bool:
    """Say whether the parent was surely there: in the PIM before, or accepted from this file."""
    parent = ("product_model", record.item.parent)
    if there_since.get(parent, "9") < record.run.split_at:
        return True
    return not record.run.redriven and any(
        other.item.key == parent and other.stored.state in SENT and other.run is record.run
        for other in records
    )
