"""Values of a file's head."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import BinaryIO

from lxml import etree

from pim_connector.erp.fragments import HeadDocument
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.stream import XmlStream
from pim_connector.mapping.compiled import CompiledMapping, HeadValue
from pim_connector.mapping.context import View, record_node, single_text
from pim_connector.mapping.converters import Refusal


def read_order(open_file: Callable[[], BinaryIO], compiled: CompiledMapping) -> str | None:
    """The export's own time, by the mapping's `source.order`; None when it names none.

    Reads the file as far as the value is. Raises UnreadableFileError when it is not there: the
    order decides which of two files is newer, so it must not be guessed.
    """
    if compiled.order is None:
        return None
    said = compiled.mapping.file.file
    stream = XmlStream(
        open_file=open_file,
        encoding=said.encoding,
        illegal_characters=said.illegal_characters,
        max_megabytes=said.max_record_megabytes,
    )
    head = HeadDocument()
    anchors = compiled.order.anchors
    for cut in stream.cuts(anchors):
        for inner in cut.flat():
            shallow = all(anchors[number].shallow for number in inner.paths)
            head.add(inner, shallow=shallow, entities=stream.entities)
        order = evaluate_head([compiled.order], head)["order"]
        if order:
            return order
    raise UnreadableFileError(f"`source.order` finds no value at {compiled.order.reader.label}")


def evaluate_head(values: Collection[HeadValue], head: HeadDocument) -> dict[str, str]:
    """The head values by name, "" where there is none. Raises UnreadableFileError for several."""
    xml = head.xml()
    if not xml:
        return {value.name: "" for value in values}
    try:
        node = record_node(xml)
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError(
            f"the elements that `head` reads are not XML by themselves: {error.msg}"
        ) from error
    view = View({}, {}, node, lambda _, __: [])
    found = {}
    for value in values:
        try:
            found[value.name] = single_text(value.reader.evaluate(view, node))
        except Refusal as refusal:
            raise UnreadableFileError(
                f"the head value {value.name} ({value.reader.label}): {refusal}: {refusal.value}"
            ) from refusal
    return found
