"""What is cut out of a file: start tags on the way down to an element, and the element itself."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import NamedTuple, TypeAlias

from lxml import etree
from msgspec import Struct, field

from pim_connector.mapping.compiled import CompiledTable, HeadValue
from pim_connector.mapping.context import View, record_node, single_text
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.xpath import Node
from pim_connector.records import RECORD_MARK, Row, Tables, UnreadableFileError

_WHITE_SPACE = str.maketrans({"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


class Tag(NamedTuple):
    """A start tag on the way down to an element: its name as written, and its attributes."""

    name: str
    attributes: dict[str, str]

    def written(self, *, with_attributes: bool) -> str:
        """The tag as XML on one line; declarations of namespaces are always there."""
        seen = {
            name: value
            for name, value in sorted(self.attributes.items())
            if with_attributes or name == "xmlns" or name.startswith("xmlns:")
        }
        return f"<{self.name}{written_attributes(seen)}>"


class Place(NamedTuple):
    """A line, which counts from 1, and a column in characters, which counts from 0."""

    line: int
    column: int

    def after(self, data: bytes) -> Place:
        """The place behind a text that begins here; lines end by CR, LF, or both together."""
        lines = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
        last = max(data.rfind(b"\n"), data.rfind(b"\r"))
        characters = len(data[last + 1 :].decode("utf-8", "replace"))
        return Place(self.line + lines, characters if lines else self.column + characters)


class Cut(Struct, eq=False):
    """An element that was asked for: which paths it matches, where it is, and its bytes.

    `inner` are the elements asked for that lie inside it, in document order; `start` and `end` are
    places in the outermost one's bytes, so that inner elements can be left out. `fault` says why it
    is not whole, where reading went on behind a spot that is not well-formed.
    """

    paths: tuple[int, ...]
    ancestors: tuple[Tag, ...]
    tag: Tag
    line: int
    start: int
    end: int = 0
    whole: bytes = b""
    inner: list[Cut] = field(default_factory=list)
    outer: Cut | None = None
    fault: UnreadableFileError | None = None

    @property
    def content(self) -> bytes:
        """The element's bytes; kept once, by the outermost element."""
        if self.outer is None:
            return self.whole
        top = outermost(self)
        return top.whole[self.start - top.start : self.end - top.start]

    def flat(self) -> Iterator[Cut]:
        """Itself and all inside it, in document order."""
        yield self
        for cut in self.inner:
            yield from cut.flat()


def outermost(cut: Cut) -> Cut:
    """The element asked for that it lies in, and that lies in no other one."""
    while cut.outer is not None:
        cut = cut.outer
    return cut


def written_attributes(attributes: dict[str, str]) -> str:
    """Attributes as in a start tag, on one line."""
    return "".join(
        f' {name}="{html.escape(value).translate(_WHITE_SPACE)}"'
        for name, value in attributes.items()
    )


# Writes what was cut out of a file as XML that stands by itself.


Skeleton: TypeAlias = tuple[str, str]
"""The start tags of an element's ancestors, and their end tags."""
_MARK = f"<?{RECORD_MARK}?>"
MAX_HEAD_CHARACTERS = 4_000_000


class Skeletons:
    """Writes the ancestors of records; most records have those of the record before.

    With attributes only where the mapping sees them, because they count for the fingerprint.
    """

    def __init__(self) -> None:
        self._last: dict[bool, tuple[tuple[Tag, ...], Skeleton]] = {}

    def of(self, ancestors: tuple[Tag, ...], *, with_attributes: bool) -> Skeleton:
        """The skeleton around an element with these ancestors."""
        last = self._last.get(with_attributes)
        if last is not None and last[0] is ancestors:
            return last[1]
        opened = "".join(tag.written(with_attributes=with_attributes) for tag in ancestors)
        closed = "".join(f"</{tag.name}>" for tag in reversed(ancestors))
        self._last[with_attributes] = (ancestors, (opened, closed))
        return opened, closed


def _nothing(_: Cut) -> bool:
    return False


def record_xml(
    cut: Cut, root: Cut, skeleton: Skeleton, *, leave_out: Callable[[Cut], bool] = _nothing
) -> str:
    """The record inside the skeleton of its ancestors, with the mark before it.

    `root` is the record itself, or the ancestor that is kept whole; the skeleton is that of `root`.
    Elements inside it that `leave_out` says are cut away, but never those around the record.
    """
    opened, closed = skeleton
    content = root.content
    if root is cut and not cut.inner:
        return f"{opened}{_MARK}{content.decode('utf-8')}{closed}"
    gaps = [(cut.start, cut.start, _MARK)]
    gaps += [
        (inner.start, inner.end, "")
        for inner in root.flat()
        if inner is not root and inner.end and not _around(inner, cut) and leave_out(inner)
    ]
    pieces: list[str] = []
    place = root.start
    for start, end, text in sorted(gaps):
        if start < place:
            continue  # inside something that is left out already
        pieces.append(content[place - root.start : start - root.start].decode("utf-8"))
        pieces.append(text)
        place = end
    pieces.append(content[place - root.start :].decode("utf-8"))
    return f"{opened}{''.join(pieces)}{closed}"


def _around(inner: Cut, cut: Cut) -> bool:
    return inner.start <= cut.start and cut.end <= inner.end


class HeadDocument(Struct):
    """The parts of the file that head values are read from, put together as one small document."""

    _written: list[str] = field(default_factory=list)
    _open: list[Tag] = field(default_factory=list)
    _size: int = 0

    def add(self, cut: Cut, *, shallow: bool) -> None:
        """Add an element, in document order; only its start tag when `shallow`."""
        if cut.fault is not None:
            raise cut.fault
        wanted = [*cut.ancestors, *([cut.tag] if shallow else [])]
        same = 0
        for mine, theirs in zip(self._open, wanted, strict=False):
            if mine is not theirs:
                break
            same += 1
        self._close(self._open[same:])
        del self._open[same:]
        for tag in wanted[same:]:
            self._write(tag.written(with_attributes=True))
            self._open.append(tag)
        if not shallow:
            self._write(cut.content.decode("utf-8"))

    def evaluate(self, values: Collection[HeadValue]) -> dict[str, str]:
        """The head values by name, "" where there is none; UnreadableFileError for several."""
        xml = "".join(self._written) + "".join(f"</{tag.name}>" for tag in reversed(self._open))
        if not xml:
            return {value.name: "" for value in values}
        try:
            node = record_node(xml)
        except etree.XMLSyntaxError as error:
            raise UnreadableFileError(
                f"the elements that `head` reads are not XML by themselves: {error.msg}"
            ) from error
        view = View({}, {}, node, lambda _, __: [])
        found = {}
        for value in values:
            try:
                found[value.name] = single_text(value.reader.evaluate(view, node))
            except Refusal as refusal:
                raise UnreadableFileError(
                    f"the head value {value.name} ({value.reader.label}): {refusal}: "
                    f"{refusal.value}"
                ) from refusal
        return found

    def _close(self, tags: Iterable[Tag]) -> None:
        for tag in reversed([*tags]):
            self._write(f"</{tag.name}>")

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_HEAD_CHARACTERS:
            raise UnreadableFileError(
                "the elements that `head` reads are larger than 4 MB; name the values themselves"
            )
        self._written.append(text)


# Look-up tables in memory: rows by key, kept as small as text can be.


_BETWEEN_COLUMNS = "\x1f"
_BETWEEN_ROWS = "\x1e"
"""Control characters that XML does not allow, so no value holds them."""


class LookupTables:
    """The rows of all tables of a mapping.

    A row is one text of its columns: a dictionary entry and the characters, about 150 bytes and
    what the values hold, where a dictionary per row would cost three times that.
    """

    def __init__(self, columns: Mapping[str, Sequence[str]]) -> None:
        self._columns = {name: tuple(map(intern, names)) for name, names in columns.items()}
        self._rows: dict[str, dict[str, str]] = {name: {} for name in columns}

    def fill(self, table: CompiledTable, cut: Cut) -> None:
        """Add the rows that one element holds; a row without key is no row.

        Raises UnreadableFileError for a row that cannot be read: products would silently lack it.
        """
        if cut.fault is not None:
            raise cut.fault
        skeleton = Skeletons().of(cut.ancestors, with_attributes=table.sees_ancestors)
        try:
            node = record_node(record_xml(cut, cut, skeleton))
            view = View({}, {}, node, lambda _, __: [])
            for row in _rows(table, view, node):
                key = single_text(table.key.evaluate(view, row))
                if key:
                    values = [single_text(c.evaluate(view, row)) for c in table.columns.values()]
                    self.add(table.name, key, values)
        except (Refusal, etree.XMLSyntaxError) as error:
            raise UnreadableFileError(
                f"the table {table.name} has a row that cannot be read: {error}",
                line=cut.line,
                column=1,
            ) from error

    def add(self, table: str, key: str, values: Sequence[str]) -> None:
        """Add a row, values in the order of the columns; the same row twice is one row."""
        rows = self._rows[table]
        row = _BETWEEN_COLUMNS.join(values)
        known = rows.get(key)
        if known is None:
            rows[key] = row
        elif row not in known.split(_BETWEEN_ROWS):
            rows[key] = f"{known}{_BETWEEN_ROWS}{row}"

    def rows(self, table: str, key: str) -> list[Row]:
        """Return the rows under a key, in the order of the file; none for an unknown key."""
        packed = self._rows[table].get(key)
        if packed is None:
            return []
        names = self._columns[table]
        return [
            dict(zip(names, row.split(_BETWEEN_COLUMNS), strict=True))
            for row in packed.split(_BETWEEN_ROWS)
        ]

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())


class NotedRows:
    """Looks up, and notes every row that was asked for (and every key that has none)."""

    def __init__(self, tables: LookupTables) -> None:
        self._tables = tables
        self.noted: Tables = {}

    def __call__(self, table: str, key: str) -> list[Row]:
        noted = self.noted.setdefault(table, {})
        if key not in noted:
            noted[key] = self._tables.rows(table, key)
        return noted[key]


def _rows(table: CompiledTable, view: View, node: Node) -> list[Node]:
    if table.each is None:
        return [node]
    found = table.each.select(node, view)
    return [row for row in found if not isinstance(row, str)]
