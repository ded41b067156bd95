"""The elements that are open while a file is followed, and the namespaces in force in them."""

from __future__ import annotations

from collections.abc import Sequence

from pim_connector.erp.cuts import Cut, Tag
from pim_connector.erp.paths import ElementPath, PathMatcher, State
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.siblings import MAX_ATTRIBUTES, MAX_DEPTH, Siblings

MAX_PREFIXES = 1_000
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class OpenElement:
    """An element that is open, as far as paths are followed into it.

    `inside` are the start tags around what it holds, `siblings` its children that may be cut out
    by their text.
    """

    __slots__ = ("above", "cut", "inside", "names", "siblings", "state", "tag")

    def __init__(
        self, state: State, names: dict[str, str], tag: Tag, above: OpenElement | None
    ) -> None:
        self.state, self.names, self.tag, self.above = state, names, tag, above
        self.inside = (*self.ancestors, tag) if state else ()
        self.cut: Cut | None = None
        self.siblings: Siblings | None = None

    @property
    def ancestors(self) -> tuple[Tag, ...]:
        """The start tags around it."""
        return self.above.inside if self.above else ()


class OpenElements:
    """All that are open, and what was learnt about the children of such elements.

    Elements into which no path leads are only counted.
    """

    def __init__(self, paths: Sequence[ElementPath]) -> None:
        self._matcher = PathMatcher(paths)
        self._stack: list[OpenElement] = []
        self._dead = 0
        self._known: dict[tuple[State, str], tuple[State, tuple[int, ...]]] = {}
        self._known_names: dict[str, str] | None = None
        self._siblings: dict[State, Siblings] = {}

    @property
    def depth(self) -> int:
        return self._dead + len(self._stack)

    @property
    def innermost(self) -> OpenElement | None:
        """The element in whose content the place is; None if no path leads there."""
        return self._stack[-1] if self._stack and not self._dead else None

    def known_siblings(self) -> Siblings | None:
        """What was learnt of the children of the nearest element of whose children anything was."""
        return next((each.siblings for each in reversed(self._stack) if each.siblings), None)

    def enter(
        self, name: str, attributes: dict[str, str]
    ) -> tuple[OpenElement, tuple[int, ...]] | None:
        """Open an element; give it with the numbers of the paths it is at. None: no path leads in.

        Raises UnreadableFileError for too many attributes, levels or prefixes, and for a prefix
        that is not declared.
        """
        if len(attributes) > MAX_ATTRIBUTES:
            raise UnreadableFileError(f"an element with more than {MAX_ATTRIBUTES} attributes")
        if self.depth >= MAX_DEPTH:
            raise UnreadableFileError(f"elements nested more than {MAX_DEPTH} deep")
        above = self._stack[-1] if self._stack else None
        if self._dead or (above is not None and not above.state):
            self._dead += 1
            return None
        if above is None:
            names = names_below({"xml": XML_NAMESPACE}, attributes)
            state, matched = self._matcher.enter(self._matcher.start, qualified(name, names))
        else:
            names = names_below(above.names, attributes)
            state, matched = self._state_below(above.state, name, names)
        opened = OpenElement(state, names, Tag(name, attributes), above)
        if names is self._known_names:
            opened.siblings = self._siblings.get(state)
        self._stack.append(opened)
        return opened, matched

    def leave(self) -> Cut | None:
        """Close the innermost element; give what was to be cut out with it."""
        if self._dead:
            self._dead -= 1
            return None
        return self._stack.pop().cut

    def learn(self, opened: OpenElement, paths: tuple[int, ...]) -> None:
        """Note that siblings of this element may be cut by their text from here on.

        That is so where no path leads into it, and it has no namespaces of its own.
        """
        above = opened.above
        if above is None or opened.state or opened.names is not above.names:
            return
        if above.siblings is None:
            above.siblings = Siblings()
            if above.names is self._known_names:
                above.siblings = self._siblings.setdefault(above.state, above.siblings)
        above.siblings.learn(opened.tag.name, paths)

    def _state_below(
        self, above: State, name: str, names: dict[str, str]
    ) -> tuple[State, tuple[int, ...]]:
        """The state below an element; remembered while the namespaces are those of the first."""
        if self._known_names is None:
            self._known_names = names
        if names is not self._known_names:
            return self._matcher.enter(above, qualified(name, names))
        found = self._known.get((above, name))
        if found is None:
            found = self._matcher.enter(above, qualified(name, names))
            self._known[above, name] = found
        return found


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
