"""Reads whose data a record holds out of its text, where that is certain without parsing it.

The splitter identifies every record of a file, and most of them go no further. Where the mapping
takes the identity from plain attributes and children of the record, their text is found by looking
for their tags; building the record's tree takes five times as long. Wherever the text could mean
anything else than a parser would say, nobody knows, and the record is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from pim_connector.erp.record import RECORD_MARK

PLAIN: Final = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.\-]*")
"""An attribute or a child of the record, without namespace."""
_MARK: Final = f"<?{RECORD_MARK}?>"
_XML_SPACE: Final = " \t\r\n"
_COLON_IN_TAG: Final = re.compile("<[^<>]*:")
"""A prefix, which may not be declared; or a harmless value, which is then parsed for nothing."""
_UNCERTAIN: Final = re.compile(r"[&\r\n\t]")

Glimpse: TypeAlias = Callable[[str], "list[str] | None"]
"""Gives the values of a record (its XML), "" for what is not there, or None: parse it."""


def glimpse_of(paths: Sequence[str | None]) -> Glimpse | None:
    """Make a glimpse of values by their paths; None stands for a value that is always empty.

    None where a path is not plain.
    """
    named = [path for path in paths if path is not None]
    if not all(PLAIN.fullmatch(path) for path in named):
        return None
    children = {path: _tags(path) for path in named if not path.startswith("@")}
    has_attributes = any(path.startswith("@") for path in named)

    def glimpse(xml: str) -> list[str] | None:
        at = xml.find(_MARK) + len(_MARK)
        if xml.find(":", at) >= 0 and _COLON_IN_TAG.search(xml, at):
            return None
        written = _attributes(xml, at) if has_attributes else {}
        if written is None:
            return None
        values: list[str] = []
        for path in paths:
            text: str | None = ""
            if path in children:
                text = _child(xml, at, path, children[path])
            elif path is not None:
                text = written.get(f" {path[1:]}=")
                if text is None and not any(path[1:] in before for before in written):
                    text = ""
            if text is None:
                return None
            values.append(text.strip(_XML_SPACE))
        return values

    return glimpse


def _tags(name: str) -> re.Pattern[str]:
    return re.compile(rf"<{re.escape(name)}[\s/>]")


def _attributes(xml: str, at: int) -> dict[str, str] | None:
    """The values of the start tag, by what stands before each: a space, the name, and `=`.

    Cut at its quotes, which are all of one kind: a value cannot hold that kind. A `>` in a value
    leaves one quote without the other.
    """
    tag = xml[at : xml.find(">", at)]
    parts = tag.split('"') if '"' in tag else tag.split("'")
    if len(parts) % 2 == 0 or ('"' in tag and "'" in tag) or _UNCERTAIN.search(tag):
        return None
    parts[0] = f" {parts[0].partition(' ')[2]}"
    return dict(zip(parts[::2], parts[1::2], strict=False))


def _child(xml: str, at: int, name: str, tags: re.Pattern[str]) -> str | None:
    """The text of the only element of that name, if it is a child of the record and holds text.

    It is a child if one more tag was opened than closed before it; what could be mistaken for a
    tag (comments, CDATA, instructions, empty elements) must not stand before its end.
    """
    found = tags.findall(xml, at)
    if not found:
        return ""
    start = xml.find(f"<{name}>", at)
    if len(found) > 1 or start < 0:
        return None
    before = xml[at:start]
    text = start + len(name) + 2
    end = xml.find("<", text)
    inside = xml[text:end]
    if (
        "/>" in before
        or "<!" in before
        or "<?" in before
        or "xmlns" in xml[:start]
        or before.count("<") - 2 * before.count("</") != 1
        or "&" in inside
        or not xml.startswith(f"</{name}", end)
    ):
        return None
    return None if "\r" in inside.strip(_XML_SPACE) else inside
