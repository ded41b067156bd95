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
_COLON: Final = re.compile(":(?!//)")
"""A colon that is not that of an address; no name has one of those."""
_PREFIX: Final = re.compile(r"""<[/?]?[^\s<>/='":]*+:|:[^\s<>/='"]*+\s*+=""")
"""A colon in a name, whose prefix may not be declared; or what looks like it and is harmless."""

Glimpse: TypeAlias = Callable[[str], "list[str] | None"]
"""Gives the values of a record (its XML), "" for what is not there, or None: parse it."""


def glimpse_of(paths: Sequence[str | None]) -> Glimpse | None:
    """Make a glimpse of values by their paths; None stands for a value that is always empty.

    None where a path is not plain.
    """
    named = [(place, path) for place, path in enumerate(paths) if path is not None]
    if not all(PLAIN.fullmatch(path) for _, path in named):
        return None
    attributes = [
        (place, path[1:], f" {path[1:]}=") for place, path in named if path.startswith("@")
    ]
    children = [(place, path, _tags(path)) for place, path in named if not path.startswith("@")]
    nothing = [""] * len(paths)

    def glimpse(xml: str) -> list[str] | None:
        at = xml.find(_MARK) + len(_MARK)
        if xml.find(":", at) >= 0 and _may_have_prefix(xml, at):
            return None
        values = nothing.copy()
        if attributes:
            parts = _quoted(xml[at : xml.find(">", at)])
            if parts is None:
                return None
            for place, name, before in attributes:
                if before in parts:
                    found = parts.index(before)
                    if found % 2:
                        return None
                    values[place] = parts[found + 1].strip(_XML_SPACE)
                elif any(name in part for part in parts[::2]):
                    return None
        for place, name, tags in children:
            text = _child(xml, at, name, tags)
            if text is None:
                return None
            values[place] = text.strip(_XML_SPACE)
        return values

    return glimpse


def _tags(name: str) -> re.Pattern[str]:
    return re.compile(rf"<{re.escape(name)}[\s/>]")


def _may_have_prefix(xml: str, at: int) -> bool:
    if xml.find("xmlns", at) >= 0:
        return True
    return _COLON.search(xml, at) is not None and _PREFIX.search(xml, at) is not None


def _quoted(tag: str) -> list[str] | None:
    """Cut a start tag (without its end) at its quotes: in turn, what stands before and in them.

    None where a parser could see it otherwise. The quotes are all of one kind, so that no value
    holds that kind; a `>` in a value, where the tag seems to end, leaves one without the other.
    """
    if "&" in tag or not tag.isprintable():
        return None
    double = '"' in tag
    parts = tag.split('"' if double else "'")
    if len(parts) % 2 == 0 or (double and "'" in tag):
        return None
    parts[0] = parts[0][parts[0].find(" ") :]
    return parts


def _child(xml: str, at: int, name: str, tags: re.Pattern[str]) -> str | None:
    """The text of the only element of that name, if it is a child of the record and holds text.

    It is a child if one more tag was opened than closed before it; what could be mistaken for a
    tag (comments, CDATA, instructions, empty elements) must not stand before its end.
    """
    start = xml.find(f"<{name}>", at)
    if start < 0 or xml.count(f"<{name}", at) > 1:
        found = len(tags.findall(xml, at))
        if found == 0:
            return ""
        if found > 1 or start < 0:
            return None
    before = xml[at:start]
    text = start + len(name) + 2
    end = xml.find("<", text)
    inside = xml[text:end]
    if (
        "/>" in before
        or "<!" in before
        or "<?" in before
        or xml.find("xmlns", 0, start) >= 0
        or before.count("<") - 2 * before.count("</") != 1
        or "&" in inside
        or not xml.startswith(f"</{name}", end)
    ):
        return None
    return None if "\r" in inside.strip(_XML_SPACE) else inside
