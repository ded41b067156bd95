"""What a small outdoor shop sells, made up but always the same.

Of every 100 articles 20 are tents, 20 backpacks, 12 lamps, 36 variants of jackets and 12 variants
of shoes. Some have a flaw, as articles in real exports do; the flaw says what has to become of
the record.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

LANGUAGES = ("de", "en", "fr")
COLOURS = ("black", "blue", "green", "red")
JACKET_SIZES = ("S", "M", "L")
SHOE_SIZES = ("38", "39", "40", "41", "42", "43")
MATERIALS = ("cotton", "gore_tex", "nylon", "polyester", "wool")

Kind = Literal["tent", "backpack", "lamp", "jacket", "shoe"]
Flaw = Literal[
    "price in words",
    "unknown colour",
    "impossible date",
    "persons in words",
    "name too long",
    "unknown unit",
    "no number",
    "unknown type",
    "axes taken",
    "discontinued",
]
"""`discontinued` articles are left out on purpose by the mapping; all others are errors."""

FLAWS: tuple[tuple[Flaw, Kind], ...] = (
    ("price in words", "tent"),
    ("unknown colour", "lamp"),
    ("impossible date", "tent"),
    ("persons in words", "tent"),
    ("name too long", "backpack"),
    ("unknown unit", "backpack"),
    ("no number", "lamp"),
    ("unknown type", "tent"),
    ("axes taken", "jacket"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a product is called and said to be, by language."""

    names: dict[str, str]
    descriptions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A jacket or shoe as designed; its articles are its colours and sizes."""

    number: str
    kind: Kind
    text: Text
    materials: tuple[str, ...]
    launched: str  # ISO date


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """Something that can be sold. Variants have a `style` and take their texts from it."""

    number: str
    kind: Kind
    style: str | None = None
    text: Text | None = None
    ean: str
    prices: dict[str, Decimal]  # by currency
    grams: int
    active: bool = True
    colour: str | None = None
    size: str | None = None
    persons: int | None = None
    litres: Decimal | None = None
    lumens: int | None = None
    waterproof: bool | None = None
    materials: tuple[str, ...] = ()
    launched: str | None = None
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assortment:
    """All styles and articles, in the order of the export."""

    styles: tuple[Style, ...]
    articles: tuple[Article, ...]


def assortment(hundreds: int = 10) -> Assortment:
    """Make up `hundreds` × 100 articles and the styles of the variants among them."""
    chance = random.Random(2026)  # noqa: S311  the sample has to be the same every time
    styles: list[Style] = []
    articles: list[Article] = []
    for block in range(hundreds):
        for kind, count in (("tent", 20), ("backpack", 20), ("lamp", 12)):
            articles += [_single(kind, block * count + n, chance) for n in range(count)]  # type: ignore[arg-type]  # the kinds above
        for n in range(3):
            style, variants = _jackets(block * 3 + n, chance)
            styles.append(style)
            articles += variants
        for n in range(2):
            style, variants = _shoes(block * 2 + n, chance)
            styles.append(style)
            articles += variants
    return Assortment(styles=tuple(styles), articles=_with_flaws(articles))


def _single(kind: Kind, index: int, chance: random.Random) -> Article:
    article = Article(
        number=f"{kind.upper()}-{index + 1:04}",
        kind=kind,
        text=_text(kind, index, chance),
        ean=_ean(kind, index),
        prices=_prices(chance),
        grams=chance.randrange(150, 6000, 10),
        active=chance.random() > 0.1,
        launched=_day(chance),
    )
    if kind == "tent":
        return replace(article, persons=chance.randint(1, 6), waterproof=chance.random() > 0.2)
    if kind == "backpack":
        litres = Decimal(chance.randrange(100, 800, 5)) / 10
        return replace(article, litres=litres, materials=_materials(chance))
    return replace(article, lumens=chance.randrange(50, 2000, 50), colour=chance.choice(COLOURS))


def _jackets(index: int, chance: random.Random) -> tuple[Style, list[Article]]:
    style = _style("jacket", index, chance)
    variants = [
        _variant(style, index * 12 + n, chance, colour=colour, size=size)
        for n, (colour, size) in enumerate(
            (colour, size) for colour in COLOURS for size in JACKET_SIZES
        )
    ]
    return style, variants


def _shoes(index: int, chance: random.Random) -> tuple[Style, list[Article]]:
    style = _style("shoe", index, chance)
    variants = [
        _variant(style, index * 6 + n, chance, colour=None, size=size)
        for n, size in enumerate(SHOE_SIZES)
    ]
    return style, variants


def _style(kind: Kind, index: int, chance: random.Random) -> Style:
    return Style(
        number=f"STYLE-{kind.upper()}-{index + 1:03}",
        kind=kind,
        text=_text(kind, index, chance),
        materials=_materials(chance),
        launched=_day(chance),
    )


def _variant(
    style: Style, index: int, chance: random.Random, *, colour: str | None, size: str
) -> Article:
    return Article(
        number=f"{style.kind.upper()}-{index + 1:04}",
        kind=style.kind,
        style=style.number,
        ean=_ean(style.kind, index),
        prices=_prices(chance),
        grams=chance.randrange(150, 1500, 10),
        colour=colour,
        size=size,
    )


def _with_flaws(articles: list[Article]) -> tuple[Article, ...]:
    """Give the last article of a kind the flaw, and every 50th simple article leave the shop."""
    flawed = list(articles)
    for place, article in enumerate(flawed):
        if article.style is None and place % 50 == 7:
            flawed[place] = replace(article, flaw="discontinued")
    for flaw, kind in FLAWS:
        free = [n for n, article in enumerate(flawed) if article.kind == kind and not article.flaw]
        place = free[-1]
        flawed[place] = replace(flawed[place], flaw=flaw)
        if flaw == "axes taken":
            taken = flawed[place - 1]
            flawed[place] = replace(flawed[place], colour=taken.colour, size=taken.size)
    return tuple(flawed)


_NOUNS: dict[Kind, tuple[str, str, str]] = {
    "tent": ("Zelt", "Tent", "Tente"),
    "backpack": ("Rucksack", "Backpack", "Sac à dos"),
    "lamp": ("Lampe", "Lamp", "Lampe"),
    "jacket": ("Jacke", "Jacket", "Veste"),
    "shoe": ("Schuh", "Shoe", "Chaussure"),
}
_PLACES = (
    "Ålesund",
    "Bodø",
    "Çeşme",
    "Dôle",
    "Évora",
    "Füssen",
    "Göteborg",
    "Łódź",
    "Óbidos",
    "Žilina",
)


def _text(kind: Kind, index: int, chance: random.Random) -> Text:
    name = f"{_PLACES[index % len(_PLACES)]} {index + 1}"
    german, english, french = _NOUNS[kind]
    nights = chance.randint(1, 9)
    return Text(
        names={"de": f"{german} {name}", "en": f"{english} {name}", "fr": f"{french} {name}"},
        descriptions={
            "de": f"Für {nights} Nächte & mehr: <b>{german}</b> mit Gewähr.",
            "en": f"For {nights} nights & more: <b>{english}</b>, guaranteed.",
            "fr": f"Pour {nights} nuits & plus : <b>{french}</b> garanti.",
        },
    )


def _prices(chance: random.Random) -> dict[str, Decimal]:
    euros = Decimal(chance.randrange(990, 249_000, 5)) / 100
    dollars = (euros * Decimal("1.1")).quantize(Decimal("0.01"))
    return {"EUR": euros.quantize(Decimal("0.01")), "USD": dollars}


def _materials(chance: random.Random) -> tuple[str, ...]:
    return tuple(sorted(chance.sample(MATERIALS, chance.randint(1, 3))))


def _day(chance: random.Random) -> str:
    return f"{chance.randint(2019, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def _ean(kind: Kind, index: int) -> str:
    body = f"40{list(_NOUNS).index(kind)}{index:09}"
    weighted = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(body))
    return f"{body}{-weighted % 10}"
