"""What is cut out of a file: start tags on the way down to an element, and the element itself."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

from pim_connector.erp.record import UnreadableFileError

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
