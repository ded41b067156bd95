"""From a file to the elements that are asked for: unpack, decode, scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.erp.archives import chunks_of, unpacked
from pim_connector.erp.cuts import Cut, Tag
from pim_connector.erp.decoding import Decoder, Mark
from pim_connector.erp.entities import Entities
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.scanner import Scanner

OpenFile: TypeAlias = Callable[[], BinaryIO]


class Place(Struct, frozen=True, kw_only=True):
    """A place between two elements of a file from which it can be read on.

    `past` are bytes of UTF-8 from the mark to the place, `inside` the elements open there.
    """

    mark: Mark
    past: int
    encoding: str
    inside: tuple[Tag, ...]


class XmlStream(Struct, kw_only=True):
    """One file, read forward in chunks; may be read again from its start by opening it again."""

    open_file: OpenFile
    encoding: str | None = None
    illegal_characters: Literal["reject", "drop"] = "reject"
    max_megabytes: int = 16
    decoder: Decoder = field(default_factory=Decoder)
    entities: Entities = field(default_factory=Entities)
    _can_be_sought: bool = False
    _lead: int = 0
    """Bytes before the scanner's first one, counted from where the decoder began."""

    def cuts(self, paths: Sequence[ElementPath], start: Place | None = None) -> Iterator[Cut]:
        """The outermost elements at the paths; UnreadableFileError after the last whole one.

        From `start` on, of an earlier reading of the same file, which then has to be seekable.
        """
        scanner = Scanner(paths, max_bytes=self.max_megabytes << 20)
        self.entities = scanner.entities
        self.decoder = Decoder(override=self.encoding, illegal=self.illegal_characters)
        with self.open_file() as file:
            for data in self._pieces(file, start, scanner):
                yield from scanner.feed(data)
                if scanner.failure:
                    raise scanner.failure
            yield from scanner.close()
            if scanner.failure:
                raise scanner.failure

    def place_after(self, cut: Cut) -> Place | None:
        """Where to read on after a cut that was given lately, if one can begin there.

        Not in an archive, nor where characters are dropped or entities declared: what comes later
        depends on what was before.
        """
        at = cut.end + self._lead
        mark = next((mark for mark in reversed(self.decoder.marks) if mark.given <= at), None)
        if mark is None or not cut.end or not self._can_be_sought or self.entities.has_dtd:
            return None
        encoding = self.decoder.encoding
        return Place(mark=mark, past=at - mark.given, encoding=encoding, inside=cut.ancestors)

    def again(self) -> XmlStream:
        """The same file, to be read from its start beside this reading."""
        return replace(self)

    def of(self, open_file: OpenFile) -> XmlStream:
        """Another file, read with the same limits; its encoding is what it says itself."""
        return replace(self, open_file=open_file, encoding=None)

    def _pieces(self, file: BinaryIO, start: Place | None, scanner: Scanner) -> Iterator[bytes]:
        if start is None:
            found = unpacked(file)
            self._can_be_sought, self._lead = not found.is_packed, 0
            yield from self.decoder.decode(found.chunks)
            return
        file.seek(start.mark.offset)
        pieces = self.decoder.decode_from(start.mark, start.encoding, chunks_of(file))
        before = b""
        while len(before) < start.past:
            piece = next(pieces, None)
            if piece is None:
                raise UnreadableFileError("the file ends before the place to read on from")
            before += piece
        position = start.mark.position.after(before[: start.past])
        self._can_be_sought = True
        self._lead = start.mark.given + start.past - scanner.open(start.inside, position)
        yield before[start.past :]
        yield from pieces
