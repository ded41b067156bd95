"""Bytes to text: the encoding is found and checked, never guessed at the cost of a character."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

from pim_connector.erp.encodings import find_encoding
from pim_connector.erp.positions import START, Position
from pim_connector.erp.record import UnreadableFileError

# XML 1.0, production 2; C1 controls are legal XML, but in ISO-8859 they mean a mislabelled file.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ILLEGAL_OR_C1 = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]"
)
_CONTROLS: Final = tuple(bytes([code]) for code in range(0x20) if code not in (0x9, 0xA, 0xD))
_REFERENCE = re.compile("&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_LONGEST_REFERENCE = 14
_MARKS_KEPT: Final = 4
MAX_LEADING_SPACE = 1_000_000


class Mark(NamedTuple):
    """A byte of the file at which decoding can begin.

    `given` is how many bytes of UTF-8 come before it, `position` its line and column.
    """

    offset: int
    given: int
    position: Position


class Decoder(Struct, kw_only=True):
    """Turns chunks of bytes into UTF-8, chunk by chunk, and remembers where it is.

    `dropped` counts illegal characters and references left out where the mapping asks for that;
    `marks` are the last few places where decoding could begin anew.
    """

    override: str | None = None
    illegal: Literal["reject", "drop"] = "reject"
    encoding: str = ""
    dropped: int = 0
    marks: list[Mark] = field(default_factory=list)
    _position: Position = START
    _given: int = 0
    _began: int | None = None
    """Byte at which the chunk begins that was decoded last; None in the middle of a character."""

    def decode(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The text as UTF-8 without BOM. Raises UnreadableFileError with line, column and byte."""
        stream = iter(chunks)
        head = b""
        for chunk in stream:
            head += chunk
            if len(head) >= 1024 and (head.strip() or len(head) >= MAX_LEADING_SPACE):
                break
        if not head.strip():
            raise UnreadableFileError(
                "the file is empty: 0 bytes" if not head else "the file holds only white space"
            )
        self.encoding, bom = find_encoding(head, self.override)
        yield from self._checked(self._strict(chain([head[bom:]], stream), bom))

    def decode_from(self, mark: Mark, encoding: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The text from a mark on that an earlier reading of the same file left."""
        self.encoding, self._given, self._position = encoding, mark.given, mark.position
        yield from self._checked(self._strict(chunks, mark.offset))

    def _strict(self, chunks: Iterable[bytes], offset: int) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        clean, pending = decoder.getstate(), b""
        is_utf8 = self.encoding == "utf-8"
        try:
            for chunk in chunks:
                self._began = offset if decoder.getstate() == clean else None
                text = decoder.decode(chunk)
                offset += len(chunk)
                if not is_utf8:
                    pending = decoder.getstate()[0]
                    yield text.encode("utf-8", "surrogatepass")
                    continue
                whole, pending = pending + chunk, decoder.getstate()[0]
                yield whole[: len(whole) - len(pending)]
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(self.encoding, "ignore").encode()
            place = offset - len(pending) + error.start
            shown = " ".join(f"{byte:02X}" for byte in error.object[error.start : error.start + 4])
            raise UnreadableFileError(
                f"byte {place} ({shown}) does not fit the encoding {self.encoding}; if the file is "
                "written in another one, set `file.encoding` in the mapping"
            ) from error

    def _checked(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Text without illegal characters, up to the place of an error; then the error.

        A reference is never cut between two chunks.
        """
        held = b""
        try:
            for piece in pieces:
                if not held:
                    self._mark()
                whole = held + piece
                cut = whole.rfind(b"&", max(0, len(whole) - _LONGEST_REFERENCE))
                held = b"" if cut < 0 or b";" in whole[cut:] else whole[cut:]
                yield from self._clean(whole[: len(whole) - len(held)])
        except UnreadableFileError as error:
            self._position = self._position.after(held)
            if error.line is not None:
                raise
            raise self._error(error.what) from error
        yield from self._clean(held)

    def _mark(self) -> None:
        if self._began is not None and self.illegal == "reject":
            self.marks.append(Mark(self._began, self._given, self._position))
            del self.marks[:-_MARKS_KEPT]

    def _clean(self, data: bytes) -> Iterator[bytes]:
        found = None
        if self._may_be_illegal(data):
            text = data.decode("utf-8", "surrogatepass")
            found = self._pattern.search(text)
            if found and self.illegal == "reject":
                good = text[: found.start()].encode("utf-8", "surrogatepass")
                yield good
                self._position = self._position.after(good)
                raise self._error(self._words(found.group()))
        self._position = self._position.after(data)
        self._given += len(data)
        if self.illegal == "drop" and (found or b"&#" in data):
            text, count = self._pattern.subn("", data.decode("utf-8", "surrogatepass"))
            self.dropped += count
            data = _REFERENCE.sub(self._without, text).encode("utf-8")
        yield data

    @property
    def _pattern(self) -> re.Pattern[str]:
        return _ILLEGAL_OR_C1 if self.encoding.startswith(("iso8859", "latin")) else _ILLEGAL

    def _may_be_illegal(self, data: bytes) -> bool:
        """Say quickly that a text is clean, as nearly all are: the pattern takes ten times as long.

        Bytes below a space are only in control characters, EF BF begins U+FFFE and U+FFFF (and a
        few that are legal), ED a surrogate (or Korean), C2 the controls of ISO-8859 (or signs).
        """
        if any(control in data for control in _CONTROLS) or b"\xed" in data:
            return True
        if b"\xef" in data and b"\xef\xbf" in data:
            return True
        return self._pattern is _ILLEGAL_OR_C1 and b"\xc2" in data

    def _without(self, found: re.Match[str]) -> str:
        if not _is_illegal(found):
            return found.group()
        self.dropped += 1
        return ""

    def _words(self, character: str) -> str:
        code = f"U+{ord(character):04X}"
        if "\x80" <= character <= "\x9f":
            return (
                f"the control character {code}: the file says {self.encoding} and is probably "
                "windows-125x; set `file.encoding` in the mapping"
            )
        return (
            f"the character {code} is not allowed in XML; repair the export, or set "
            "`file.illegal_characters: drop` in the mapping"
        )

    def _error(self, what: str) -> UnreadableFileError:
        return UnreadableFileError(what, line=self._position.line, column=self._position.column)


def _is_illegal(reference: re.Match[str]) -> bool:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return (
        (code < 0x20 and code not in (0x9, 0xA, 0xD))
        or 0xD800 <= code <= 0xDFFF
        or code in (0xFFFE, 0xFFFF)
        or code > 0x10FFFF
    )
