"""What the reader finds in a file, what lxml finds, and whether that is the same."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from pim_connector.erp import elements, parser
from pim_connector.erp.elements import XmlStream
from pim_connector.erp.fragments import Cut, Skeletons, record_xml
from pim_connector.mapping.context import record_node
from pim_connector.mapping.xpath import element_path
from pim_connector.records import ANY, ElementPath, UnreadableFileError
from tests.differential.documents import NAMESPACES, Made
from tests.unit.erp.reading_world import OneWay

STRICTER = (
    "not declared in the file",
    "external entity",
    "probably windows-125x",
    "behind a parameter entity",
)
"""What the reader refuses and lxml lets pass with a value lost or damaged."""

PICKIER = (
    "is not a valid URI",
    "Namespace prefix",
    "parse QName",
    "Unsupported encoding",
    "invalid default value",
    "Empty XML namespace",
)
"""What lxml refuses and the reader lets pass, because nothing of it is lost."""

_ODD_VERSION = re.compile(rb"(?:\xff\xfe|\xfe\xff|\xef\xbb\xbf)?<\?xml version=(['\"])(?!1\.0\1)")
"""What libxml2 does not know for a version, and expat does not look at."""
_USUAL = re.compile(r"[\x20-\x7eа-яА-Я]*")


@dataclass(slots=True)
class Seen:
    """Elements by path and document order: line, ancestors, and canonical content."""

    elements: list[tuple[str, int, str, str]] = field(default_factory=list)
    error: str | None = None
    newer_names: bool = False
    """Names as only the fifth edition of XML 1.0 allows them; expat knows the fourth."""


def difference(made: Made) -> str | None:
    """Say how the two readings differ; None where they do not."""
    paths = [element_path(text, NAMESPACES) for text in made.paths]
    ours, theirs = read_by_us(made, paths), read_by_lxml(made, paths)
    if ours.error and any(words in ours.error for words in STRICTER):
        theirs.error = theirs.error or ours.error
    if theirs.newer_names or _ODD_VERSION.match(made.plain.replace(b"\0", b"")):
        return None
    odd = re.match(r"Entity '(.*)' not defined", theirs.error or "")
    if theirs.error and (
        any(words in theirs.error for words in PICKIER)
        or (odd and f"%{odd[1]};".encode() in made.plain.replace(b"\0", b""))
    ):
        ours.error = ours.error or theirs.error
    if bool(ours.error) != bool(theirs.error):
        return f"we say {ours.error}, lxml says {theirs.error}"
    whole = ours.error is None
    if whole and len(ours.elements) != len(theirs.elements):
        return f"{len(ours.elements)} elements, of which lxml sees {len(theirs.elements)}"
    for mine, other in zip(ours.elements, theirs.elements, strict=False):
        same_line = mine[1] == other[1] or not made.lines or made.dtd or made.damaged
        if (mine[0], *mine[2:]) != (other[0], *other[2:]) or not same_line:
            return f"{mine} is {other} for lxml"
    return None


def read_by_us(made: Made, paths: list[ElementPath]) -> Seen:
    """Read with the connector's reader, whose pieces are as small as those of the stream."""
    seen = Seen()
    stream = XmlStream(open_file=lambda: OneWay(made.data, made.piece))  # type: ignore[arg-type,return-value]
    smallest, elements.SMALLEST_PIECE = elements.SMALLEST_PIECE, made.piece  # type: ignore[misc]
    names, parser.MAX_NAMES = parser.MAX_NAMES, 4  # type: ignore[misc]
    try:
        for outermost in stream.cuts(paths):
            for cut in outermost.flat():
                seen.elements += _of_cut(cut, paths)
    except UnreadableFileError as error:
        seen.error = str(error)
    except etree.XMLSyntaxError as error:
        seen.error = f"in a record: {error}"
    finally:
        elements.SMALLEST_PIECE, parser.MAX_NAMES = smallest, names  # type: ignore[misc]
    return seen


def _of_cut(cut: Cut, paths: list[ElementPath]) -> Iterator[tuple[str, int, str, str]]:
    skeleton = Skeletons().of(cut.ancestors, with_attributes=True)
    node = record_node(record_xml(cut, cut, skeleton))
    for number in cut.paths:
        yield paths[number].text, cut.line, _above(node), _canonical(node)


def read_by_lxml(made: Made, paths: list[ElementPath]) -> Seen:
    """Read with lxml; elements in document order, as the reader gives them.

    Where entities hold elements, the tree says more than the events: those come once an entity.
    """
    seen = Seen()
    order: dict[etree._Element, int] = {}
    found: list[tuple[int, tuple[str, int, str, str]]] = []
    reads_dtd = made.dtd and b"x.dtd" not in made.plain.replace(b"\0", b"")
    try:
        if made.dtd:
            root = etree.fromstring(
                made.plain,
                etree.XMLParser(no_network=True, load_dtd=reads_dtd, attribute_defaults=reads_dtd),
            )
            if next(root.iter(etree.Entity), None) is not None:
                seen.error = "an entity was not expanded"
            ended = iter(
                [(event, each) for each in root.iter(etree.Element) for event in ("start", "end")]
            )
        else:
            ended = etree.iterparse(
                io.BytesIO(made.plain), events=("start", "end"), no_network=True
            )
        for event, element in ended:
            if event == "start":
                order[element] = len(order)
                names = "".join([str(element.tag), *map(str, element.attrib)])
                seen.newer_names |= bool(made.damaged and not _USUAL.fullmatch(names))
                continue
            found += [
                (order[element], _of_element(element, path))
                for path in paths
                if _is_at(_steps(element), path)
            ]
    except etree.XMLSyntaxError as error:
        seen.error = str(error)
    seen.elements = [each for _, each in sorted(found, key=lambda pair: pair[0])]
    return seen


def _steps(element: etree._Element) -> list[str]:
    return [element.tag, *(above.tag for above in element.iterancestors())][::-1]


def _of_element(element: etree._Element, path: ElementPath) -> tuple[str, int, str, str]:
    line: int = element.sourceline or 0  # type: ignore[assignment]
    return path.text, line, _above(element), _canonical(element)


def _is_at(steps: list[str], path: ElementPath) -> bool:
    if not path.steps:
        return not steps
    if not steps:
        return False
    last, above = path.steps[-1], ElementPath("", path.steps[:-1])
    if last.name not in (ANY, steps[-1]):
        return False
    if not last.deep:
        return _is_at(steps[:-1], above)
    return any(_is_at(steps[:end], above) for end in range(len(steps)))


def _above(element: etree._Element) -> str:
    return repr([(above.tag, sorted(above.attrib.items())) for above in element.iterancestors()])


def _canonical(element: etree._Element) -> str:
    """The element without its tail: names, attributes, texts, instructions; comments left out."""
    parts: list[str] = [element.text or ""]
    for child in element:
        if isinstance(child, etree._Comment):
            parts[-1] += child.tail or ""
            continue
        if isinstance(child, etree._ProcessingInstruction):
            parts.append(repr((child.target, child.text or "")))
        else:
            parts.append(_canonical(child))
        parts.append(child.tail or "")
    return repr((element.tag, sorted(element.attrib.items()), parts))
