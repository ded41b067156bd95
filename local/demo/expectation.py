"""What the PIM should hold after the sample export, worked out from the assortment alone.

It knows nothing of the XML's formats nor of the mapping file, so it can prove both wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.demo.assortment import Article, Assortment, Flaw, Kind, Style, Text

Values = dict[tuple[str, str | None, str | None], Any]
"""(attribute, locale, scope) → data; numbers as Decimal, lists sorted."""

LOCALES = {"de": "de_DE", "en": "en_US", "fr": "fr_FR"}
FAMILIES: dict[Kind, str] = {
    "tent": "tents",
    "backpack": "backpacks",
    "lamp": "lamps",
    "jacket": "jackets",
    "shoe": "shoes",
}
VARIANTS: dict[Kind, str] = {"jacket": "jackets_by_color_size", "shoe": "shoes_by_size"}
CATEGORIES: dict[Kind, str] = {
    "tent": "camping",
    "backpack": "travel",
    "lamp": "camping",
    "jacket": "clothing",
    "shoe": "clothing",
}
BLAMED: dict[Flaw, str] = {
    "price in words": "price",
    "unknown colour": "color",
    "impossible date": "launch_date",
    "persons in words": "persons",
    "name too long": "name",
    "unknown unit": "weight",
    "no number": "identifier",
    "unknown type": "family",
    "axes taken": "axis",
}
"""A word that the reason of the rejection must have in it, or in the attribute it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A product or product model as it should be in the PIM; `values` include the model's."""

    resource: str
    family: str
    parent: str | None
    family_variant: str | None
    enabled: bool | None
    categories: tuple[str, ...]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A record that must be rejected: its number and line in the file, and what must be blamed."""

    record: int
    line: int
    identifier: str
    blamed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What becomes of every record of the sample export."""

    records: int
    filtered: int
    accepted: dict[str, Entity]
    rejected: dict[int, Rejection]


def expectation(goods: Assortment) -> Expectation:
    """Say what becomes of each record. Records are numbered from 1, styles first."""
    styles = {style.number: style for style in goods.styles}
    accepted = {style.number: _model(style) for style in goods.styles}
    rejected: dict[int, Rejection] = {}
    filtered = 0
    first_style_line = 4
    first_article_line = first_style_line + len(styles) + 2
    for place, article in enumerate(goods.articles):
        if article.flaw == "discontinued":
            filtered += 1
        elif article.flaw:
            number = len(styles) + place + 1
            rejected[number] = Rejection(
                record=number,
                line=first_article_line + place,
                identifier="" if article.flaw == "no number" else article.number,
                blamed=BLAMED[article.flaw],
            )
        else:
            accepted[article.number] = _product(article, styles)
    return Expectation(
        records=len(styles) + len(goods.articles),
        filtered=filtered,
        accepted=accepted,
        rejected=rejected,
    )


def _model(style: Style) -> Entity:
    return Entity(
        resource="product_model",
        family=FAMILIES[style.kind],
        parent=None,
        family_variant=VARIANTS[style.kind],
        enabled=None,
        categories=(CATEGORIES[style.kind],),
        values=_style_values(style),
    )


def _product(article: Article, styles: dict[str, Style]) -> Entity:
    values = _article_values(article)
    if article.style:
        values |= _style_values(styles[article.style])
    return Entity(
        resource="product",
        family=FAMILIES[article.kind],
        parent=article.style,
        family_variant=None,
        enabled=article.active,
        categories=(CATEGORIES[article.kind],),
        values=values,
    )


def _style_values(style: Style) -> Values:
    return {
        **_text_values(style.text),
        ("materials", None, None): sorted(style.materials),
        ("launch_date", None, None): style.launched,
    }


def _article_values(article: Article) -> Values:
    values: Values = _text_values(article.text) if article.text else {}
    values["ean", None, None] = article.ean
    values["price", None, None] = sorted(article.prices.items())
    values["weight", None, None] = (Decimal(article.grams) / 1000, "KILOGRAM")
    optional: dict[str, Any] = {
        "color": article.colour,
        "size": article.size.lower() if article.size else None,
        "persons": None if article.persons is None else Decimal(article.persons),
        "volume": None if article.litres is None else (article.litres, "LITER"),
        "lumens": None if article.lumens is None else Decimal(article.lumens),
        "waterproof": article.waterproof,
        "materials": sorted(article.materials) or None,
        "launch_date": article.launched,
    }
    return values | {(n, None, None): v for n, v in optional.items() if v is not None}


def _text_values(text: Text) -> Values:
    names: Values = {("name", LOCALES[lang], None): name for lang, name in text.names.items()}
    descriptions: Values = {
        ("description", LOCALES[lang], "ecommerce"): said
        for lang, said in text.descriptions.items()
    }
    return names | descriptions
