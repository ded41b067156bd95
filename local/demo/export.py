"""The assortment as an ERP exports it: its own words for units, types and yes, decimal commas,
dates by day first, one element per language, and the flaws of its records.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from local.demo.assortment import Article, Assortment, Style, Text

ENCODING = "utf-8"


def lines(goods: Assortment) -> Iterator[str]:
    """The file, line by line: one line per record."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<export system="WaWi 4.2" created="2026-11-20T22:00:00Z">'
    yield " <styles>"
    yield from (f"  {style_element(style)}" for style in goods.styles)
    yield " </styles>"
    yield " <articles>"
    yield from (f"  {article_element(article)}" for article in goods.articles)
    yield " </articles>"
    yield "</export>"


def export(goods: Assortment) -> bytes:
    """The whole file as bytes."""
    return "".join(f"{line}\n" for line in lines(goods)).encode(ENCODING)


def style_element(style: Style) -> str:
    """One `<style>`: what all colours and sizes of a jacket or shoe have in common."""
    inner = [*_texts(style.text), *_materials(style.materials), _launch(style.launched)]
    return _element("style", {"number": style.number, "type": style.kind.upper()}, inner)


def article_element(article: Article) -> str:
    """One `<article>`, with its flaw."""
    attributes = {
        "number": "" if article.flaw == "no number" else article.number,
        "type": "KAYAK" if article.flaw == "unknown type" else article.kind.upper(),
        "active": "J" if article.active else "N",
        "style": article.style,
        "status": "discontinued" if article.flaw == "discontinued" else None,
    }
    return _element("article", attributes, [*_common(article), *_special(article)])


def _common(article: Article) -> Iterator[str]:
    if article.text:
        yield from _texts(article.text, too_long=article.flaw == "name too long")
    yield _element("ean", {}, [article.ean])
    for currency, amount in article.prices.items():
        in_words = article.flaw == "price in words" and currency == "EUR"
        yield _element("price", {"currency": currency}, ["a.A." if in_words else _number(amount)])
    unit = "STONE" if article.flaw == "unknown unit" else "KG"
    yield _element("weight", {"unit": unit}, [_number(Decimal(article.grams) / 1000, places=3)])


def _special(article: Article) -> Iterator[str]:
    if article.colour:
        unknown = article.flaw == "unknown colour"
        yield _element("colour", {}, ["INFRARED" if unknown else article.colour.upper()])
    if article.size:
        yield _element("size", {}, [article.size])
    if article.persons is not None:
        in_words = article.flaw == "persons in words"
        yield _element("persons", {}, ["zwei" if in_words else str(article.persons)])
    if article.litres is not None:
        yield _element("volume", {"unit": "L"}, [_number(article.litres, places=1)])
    if article.lumens is not None:
        yield _element("lumens", {}, [str(article.lumens)])
    if article.waterproof is not None:
        yield _element("waterproof", {}, ["J" if article.waterproof else "N"])
    yield from _materials(article.materials)
    if article.launched:
        yield (
            "<launch>31.02.2026</launch>"
            if article.flaw == "impossible date"
            else _launch(article.launched)
        )


def _texts(text: Text, *, too_long: bool = False) -> Iterator[str]:
    for language, name in text.names.items():
        yield _element("name", {"lang": language}, [escape(name * 20 if too_long else name)])
    for language, description in text.descriptions.items():
        yield _element("description", {"lang": language}, [escape(description)])


def _materials(materials: tuple[str, ...]) -> Iterator[str]:
    for material in materials:
        yield _element("material", {}, [material.upper().replace("_", "-")])


def _launch(day: str) -> str:
    return _element("launch", {}, [".".join(reversed(day.split("-")))])


def _number(amount: Decimal, *, places: int = 2) -> str:
    """1234.5 as 1.234,50."""
    return f"{amount:,.{places}f}".translate(str.maketrans(",.", ".,"))


def _element(name: str, attributes: dict[str, str | None], inner: list[str]) -> str:
    shown = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items() if v is not None)
    return f"<{name}{shown}>{''.join(inner)}</{name}>"
