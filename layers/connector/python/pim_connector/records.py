"""Short hashes of bytes, the same in every process and release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

from msgspec import Struct

from pim_connector.errors import RejectedError


def hasher(size: int) -> Callable[[bytes], bytes]:
    """Make a hash function of `size` bytes (at most 64), for many short inputs.

    An empty hash is copied for each: that takes a third less than to make one anew.
    """
    empty = blake2b(digest_size=size)

    def hashed(data: bytes) -> bytes:
        digest = empty.copy()
        digest.update(data)
        return digest.digest()

    return hashed


# Absolute element paths, and a matcher that follows many of them through a stream at once.


ANY = "*"
WHATEVER = "{*}"
"""Before a local name: in any namespace or in none. lxml's notation, so its searches take it."""


class PathStep(Struct, frozen=True):
    """One step: a name as `{uri}local`, `{*}local` or `*`; `deep` for `//`, any levels down."""

    name: str
    deep: bool = False

    def fits(self, name: str) -> bool:
        """Whether an element of this name (or one that another step asks for) may be meant."""
        if self.name in (ANY, name) or name == ANY:
            return True
        if self.name.startswith(WHATEVER) or name.startswith(WHATEVER):
            return self.name.rpartition("}")[2] == name.rpartition("}")[2]
        return False


class ElementPath(Struct, frozen=True):
    """A path from the root of the document, as the mapping writes it and as steps.

    `shallow` asks for the start tag only, not for what is inside.
    """

    text: str
    steps: tuple[PathStep, ...]
    shallow: bool = False

    def leads_to(self, other: ElementPath) -> bool:
        """Whether elements of `other` may lie inside (or be) elements of this path."""
        if any(step.deep for step in self.steps + other.steps):
            return True
        return len(self.steps) <= len(other.steps) and all(
            mine.fits(theirs.name) for mine, theirs in zip(self.steps, other.steps, strict=False)
        )


State: TypeAlias = frozenset[tuple[int, int]]
"""How far each path is matched: (path number, steps done)."""


MAX_KNOWN = 10_000


class PathMatcher:
    """Follows the element stack; what it works out once for a name it remembers."""

    def __init__(self, paths: Sequence[ElementPath]) -> None:
        self._paths = paths
        self.start: State = frozenset((n, 0) for n in range(len(paths)))
        self._known: dict[tuple[State, str], tuple[State, tuple[int, ...]]] = {}

    def enter(self, state: State, name: str) -> tuple[State, tuple[int, ...]]:
        """The state below an element of this name, and the numbers of the paths that end at it."""
        key = (state, name)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()  # a file may have a name for each product
            found = self._known[key] = self._work_out(state, name)
        return found

    def _work_out(self, state: State, name: str) -> tuple[State, tuple[int, ...]]:
        below: set[tuple[int, int]] = set()
        ended: list[int] = []
        for number, done in sorted(state):
            steps = self._paths[number].steps
            if done == len(steps):
                continue
            step = steps[done]
            if step.deep:
                below.add((number, done))
            if step.fits(name):
                if done + 1 == len(steps):
                    ended.append(number)
                else:
                    below.add((number, done + 1))
        return frozenset(below), tuple(dict.fromkeys(ended))


# A record of an ERP file as it travels: self-contained, to be replayed without the file.


_HASH: Final = hasher(12)

Row: TypeAlias = dict[str, str]
Tables: TypeAlias = dict[str, dict[str, list[Row]]]

RECORD_MARK = "pim-connector-record"
"""Target of the processing instruction that stands before the record inside `SourceRecord.xml`."""


class SourceRecord(Struct, frozen=True, kw_only=True):
    """One record with all that its mapping can see of the file around it.

    `number` counts from 1 in document order over all record rules; `line` is that of the start tag
    in the decoded file. `xml` holds the record inside the skeleton of its ancestors, `head` only
    the head values and `tables` only the look-up rows that the record's rule uses.
    """

    number: int
    line: int
    rule: str
    xml: str
    head: dict[str, str] = {}
    tables: Tables = {}
    fault: str = ""


class UnreadableFileError(RejectedError):
    """The file cannot be read to its end; says where, and how far reading came.

    `line` and `column` count from 1 in the decoded text; `records_read` is the number of whole
    records before the place.
    """

    def __init__(
        self,
        what: str,
        *,
        line: int | None = None,
        column: int | None = None,
        records_read: int = 0,
    ) -> None:
        place = "" if line is None else f" (line {line}, column {column})"
        super().__init__(f"{what}{place}; {records_read} records read before it")
        self.what = what
        self.line = line
        self.column = column
        self.records_read = records_read


def fingerprint(record: SourceRecord) -> bytes:
    """12 bytes that change when, and only when, something changes that the mapping can see.

    Number and line are left out: a record that only moved within the file is the same record.
    """
    seen = f"{record.rule}\0{record.xml}"
    if record.head or record.tables:
        seen += "".join(_around(record))
    return _HASH(seen.encode())


def _around(record: SourceRecord) -> Iterator[str]:
    for name, value in sorted(record.head.items()):
        yield f"\0{name}\0{value}"
    for table, keys in sorted(record.tables.items()):
        for key, rows in sorted(keys.items()):
            yield f"\1{table}\0{key}"
            for row in rows:
                yield "\2"
                for name, value in sorted(row.items()):
                    yield f"\0{name}\0{value}"
