"""The outline of a file: which elements it has, how often, and with which attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.sampling.prefixes import Prefixes
from pim_connector.erp.elements import Cut, Tag, XmlStream
from pim_connector.erp.paths import ANY, ElementPath, PathStep
from pim_connector.erp.record import UnreadableFileError

MOST_ELEMENTS = 400_000
"""Elements looked at for the outline; what comes later in a large file looks like what came."""
MOST_PLACES = 5_000
"""Different places an outline holds; a file with more has made names of its data."""
EVERY = ElementPath("//*", (PathStep(ANY, deep=True),), shallow=True)


@dataclass(slots=True, eq=False)
class Place:
    """One path of the file: how many elements are there, and at most how many in one parent."""

    path: str
    above: Place | None
    count: int = 0
    most: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    below: dict[str, Place] = field(default_factory=dict)
    parents: int = 0
    _here: int = 0
    _parent: Tag | None = None

    @property
    def name(self) -> str:
        """The element's name without its prefix."""
        return self.path.rpartition("/")[2].rpartition(":")[2]

    def met(self, tag: Tag, parent: Tag | None) -> None:
        """Count one element under the parent it stands in."""
        self.count += 1
        if parent is not self._parent or self.count == 1:
            self._here = 0
            self.parents += 1
        self._parent = parent
        self._here += 1
        self.most = max(self.most, self._here)
        for name, value in tag.attributes.items():
            if name.partition(":")[0] != "xmlns":
                self.attributes.setdefault(name, value[:200])

    def inside(self) -> Iterator[Place]:
        """Every place below this one, in document order."""
        for place in self.below.values():
            yield place
            yield from place.inside()

    @property
    def leaves(self) -> int:
        """How many different values elements of this place can hold, repeats counted once."""
        texts = sum(not place.below for place in self.inside())
        return texts + sum(len(place.attributes) for place in (self, *self.inside()))


@dataclass(slots=True)
class Outline:
    """What was seen, and why no more was seen where the file breaks off."""

    top: Place = field(default_factory=lambda: Place("", None))
    prefixes: Prefixes = field(default_factory=Prefixes)
    elements: int = 0
    broken: UnreadableFileError | None = None
    whole: bool = True

    def root(self) -> dict[str, str]:
        """The attributes of the root element by their XPath; those of namespaces left out."""
        return {
            f"{place.path}/@{name}": value
            for place in self.top.below.values()
            for name, value in place.attributes.items()
            if ":" not in name
        }

    def places(self) -> Iterator[Place]:
        """Every place of the file."""
        return self.top.inside()


def outline_of(stream: XmlStream, prefixes: Prefixes) -> Outline:
    """Follow the file to its end (or to 400 000 elements) and note its places.

    Holds names and counts only. A file that breaks off gives what came before, and `broken`.
    """
    seen = Outline(prefixes=prefixes)
    stack: list[tuple[dict[str, str], Place]] = []
    places = 0
    try:
        for cut in stream.cuts([EVERY]):
            del stack[len(cut.ancestors) :]
            above = stack[-1] if stack else ({}, seen.top)
            names = prefixes.in_force(above[0], cut.tag)
            step = prefixes.step(cut.tag.name, names)
            place = above[1].below.get(step)
            if place is None:
                place = Place(f"{above[1].path}/{step}", above[1])
                if places < MOST_PLACES:
                    above[1].below[step] = place
                    places += 1
            place.met(cut.tag, parent_of(cut))
            stack.append((names, place))
            seen.elements += 1
            if seen.elements >= MOST_ELEMENTS:
                seen.whole = False
                break
    except UnreadableFileError as error:
        seen.broken = error
    return seen


def parent_of(cut: Cut) -> Tag | None:
    """The start tag of the element around."""
    return cut.ancestors[-1] if cut.ancestors else None


def lies_in(path: str, outer: str) -> bool:
    """Whether a path is another one or inside it; a step `*` of either is any name."""
    steps, around = path.split("/"), outer.split("/")
    return len(around) <= len(steps) and all(
        mine == theirs or "*" in (mine, theirs) for mine, theirs in zip(steps, around, strict=False)
    )
