"""Bytes to UTF-8: the encoding is found and checked, never guessed at the cost of a character."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from msgspec import Struct, field

from pim_connector.records import UnreadableFileError

FAULT: Final = b"\xff"
"""Stands in the text for a byte that fits no encoding: no UTF-8 has it, so a parser stops there."""
MAX_LEADING_SPACE: Final = 1_000_000

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHAPES: Final = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "ebcdic"),
)
_SPACE = re.compile(
    rb"(?:[ \t\r\n]\0\0\0)+|(?:\0\0\0[ \t\r\n])+|(?:[ \t\r\n]\0)+|(?:\0[ \t\r\n])+"
    rb"|(?:[ \t\r\n]|\xef\xbb\xbf)+"
)
_LEADING = re.compile("[ \t\r\n\ufeff]*".encode())
_DECLARED = re.compile(
    rb"""<\?xml[ \t\r\n]+(?:[a-z]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*')\s+)*?"""
    rb"""encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._:-]{0,40})["']"""
)
_NOT_FOR_FILES: Final = frozenset(
    [
        "utf-7",
        "idna",
        "punycode",
        "unicode-escape",
        "raw-unicode-escape",
        "undefined",
        "mbcs",
        "oem",
    ]
)
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
"""Legal XML, but in a file that says ISO-8859 they mean that it is windows-125x."""
_ADVICE: Final = (
    "set `file.encoding` in the mapping (for instance `file: {encoding: windows-1252}`)"
)


class Decoder(Struct, kw_only=True):
    """Turns chunks of bytes into UTF-8 without BOM, chunk by chunk.

    What cannot be decoded becomes `FAULT` in the text, and `faults` says of each what it was: the
    parser knows the place. `lines` are those skipped before the text, if `skips_space`.
    """

    override: str | None = None
    skips_space: bool = False
    drops_controls: bool = False
    encoding: str = ""
    faults: list[str] = field(default_factory=list)
    skipped: int = 0
    lines: int = 0
    dropped: int = 0
    _offset: int = 0

    def decode(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The text. Raises UnreadableFileError for an empty file and an unusable encoding."""
        stream = iter(chunks)
        head = bytearray()
        for chunk in stream:
            head += chunk
            if len(head) >= 1024 and (head.strip() or len(head) >= MAX_LEADING_SPACE):
                break
        if not head.strip():
            raise UnreadableFileError(
                "the file is empty: 0 bytes" if not head else "the file holds only white space"
            )
        self.encoding, self._offset = _find_encoding(bytes(head), self.override)
        pieces = self._decoded(chain([bytes(head[self._offset :])], stream))
        yield from self._without_space(pieces) if self.skips_space else pieces

    def describe(self, data: bytes, offset: int, number: int) -> str | None:
        """What is wrong with the undecodable byte at the beginning of `data`; None if it is one.

        `offset` is its place in the text, `number` says how many faults come before it.
        """
        if data.startswith(FAULT) and number < len(self.faults):
            return self.faults[number]
        try:
            data[:4].decode("utf-8")
        except UnicodeDecodeError as error:
            return self._fault(offset + self._start, data) if error.start == 0 else None
        return None

    @property
    def _start(self) -> int:
        return self._offset + self.skipped if self.encoding == "utf-8" else 0

    def _decoded(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        if self.encoding == "utf-8":
            yield from chunks  # the parser checks it
            return
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        offset = self._offset
        for chunk, final in chain(((c, False) for c in chunks), [(b"", True)]):
            rest, last = chunk, final
            while rest or last:
                held = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(rest, last)
                    offset, rest, last = offset + len(rest), b"", False
                    yield self._checked(text)
                except UnicodeDecodeError as error:
                    good = error.object[: error.start].decode(self.encoding, "ignore")
                    yield self._checked(good) + FAULT
                    place = offset - held + error.start
                    self.faults.append(self._fault(place, error.object[error.start :]))
                    rest = bytes(error.object[error.end :])
                    offset = offset - held + error.end
                    decoder.reset()
                    last = last and bool(rest)

    def _checked(self, text: str) -> bytes:
        if not self.encoding.startswith(("iso8859", "latin")) or not _C1.search(text):
            return text.encode("utf-8", "surrogatepass")
        if self.drops_controls:
            text, count = _C1.subn("", text)
            self.dropped += count
            return text.encode()
        for found in _C1.findall(text):
            self.faults.append(
                f"the control character U+{ord(found):04X}: the file says {self.encoding} and is "
                "probably windows-125x; set `file.encoding` in the mapping (for instance "
                "`file: {encoding: windows-1252}`)"
            )
        return FAULT.join(part.encode() for part in _C1.split(text))

    def _fault(self, place: int, data: bytes) -> str:
        shown = " ".join(f"{byte:02X}" for byte in data[:4])
        return (
            f"byte {place} ({shown}) does not fit the encoding {self.encoding}; if the file is "
            f"written in another one, {_ADVICE}"
        )

    def _without_space(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text from its first `<` on, if nothing but white space and marks come before it."""
        is_start = True
        for piece in pieces:
            if is_start:
                space = _LEADING.match(piece)
                end = space.end() if space else 0
                self.skipped += end
                self.lines += piece.count(b"\n", 0, end)
                piece = piece[end:]  # noqa: PLW2901 - what is left of it
                is_start = not piece
            yield piece


def _find_encoding(head: bytes, override: str | None) -> tuple[str, int]:
    """The codec's name and the length of the BOM: override, BOM, shape, declaration, UTF-8."""
    bom = next(((name, len(mark)) for mark, name in _BOMS if head.startswith(mark)), None)
    if override:
        name = _codec(override, "the mapping's `file.encoding`")
        if bom is not None and _same_family(name, bom[0]):
            return bom
        return name, 0
    if bom:
        return bom
    space = _SPACE.match(head)
    start = head[space.end() :] if space else head
    shape = next((name for mark, name in _SHAPES if start.startswith(mark)), None)
    if shape == "ebcdic":
        raise UnreadableFileError(
            "the file is EBCDIC; set `file.encoding` in the mapping (for instance "
            "`file: {encoding: cp500}`)"
        )
    if shape:
        return shape, 0
    declared = _DECLARED.match(start)
    if not declared:
        return "utf-8", 0
    name = _codec(declared[1].decode("ascii"), "the XML declaration")
    if name.startswith(("utf_16", "utf-16", "utf_32", "utf-32")):
        raise UnreadableFileError(
            f"the file declares {declared[1].decode()} and is not; set `file.encoding` in the "
            "mapping (for instance `file: {encoding: utf-8}`)",
            line=1,
            column=1,
        )
    return name, 0


def _same_family(name: str, bom: str) -> bool:
    return name.replace("_", "-")[:6] == bom[:6] or (name == "utf-8-sig" and bom == "utf-8")


def _codec(name: str, where: str) -> str:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise UnreadableFileError(
            f"{where} names the encoding {name}, which is not known; {_ADVICE}"
        ) from error
    if found.name.replace("_", "-") in _NOT_FOR_FILES or not found._is_text_encoding:
        raise UnreadableFileError(
            f"{where} names the encoding {name}, which no XML file has; {_ADVICE}"
        )
    return found.name
