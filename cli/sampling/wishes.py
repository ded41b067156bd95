"""What of a record wants to become a value: every place once, with how it would be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cli.sampling.kinds import NOT_MONEY, Kind, is_money, kind_of
from cli.sampling.shapes import Shape
from cli.sampling.words import CURRENCY, tokens, unit_of, words_of

GENERIC = words_of(
    "value val text string amount content data searchvalue money code . fvalue pcdata main "
    "url path href src"
)
LANGUAGE = words_of(
    "lang language locale languageid languagecode langcode langid sprache sprachcode spras "
    "sprasiso culture iso isocode languageiso"
)
"""Names of places that say a language; what they say has to be one as well."""
UNIT = words_of(
    "unit uom unitcode funit einheit measure units unitofmeasure measurementunitcode "
    "measureunitcode unitid unite eenheid meabm"
)
CURRENCY_NAMES = frozenset(
    (
        "currency",
        "currencyid",
        "currencycode",
        "cur",
        "pricecurrency",
        "curr",
        "isocode",
        "валюта",
        "währung",
        "waehrung",
        "waluta",
        "mena",
        "měna",
        "moneda",
        "valuta",
        "devise",
        "parabirimi",
    )
)


@dataclass(slots=True, kw_only=True, eq=False)
class Wish:
    """One value that a record could give, before it is known which attribute takes it."""

    path: str
    names: tuple[str, ...]
    kind: Kind
    values: list[str]
    rule: dict[str, Any]
    several: bool = False
    first: str | None = None
    again: bool = False
    unit: Any = None
    currency: Any = None
    languages: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    key: str | None = None
    called: str = ""

    @property
    def sample(self) -> str:
        """A value for the comment, after what the file calls its key elsewhere."""
        said = self.values[0] if self.values else ""
        return f"{self.called}: {said}" if self.called else said


def squashed(name: str) -> str:
    """A name as one word: PRICE_CURRENCY is pricecurrency."""
    return "".join(tokens(name))


def names_of(shape: Shape) -> tuple[str, ...]:
    """The names to find an attribute by; where its own says nothing, that of what is around it."""
    above = shape.above
    own = shape.name
    if above is None or above.path == ".":
        return (own,)
    if squashed(own) in LANGUAGE:
        return names_of(above)
    if squashed(own) in GENERIC or (shape.is_attribute and above.values == []):
        outer = names_of(above)[0]
        first = outer if squashed(own) in GENERIC else f"{outer}_{own}"
        return (first, own)
    return (own, f"{above.name}_{own}")


def leaf_wishes(shape: Shape) -> Iterator[Wish]:
    """The wishes of an element that stands once in its parent: its text and its attributes."""
    used: set[int] = set()
    if shape.values or not shape.elements:
        named = names_of(shape)
        kind = kind_of(_said(shape, named), shape.values, long=shape.long, markup=shape.markup)
        wish = Wish(
            path=shape.path,
            names=named,
            kind=kind,
            values=shape.values,
            rule={"from": shape.path},
        )
        if shape.markup:
            wish.rule["take"] = "markup"
        beside = [*shape.attributes, *_siblings(shape)]
        used |= _with_unit_and_currency(wish, shape, beside)
        if shape.path != ".":
            yield wish
    for attribute in shape.attributes:
        if id(attribute) not in used:
            yield _attribute_wish(attribute)


def _said(shape: Shape, named: tuple[str, ...]) -> str:
    """The name that tells the kind: the element's too where its own says nothing, or is a detail.

    The amount in STOCK is no money, the `gross` of a price is.
    """
    outer = named[0] if squashed(shape.name) in GENERIC or shape.is_attribute else shape.name
    return outer if _matters(outer) else shape.name


def _matters(name: str) -> bool:
    """Whether the words of a name speak of money or of amounts of something else."""
    words = frozenset(tokens(name))
    return is_money(words) or bool(words & NOT_MONEY)


def _attribute_wish(shape: Shape) -> Wish:
    named = names_of(shape)
    return Wish(
        path=shape.path,
        names=named,
        kind=kind_of(_said(shape, named), shape.values, long=shape.long),
        values=shape.values,
        rule={"from": shape.path},
    )


def _siblings(shape: Shape) -> list[Shape]:
    beside = shape.above.below.values() if shape.above else ()
    return [other for other in beside if other is not shape and not other.path.startswith("../")]


def _with_unit_and_currency(wish: Wish, shape: Shape, beside: list[Shape]) -> set[int]:
    """Finds the unit or the currency of an amount beside it; says which places that used up."""
    used: set[int] = set()
    if wish.kind.name not in ("number", "price", "text"):
        return used
    for other in beside:
        name = squashed(other.name)
        own = other.above is shape
        if not other.values or other.repeated:
            continue
        if name in CURRENCY_NAMES and all(CURRENCY.fullmatch(v) for v in other.values):
            if wish.kind.name == "price" or (own and wish.kind.name == "number"):
                wish.kind = replace(wish.kind, name="price")
                wish.currency = {"from": other.path}
                used |= {id(other)} if own else set()
        elif (
            wish.kind.name == "number"
            and (name in UNIT if own or len(beside) == 1 else _is_unit_of(name, shape))
            and any(unit_of(v) for v in other.values)
        ):
            wish.kind = replace(wish.kind, name="metric", words=tuple(dict.fromkeys(other.values)))
            wish.unit = {"from": other.path}
            used.add(id(other))
    return used


def _is_unit_of(name: str, shape: Shape) -> bool:
    """Whether a place beside is named after the amount: WeightUnit, POIDSU."""
    own = squashed(shape.name)
    return name.startswith(own) and name[len(own) :] in UNIT | {"u"}
