"""Files for people to keep: reports, and rejected records as the ERP would send them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from pim_connector.console import rejections
from pim_connector.records import RECORD_MARK
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

GOOD_FOR_SECONDS: Final = 60
MOST_RECORDS: Final = 20_000
REASON: Final = "pim-connector-reason"


def presigned(parts: Parts, key: str, name: str) -> str:
    """Return an address at which the browser can fetch an object, to be saved under `name`."""
    asked = {
        "Bucket": parts.bucket.name,
        "Key": key,
        "ResponseContentDisposition": f'attachment; filename="{name}"',
    }
    address: str = parts.client("s3").generate_presigned_url(
        "get_object", Params=asked, ExpiresIn=GOOD_FOR_SECONDS
    )
    return address


def in_the_erps_format(parts: Parts, run: Run) -> str:
    """Write the rejected records of a run as one file for the ERP's owner; return its key."""
    from pim_connector.products.replaying import raw_xml

    outcomes = list(islice(rejections.every(parts, run), MOST_RECORDS))
    reasons = {
        one.number: "; ".join(
            f"{problem.attribute}: {problem.reason}" if problem.attribute else problem.reason
            for problem in one.problems
        )
        for one in outcomes
    }
    raw = raw_xml(parts.bucket, run.id, reasons.keys())
    key = f"reports/{run.id}/rejected.xml"
    parts.bucket.put(key, together([(raw[n], reasons[n]) for n in sorted(raw)]))
    return key


def together(records: list[tuple[str, str]]) -> bytes:
    """Put records into one document, each with the reason as an attribute. Pure.

    Each record comes inside the skeleton of its ancestors; records of the same ancestors stand
    under them once.
    """
    root: Any = None
    for xml, reason in records:
        record, ancestors = _parsed(xml)
        if record is None:
            continue
        record.set(REASON, _printable(reason))
        if root is None:
            root = _like(ancestors[0]) if ancestors else etree.Element("records")
        parent = root
        for ancestor in ancestors[1:]:
            parent = _same_child(parent, ancestor)
        record.tail = "\n"
        parent.append(record)
    if root is None:
        root = etree.Element("records")
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return data


def _parsed(xml: str) -> tuple[Any, list[Any]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        document = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError:
        return None, []
    marks: Any = document.xpath(f"//processing-instruction('{RECORD_MARK}')")
    record = marks[0].getnext() if marks else document
    if record is None:
        return None, []
    return record, list(reversed(list(record.iterancestors())))


def _like(element: Any) -> Any:
    return etree.Element(element.tag, element.attrib, nsmap=element.nsmap)


def _same_child(parent: Any, wanted: Any) -> Any:
    last = parent[-1] if len(parent) else None
    if last is not None and last.tag == wanted.tag and dict(last.attrib) == dict(wanted.attrib):
        return last
    made = _like(wanted)
    made.tail = "\n"
    parent.append(made)
    return made


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:2_000]
