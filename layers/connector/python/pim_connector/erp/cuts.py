"""What is cut out of a file: start tags on the way down to an element, and the element itself."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

_WHITE_SPACE = str.maketrans({"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


class Tag(NamedTuple):
    """A start tag on the way down to an element: its name as written, and its attributes."""

    name: str
    attributes: dict[str, str]

    def written(self, *, with_attributes: bool) -> str:
        """The tag as XML on one line; declarations of namespaces are always there."""
        written = "".join(
            f' {name}="{html.escape(value).translate(_WHITE_SPACE)}"'
            for name, value in sorted(self.attributes.items())
            if with_attributes or name == "xmlns" or name.startswith("xmlns:")
        )
        return f"<{self.name}{written}>"


class Cut(Struct, eq=False):
    """An element that was asked for: which paths it matches, where it is, and its bytes.

    `inner` are the elements asked for that lie inside it, in document order; `start` and `end` are
    byte offsets in the stream, so that inner elements can be left out. `tag` has its attributes
    where one of the paths asks for the start tag only.
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

    @property
    def outermost(self) -> Cut:
        """The element asked for that it lies in, and that lies in no other one."""
        top = self
        while top.outer is not None:
            top = top.outer
        return top

    @property
    def content(self) -> bytes:
        """The element's bytes, as they are in the file; kept once, by the outermost element."""
        if self.outer is None:
            return self.whole
        top = self.outermost
        return top.whole[self.start - top.start : self.end - top.start]

    def flat(self) -> Iterator[Cut]:
        """Itself and all inside it, in document order."""
        yield self
        for cut in self.inner:
            yield from cut.flat()
