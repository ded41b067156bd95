"""From a file to the elements that are asked for: unpack, decode, repair, parse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.erp.archives import unpacked
from pim_connector.erp.cuts import Cut
from pim_connector.erp.decoding import Decoder
from pim_connector.erp.parser import Parser
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.repairs import Repairs
from pim_connector.mapping.language import File

OpenFile: TypeAlias = Callable[[], BinaryIO]
SMALLEST_PIECE: Final = 1 << 16


class XmlStream(Struct, kw_only=True):
    """One file, read forward in chunks; may be read again from its start by opening it again.

    `pulse` is called for each piece of at most 256 kB, so that somebody can look at the clock also
    where no element ends for long; it may raise.
    """

    open_file: OpenFile
    options: File = field(default_factory=File)
    pulse: Callable[[], object] = lambda: None
    repairs: Counter[str] = field(default_factory=Counter)

    def cuts(self, paths: Sequence[ElementPath]) -> Iterator[Cut]:
        """The outermost elements at the paths; UnreadableFileError after the last whole one.

        `repairs` counts what was repaired on the way, by the name of the option.
        """
        said = self.options
        decoder = Decoder(
            override=said.encoding,
            skips_space=said.leading_space == "skip",
            drops_controls=said.illegal_characters == "drop",
        )
        parser = Parser(
            paths,
            max_bytes=said.max_record_megabytes << 20,
            describe=decoder.describe,
            recover=said.recover == "records",
            several=said.documents == "several",
            skips_rest=said.trailing_garbage == "skip",
        )
        repairs, archive = self._repairs(), Counter[str]()
        try:
            with self.open_file() as file:
                chunks = unpacked(file, skips_rest=said.trailing_garbage == "skip", count=archive)
                pieces = decoder.decode(chunks)
                pieces = repairs.repaired(pieces) if repairs.wanted else pieces
                for number, piece in enumerate(_sized(pieces)):
                    if number == 0:
                        parser.begin(1 + decoder.lines)
                    self.pulse()
                    yield from parser.feed(piece)
                    if parser.failure:
                        raise parser.failure
                yield from parser.close()
                if parser.failure:
                    raise parser.failure
        finally:
            repairs.counts["illegal_characters"] += decoder.dropped
            repairs.counts["leading_space"] += decoder.skipped
            repairs.counts["trailing_garbage"] += parser.skipped + archive["trailing_garbage"]
            repairs.counts["documents"] += parser.documents - 1
            self.repairs = +repairs.counts

    def again(self) -> XmlStream:
        """The same file, to be read from its start beside this reading."""
        return replace(self, repairs=Counter())

    def of(self, open_file: OpenFile) -> XmlStream:
        """Another file, read with the same options; its encoding is what it says itself."""
        return replace(
            self,
            open_file=open_file,
            options=replace(self.options, encoding=None),
            repairs=Counter(),
        )

    def _repairs(self) -> Repairs:
        said = self.options
        return Repairs(
            drop_illegal=said.illegal_characters == "drop",
            html_entities=said.html_entities == "read",
            bare_ampersands=said.bare_ampersands == "read",
        )


def _sized(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of 64 kB at least: each costs a call, and a look at what is open."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= SMALLEST_PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
