"""The elements that are open while a file is followed, and the namespaces in force in them."""

from __future__ import annotations

from pim_connector.erp.cuts import Cut, Tag
from pim_connector.erp.paths import State
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.siblings import Siblings

MAX_PREFIXES = 1_000
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class OpenElement:
    """An element that is open, as far as paths are followed into it.

    `inside` are the start tags around what it holds, `siblings` its children that may be cut out
    by their text.
    """

    __slots__ = ("cut", "inside", "names", "siblings", "state", "tag")

    def __init__(
        self, state: State, names: dict[str, str], tag: Tag, inside: tuple[Tag, ...]
    ) -> None:
        self.state, self.names, self.tag = state, names, tag
        self.inside = inside
        self.cut: Cut | None = None
        self.siblings: Siblings | None = None


def names_below(above: dict[str, str], attributes: dict[str, str]) -> dict[str, str]:
    """The namespaces in force: those above (the same dictionary), and those declared here."""
    for name in attributes:
        if name.startswith("xmlns"):
            break
    else:
        return above
    declared = {
        name[6:]: uri
        for name, uri in attributes.items()
        if name == "xmlns" or name.startswith("xmlns:")
    }
    if not declared:
        return above
    if len(above) + len(declared) > MAX_PREFIXES:
        raise UnreadableFileError(f"more than {MAX_PREFIXES} namespace prefixes")
    return {**above, **declared}


def qualified(name: str, names: dict[str, str]) -> str:
    """A name as written with the namespace it is in: `{uri}local`, or `local` in none."""
    prefix, _, local = name.rpartition(":")
    uri = names.get(prefix)
    if uri:
        return f"{{{uri}}}{local}"
    if prefix:
        raise UnreadableFileError(f"the namespace prefix `{prefix}` of <{name}> is not declared")
    return local
