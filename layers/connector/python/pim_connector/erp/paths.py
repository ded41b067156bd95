"""Absolute element paths, and a matcher that follows many of them through a stream at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

ANY = "*"
WHATEVER = "{*}"
"""Before a local name: in any namespace or in none. lxml's notation, so its searches take it."""


class PathStep(Struct, frozen=True):
    """One step: a name as `{uri}local`, `{*}local` or `*`; `deep` for `//`, any levels down."""

    name: str
    deep: bool = False

    def fits(self, name: str) -> bool:
        """Whether an element of this name (or one that another step asks for) may be meant."""
        if self.name in (ANY, name) or name == ANY:
            return True
        if self.name.startswith(WHATEVER) or name.startswith(WHATEVER):
            return self.name.rpartition("}")[2] == name.rpartition("}")[2]
        return False


class ElementPath(Struct, frozen=True):
    """A path from the root of the document, as the mapping writes it and as steps.

    `shallow` asks for the start tag only, not for what is inside.
    """

    text: str
    steps: tuple[PathStep, ...]
    shallow: bool = False

    def leads_to(self, other: ElementPath) -> bool:
        """Whether elements of `other` may lie inside (or be) elements of this path."""
        if any(step.deep for step in self.steps + other.steps):
            return True
        return len(self.steps) <= len(other.steps) and all(
            mine.fits(theirs.name) for mine, theirs in zip(self.steps, other.steps, strict=False)
        )


State: TypeAlias = frozenset[tuple[int, int]]
"""How far each path is matched: (path number, steps done)."""


MAX_KNOWN = 10_000


class PathMatcher:
    """Follows the element stack; what it works out once for a name it remembers."""

    def __init__(self, paths: Sequence[ElementPath]) -> None:
        self._paths = paths
        self.start: State = frozenset((n, 0) for n in range(len(paths)))
        self._known: dict[tuple[State, str], tuple[State, tuple[int, ...]]] = {}

    def enter(self, state: State, name: str) -> tuple[State, tuple[int, ...]]:
        """The state below an element of this name, and the numbers of the paths that end at it."""
        key = (state, name)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()  # a file may have a name for each product
            found = self._known[key] = self._work_out(state, name)
        return found

    def _work_out(self, state: State, name: str) -> tuple[State, tuple[int, ...]]:
        below: set[tuple[int, int]] = set()
        ended: list[int] = []
        for number, done in sorted(state):
            steps = self._paths[number].steps
            if done == len(steps):
                continue
            step = steps[done]
            if step.deep:
                below.add((number, done))
            if step.fits(name):
                if done + 1 == len(steps):
                    ended.append(number)
                else:
                    below.add((number, done + 1))
        return frozenset(below), tuple(dict.fromkeys(ended))
