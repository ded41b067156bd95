"""The sample: the first records of a file as trees, and single values and rows around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from cli.sampling.outline import Outline, Place, lies_in
from cli.sampling.prefixes import Prefixes
from pim_connector.erp.elements import Cut, XmlStream
from pim_connector.erp.fragments import Skeletons, record_xml
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.record import RECORD_MARK, UnreadableFileError
from pim_connector.mapping.xpath import element_path

MOST_CHARACTERS = 24_000_000
MOST_AROUND = 300
"""Places outside of the records that are looked into."""
MOST_ROWS = 3_000

Element = etree._Element


@dataclass(slots=True)
class Sample:
    """Records as trees; `around` holds elements outside of them, by path; `above` attributes."""

    path: str
    prefixes: Prefixes
    records: list[Element] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    above: list[dict[str, str]] = field(default_factory=list)
    around: dict[str, list[Element]] = field(default_factory=dict)
    total: int = 0


def read_sample(stream: XmlStream, outline: Outline, record: str, most: int) -> Sample:
    """The first `most` records (and 24 MB of them at most), and what stands around them."""
    sample = Sample(path=record, prefixes=outline.prefixes)
    texts = {record: record, **{place.path: place.path for place in _around(outline, record)}}
    paths = [element_path(text, outline.prefixes.declared) for text in texts]
    size = seen = 0
    try:
        for cut in stream.cuts(paths):
            for inner in cut.flat():
                size += _take(sample, paths, inner, most, size)
                seen += 1
            if seen > 200_000:
                break
    except UnreadableFileError:
        pass  # the outline has said so
    return sample


def _take(sample: Sample, paths: list[ElementPath], cut: Cut, most: int, size: int) -> int:
    path = paths[cut.paths[0]].text
    if path == sample.path:
        sample.total += 1
        if len(sample.records) >= most or size > MOST_CHARACTERS:
            return 0
    elif len(sample.around.get(path, ())) >= MOST_ROWS:
        return 0
    skeleton = Skeletons().of(cut.ancestors, with_attributes=False)
    xml = record_xml(cut, cut, skeleton)
    element = _parsed(xml)
    if path != sample.path:
        sample.around.setdefault(path, []).append(element)
        return 0
    sample.records.append(element)
    sample.lines.append(cut.line)
    sample.above.append(_attributes_above(cut))
    return len(xml)


def _attributes_above(cut: Cut) -> dict[str, str]:
    """Attributes of the elements between the root and the record, by their XPath."""
    found = {}
    for up, tag in enumerate(reversed(cut.ancestors[1:]), start=1):
        for name, value in tag.attributes.items():
            if ":" not in name and name != "xmlns":
                found["../" * up + "@" + name] = value
    return found


def _around(outline: Outline, record: str) -> Iterator[Place]:
    """Outside places to look into: single leaves, and rows that hold no other rows."""
    found = 0
    for place in outline.places():
        inside = lies_in(place.path, record)
        holds = lies_in(record, place.path)
        if inside or holds or found >= MOST_AROUND:
            continue
        above = place.above
        while above is not None and above.above is not None and above.most <= 1:
            above = above.above
        nested = above is not None and above.above is not None
        row = place.most > 1 and not nested
        if row or (not nested and not place.below):
            found += 1
            yield place


def _parsed(xml: str) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(xml.encode(), parser)
    for node in root.iter(etree.ProcessingInstruction):
        following = node.getnext()
        if getattr(node, "target", "") == RECORD_MARK and following is not None:
            return following
    return root
