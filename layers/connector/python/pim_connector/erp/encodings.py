"""Which encoding a file is in: by what the mapping says, its first bytes, and its declaration."""

from __future__ import annotations

import codecs
import re

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


def find_encoding(head: bytes, override: str | None) -> tuple[str, int]:
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
