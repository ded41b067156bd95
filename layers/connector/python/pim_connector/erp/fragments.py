"""Writes what was cut out of a file as XML that stands by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

from lxml import etree
from msgspec import Struct, field

from pim_connector.erp.cuts import Cut, Tag
from pim_connector.erp.record import RECORD_MARK, UnreadableFileError
from pim_connector.mapping.compiled import HeadValue
from pim_connector.mapping.context import View, record_node, single_text
from pim_connector.mapping.converters import Refusal

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
