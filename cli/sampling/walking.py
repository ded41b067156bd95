"""Goes through the shape of a record and says of every place what it could be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cli.sampling.kinds import kind_of
from cli.sampling.languages import (
    language_of,
    language_row_wishes,
    language_wish,
    suffix_wish,
    suffixes,
)
from cli.sampling.prefixes import Prefixes
from cli.sampling.prices import price_wishes
from cli.sampling.rows import MOST_KEYS, Pairs, pair_wishes, pairs_of
from cli.sampling.shapes import Shape
from cli.sampling.wishes import LANGUAGE, Wish, leaf_wishes, names_of, squashed

MOST_PICTURES = 8
NOTHING = frozenset(("lang", "null", "space", "schemalocation", "etag"))


@dataclass(slots=True)
class Walk:
    """All wishes of a record, those of key/value rows by their rows, and what is only listed."""

    prefixes: Prefixes
    records: int
    used: set[str]
    wishes: list[Wish] = field(default_factory=list)
    pairs: list[tuple[Pairs, list[Wish]]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def through(self, top: Shape) -> None:
        """Every place of the record, once."""
        self._leaf(top)
        self._below(top)

    def _below(self, shape: Shape) -> None:
        done: set[int] = set()
        for members, locales in suffixes(shape.elements):
            self.wishes.append(suffix_wish(members, locales))
            for member in members:
                done.add(id(member))
                self._list(member.attributes)
        for child in shape.elements:
            if id(child) not in done:
                self._element(child)

    def _element(self, shape: Shape) -> None:
        if shape.path in self.used and shape.repeated:
            self._list(shape.attributes)
            return
        prices = price_wishes(shape, self.prefixes) if shape.repeated else []
        if prices:
            self.wishes += prices
            self._list(self._within(shape))
            return
        language = language_of(shape)
        pairs = pairs_of(shape, self.prefixes, self.records) if shape.repeated else None
        if pairs is not None and not (language and pairs.key == language.relative(shape)):
            self._pairs(pairs)
            return
        inner = shape.elements
        if language is not None and (shape.values or (len(inner) == 1 and not inner[0].elements)):
            self.wishes.append(language_wish(shape, language))
            self._list([a for a in shape.attributes if a is not language])
            return
        in_languages = language_row_wishes(shape, self.prefixes)
        if in_languages:
            self.wishes += in_languages
            told = {wish.path for wish in in_languages}
            where = in_languages[0].rule["locale"]["from"]
            self._list(
                [s for s in self._within(shape) if s.path not in told | {f"{shape.path}/{where}"}]
            )
            return
        if shape.repeated:
            self._rows(shape)
            return
        self._leaf(shape)
        self._below(shape)

    def _leaf(self, shape: Shape) -> None:
        for wish in leaf_wishes(shape):
            if wish.path in self.used:
                continue
            if _is_nothing(wish.path):
                self._list_wish(wish)
            else:
                self.wishes.append(wish)

    def _rows(self, shape: Shape) -> None:
        if not shape.elements and shape.values:
            self._several(shape)
            self._list(shape.attributes)
            return
        picture = next((s for s in shape.inside() if self._is_picture(s)), None)
        if picture is not None:
            self._several(picture)
        for inner in shape.inside():
            if inner is picture or not (inner.values or inner.repeated):
                continue
            if inner.repeated and inner.elements and self._is_pairs(inner):
                continue
            if not self._inside_pairs(inner):
                self._list([inner])

    def _several(self, shape: Shape) -> None:
        if shape.path in self.used:
            return
        kind = kind_of(shape.name, shape.values, long=shape.long, markup=shape.markup)
        self.wishes.append(
            Wish(
                path=shape.path,
                names=names_of(shape),
                kind=kind,
                values=shape.values,
                rule={"from": shape.path},
                several=True,
                first=f"{shape.path}[1]" if _once_above(shape) else f"({shape.path})[1]",
            )
        )

    def _is_picture(self, shape: Shape) -> bool:
        return bool(shape.values) and kind_of(shape.name, shape.values).name == "image"

    def _is_pairs(self, shape: Shape) -> bool:
        pairs = pairs_of(shape, self.prefixes, self.records)
        if pairs is not None:
            self._pairs(pairs)
        return pairs is not None

    def _inside_pairs(self, shape: Shape) -> bool:
        return any(
            shape is pairs.shape or shape.path.startswith(f"{pairs.shape.path}/")
            for pairs, _ in self.pairs
        )

    def _pairs(self, pairs: Pairs) -> None:
        wishes = [
            wish
            for wish in pair_wishes(pairs)
            if not {wish.path, pairs.path_of(wish.key or "")} & self.used
        ]
        self.wishes += [wish for wish in wishes if wish.key is None]
        self.pairs.append((pairs, [wish for wish in wishes if wish.key is not None]))
        units = {wish.unit["from"] for wish in wishes if isinstance(wish.unit, dict)}
        told = {pairs.key, pairs.value, *units}
        for key in pairs.keys[MOST_KEYS:]:
            sample = next(iter(pairs.values(key, pairs.value)), "")
            self.unused.append(f"{pairs.shape.path}, {key}  = {sample}")
        self._list([s for s in self._within(pairs.shape) if s.relative(pairs.shape) not in told])

    def _within(self, shape: Shape) -> list[Shape]:
        return [inner for inner in shape.inside() if inner.values]

    def _list(self, shapes: list[Shape]) -> None:
        for shape in shapes:
            if shape.values and shape.path not in self.used:
                often = f"  (up to {shape.most} in one)" if shape.repeated else ""
                self.unused.append(f"{shape.path}{often}  = {shape.values[0]}")

    def _list_wish(self, wish: Wish) -> None:
        if wish.values:
            self.unused.append(f"{wish.path}  = {wish.sample}")

    def without_currencies(self) -> None:
        """Takes out what is only the currency of a price beside it."""
        said = {w.currency["from"] for w in self.wishes if isinstance(w.currency, dict)}
        self.wishes = [wish for wish in self.wishes if wish.path not in said]

    def spread_pictures(self) -> None:
        """One wish per picture, for a PIM with several attributes for them."""
        spread: list[Wish] = []
        for wish in self.wishes:
            spread.append(wish)
            if wish.several and wish.kind.name == "image" and wish.first:
                spread += [_nth(wish, wish.first, n) for n in range(2, MOST_PICTURES + 1)]
        self.wishes = spread

    def every(self) -> Iterator[Wish]:
        """All wishes in the order of the record, those of rows last."""
        yield from self.wishes
        for _, wishes in self.pairs:
            yield from wishes


def _is_nothing(path: str) -> bool:
    """Whether a place only describes another: the language of the element that it is in."""
    outer, _, step = path.rpartition("/")
    name = squashed(step.rpartition(":")[2].lstrip("@"))
    inner = step.startswith("@") and outer.strip("./") != ""
    return name in NOTHING or (inner and name in LANGUAGE)


def _once_above(shape: Shape) -> bool:
    """Whether the repeats are all in one parent, so that `[1]` is the first of the record."""
    above = shape.above
    while above is not None and not above.repeated:
        above = above.above
    return above is None and not shape.is_attribute


def _nth(wish: Wish, first: str, number: int) -> Wish:
    path = f"{first[: -len('[1]')]}[{number}]"
    return replace(wish, path=path, rule={"from": path}, several=False, first=None, again=True)
