"""Bytes to text: the encoding is found and checked, never guessed at the cost of a character."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal

from msgspec import Struct, field

from pim_connector.erp.record import UnreadableFileError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHAPES = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "ebcdic"),
)
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._:-]{0,40})[\"']"
)
_NOT_FOR_FILES = frozenset(
    {
        "utf-7",
        "idna",
        "punycode",
        "unicode-escape",
        "raw-unicode-escape",
        "undefined",
        "mbcs",
        "oem",
    }
)
# XML 1.0, production 2; C1 controls are legal XML, but in ISO-8859 they mean a mislabelled file.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ILLEGAL_OR_C1 = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]"
)
_CONTROLS = bytes({*range(0x20)} - {0x9, 0xA, 0xD})
_REFERENCE = re.compile("&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_LONGEST_REFERENCE = 14
MAX_LEADING_SPACE = 1_000_000


class Decoder(Struct, kw_only=True):
    """Turns chunks of bytes into UTF-8, chunk by chunk, and remembers where it is.

    `dropped` counts illegal characters and references left out where the mapping asks for that.
    """

    override: str | None = None
    illegal: Literal["reject", "drop"] = "reject"
    encoding: str = ""
    dropped: int = 0
    _line: int = 1
    _column: int = 1
    _pattern: re.Pattern[str] = field(default=_ILLEGAL)

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
        self.encoding, bom = _find_encoding(head, self.override)
        if self.encoding.startswith(("iso8859", "latin")):
            self._pattern = _ILLEGAL_OR_C1
        yield from self._checked(self._strict(chain([head[bom:]], stream), bom))

    def _strict(self, chunks: Iterable[bytes], offset: int) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        pending = 0
        try:
            for chunk in chunks:
                pending = len(decoder.getstate()[0])
                yield decoder.decode(chunk)
                offset += len(chunk)
            pending = len(decoder.getstate()[0])
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(self.encoding, "ignore")
            place = offset - pending + error.start
            shown = " ".join(f"{byte:02X}" for byte in error.object[error.start : error.start + 4])
            raise UnreadableFileError(
                f"byte {place} ({shown}) does not fit the encoding {self.encoding}; if the file is "
                "written in another one, set `file.encoding` in the mapping"
            ) from error

    def _checked(self, texts: Iterable[str]) -> Iterator[bytes]:
        """Text without illegal characters, up to the place of an error; then the error.

        A reference is never cut between two chunks.
        """
        held = ""
        try:
            for text in texts:
                whole = held + text
                cut = whole.rfind("&", max(0, len(whole) - _LONGEST_REFERENCE))
                held = "" if cut < 0 or ";" in whole[cut:] else whole[cut:]
                yield from self._clean(whole[: len(whole) - len(held)])
        except UnreadableFileError as error:
            self._advance(held)
            if error.line is not None:
                raise
            raise self._error(error.what) from error
        yield from self._clean(held)

    def _clean(self, text: str) -> Iterator[bytes]:
        data = text.encode("utf-8", "surrogatepass")
        found = self._pattern.search(text) if self._may_be_illegal(data) else None
        if found and self.illegal == "reject":
            good = text[: found.start()]
            yield good.encode("utf-8")
            self._advance(good)
            raise self._error(self._words(found.group()))
        self._advance(text)
        if self.illegal == "drop" and (found or "&#" in text):
            text, count = self._pattern.subn("", text)
            self.dropped += count
            data = _REFERENCE.sub(self._without, text).encode("utf-8")
        yield data

    def _may_be_illegal(self, data: bytes) -> bool:
        """Say quickly that a text is clean, as nearly all are: the pattern takes ten times as long.

        Bytes below a space are only in control characters, EF BF begins U+FFFE and U+FFFF (and a
        few that are legal), ED a surrogate (or Korean).
        """
        if self._pattern is not _ILLEGAL:
            return True
        without = data.translate(None, _CONTROLS)
        return len(without) != len(data) or b"\xef\xbf" in data or b"\xed" in data

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

    def _advance(self, text: str) -> None:
        lines = text.count("\n")
        if lines:
            self._line += lines
            self._column = len(text) - text.rfind("\n")
        else:
            self._column += len(text)

    def _error(self, what: str) -> UnreadableFileError:
        return UnreadableFileError(what, line=self._line, column=self._column)


def _is_illegal(reference: re.Match[str]) -> bool:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return (
        (code < 0x20 and code not in (0x9, 0xA, 0xD))
        or 0xD800 <= code <= 0xDFFF
        or code in (0xFFFE, 0xFFFF)
        or code > 0x10FFFF
    )


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
    shape = next((name for mark, name in _SHAPES if head.startswith(mark)), None)
    if shape == "ebcdic":
        raise UnreadableFileError(
            "the file is EBCDIC; set `file.encoding` in the mapping (say cp500)"
        )
    if shape:
        return shape, 0
    declared = _DECLARED.match(head.lstrip())
    if not declared:
        return "utf-8", 0
    name = _codec(declared[1].decode("ascii"), "the XML declaration")
    if name.startswith(("utf_16", "utf-16", "utf_32", "utf-32")):
        raise UnreadableFileError(
            f"the file declares {declared[1].decode()} and is not; set `file.encoding` (say utf-8)",
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
            f"{where} names the encoding {name}, which is not known"
        ) from error
    if found.name.replace("_", "-") in _NOT_FOR_FILES or not found._is_text_encoding:
        raise UnreadableFileError(f"{where} names the encoding {name}, which no XML file has")
    return found.name
