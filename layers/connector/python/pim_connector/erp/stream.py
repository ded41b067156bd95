"""From a file to the elements that are asked for: unpack, decode, scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.erp.archives import unpacked
from pim_connector.erp.cuts import Cut
from pim_connector.erp.decoding import Decoder
from pim_connector.erp.entities import Entities
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.scanner import Scanner

OpenFile: TypeAlias = Callable[[], BinaryIO]


class XmlStream(Struct, kw_only=True):
    """One file, read forward in chunks; may be read again from its start by opening it again."""

    open_file: OpenFile
    encoding: str | None = None
    illegal_characters: Literal["reject", "drop"] = "reject"
    max_megabytes: int = 16
    decoder: Decoder = field(default_factory=Decoder)
    entities: Entities = field(default_factory=Entities)

    def cuts(self, paths: Sequence[ElementPath]) -> Iterator[Cut]:
        """The outermost elements at the paths; UnreadableFileError after the last whole one."""
        scanner = Scanner(paths, max_bytes=self.max_megabytes << 20)
        self.entities = scanner.entities
        self.decoder = Decoder(override=self.encoding, illegal=self.illegal_characters)
        with self.open_file() as file:
            for data in self.decoder.decode(unpacked(file)):
                yield from scanner.feed(data)
                if scanner.failure:
                    raise scanner.failure
            yield from scanner.close()
            if scanner.failure:
                raise scanner.failure

    def again(self) -> XmlStream:
        """The same file, to be read from its start beside this reading."""
        return replace(self)

    def of(self, open_file: OpenFile) -> XmlStream:
        """Another file, read with the same limits; its encoding is what it says itself."""
        return replace(self, open_file=open_file, encoding=None)
