"""The sample: the first megabytes of an export as one tree, however it is packed and encoded."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

from lxml import etree

from pim_connector.erp.archives import unpacked
from pim_connector.erp.elements import OpenFile
from pim_connector.errors import ConfigurationError
from pim_connector.records import UnreadableFileError

MOST_BYTES = 24_000_000
"""What is looked at of a large file; as a tree it takes about ten times as much memory."""
CHUNK = 64_000
DEFAULT = "default"
FALLBACK = "windows-1252"
XML = "http://www.w3.org/XML/1998/namespace"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
          (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']")
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml\b[^>]*\?>")
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    r"|&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));"
)

Element = etree._Element


@dataclass(slots=True)
class Sample:
    """One tree, the settings under `file:` that it took to read it, and why it ends early."""

    root: Element
    names: Names
    file: dict[str, str] = field(default_factory=dict)
    broken: str | None = None
    whole: bool = True


@dataclass(slots=True)
class Names:
    """Elements and attributes as steps of a path, with the prefixes that the mapping declares.

    `default` serves the namespace of elements without prefix, unless the file has elements in no
    namespace as well: XPath could not tell the two apart.
    """

    prefixes: dict[str, str] = field(default_factory=dict)
    of_attributes: dict[str, str] = field(default_factory=dict)

    @property
    def declared(self) -> dict[str, str]:
        """Prefix → namespace, as the mapping says it."""
        both = [*self.prefixes.items(), *self.of_attributes.items()]
        return {prefix: uri for uri, prefix in both}

    def element(self, node: Element) -> str:
        """The step that selects an element among its siblings."""
        uri, _, local = node.tag.rpartition("}")
        prefix = self.prefixes.get(uri[1:]) if uri else None
        return f"{prefix}:{local}" if prefix and prefix != DEFAULT else local

    def attribute(self, key: str) -> str:
        """The step for an attribute; those without prefix are in no namespace."""
        uri, _, local = key.rpartition("}")
        if not uri:
            return f"@{local}"
        if uri[1:] == XML:
            return f"@xml:{local}"
        prefix = self.of_attributes.get(uri[1:]) or self.prefixes.get(uri[1:])
        return f"@{prefix}:{local}"


def read_sample(open_file: OpenFile, encoding: str | None = None) -> Sample:
    """The first 24 MB of a file as a tree.

    A file that is damaged gives what came before the damage, and `broken`; illegal characters are
    left out, and bytes that are not of the declared encoding are read as Windows-1252: the mapping
    then says so under `file:`. Raises UnreadableFileError where there is no element at all,
    ConfigurationError for an encoding that does not exist.
    """
    with open_file() as file:
        data, whole = _first_bytes(file)
    text, settings = _decoded(data, encoding, whole)
    text = _DECLARATION.sub("", text, count=1)
    if _ILLEGAL.search(text):
        text = _ILLEGAL.sub("", text)
        settings["illegal_characters"] = "drop"
    root, broken = _parsed(text, whole)
    if root is None:
        raise UnreadableFileError(broken or "the file is empty")
    return Sample(root, _names_of(root), settings, broken, whole)


def _first_bytes(file: BinaryIO) -> tuple[bytes, bool]:
    parts, size = [], 0
    for chunk in unpacked(file):
        parts.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES:
            return b"".join(parts), False
    return b"".join(parts), True


def _decoded(data: bytes, encoding: str | None, whole: bool) -> tuple[str, dict[str, str]]:
    mark = next((name for start, name in _MARKS if data.startswith(start)), None)
    declared = _DECLARED.search(data[:400])
    said = encoding or mark or (declared[1].decode() if declared else "utf-8")
    settings = {"encoding": encoding} if encoding else {}
    try:
        return _text(data, said, whole), settings
    except LookupError as error:
        if encoding:
            raise ConfigurationError(f"--encoding {encoding}: no such encoding") from error
    except UnicodeDecodeError as error:
        if encoding:
            raise ConfigurationError(f"--encoding {encoding}: {error.reason}") from error
    for guess in ("utf-8", FALLBACK, "iso-8859-1"):
        try:
            return _text(data, guess, whole), {"encoding": guess}
        except UnicodeDecodeError:
            continue
    raise AssertionError("every byte is a character of ISO 8859-1")


def _text(data: bytes, encoding: str, whole: bool) -> str:
    return codecs.getincrementaldecoder(encoding)("strict").decode(data, final=whole)


def _parsed(text: str, whole: bool) -> tuple[Element | None, str | None]:
    """The tree as far as it goes, and why it goes no further."""
    events = etree.XMLPullParser(
        events=("start",), encoding="utf-8", remove_comments=True, remove_pis=True,
        resolve_entities=True, load_dtd=False, no_network=True, huge_tree=False,
    )  # fmt: skip
    data = text.encode("utf-8", "replace")
    root: Element | None = None
    try:
        for start in range(0, len(data), CHUNK):
            events.feed(data[start : start + CHUNK])
            root = _first(events, root)
        if whole:
            events.close()
            root = _first(events, root)
    except etree.XMLSyntaxError as error:
        return _first(events, root), f"not well-formed in line {error.lineno}: {error.msg}"
    return root, None


def _first(events: etree.XMLPullParser, root: Element | None) -> Element | None:
    for _, node in events.read_events():
        if root is None and isinstance(node, etree._Element):
            root = node
    return root


def _names_of(root: Element) -> Names:
    seen: Counter[tuple[str, str]] = Counter()
    bare, names = False, Names()
    for node in root.iter(etree.Element):
        uri, _, _ = node.tag.rpartition("}")
        bare = bare or not uri
        if uri:
            seen[uri[1:], node.prefix or ""] += 1
    for (uri, prefix), _ in seen.most_common():
        if uri not in names.prefixes:
            wanted = prefix or ("ns" if bare else DEFAULT)
            names.prefixes[uri] = _free(names, wanted)
    for node in root.iter(etree.Element):
        for key in node.attrib:
            uri = str(key).rpartition("}")[0][1:]
            if uri in ("", XML) or uri in names.of_attributes:
                continue
            if names.prefixes.get(uri, DEFAULT) == DEFAULT:
                own = next((p for p, u in node.nsmap.items() if u == uri and p), "a")
                names.of_attributes[uri] = _free(names, own)
    return names


def _free(names: Names, wanted: str) -> str:
    taken = {*names.prefixes.values(), *names.of_attributes.values()}
    base = "ns" if wanted == DEFAULT and wanted in taken else wanted
    numbered = (f"{base}{n or ''}" for n in range(10_000))
    return next(name for name in numbered if name not in taken)
