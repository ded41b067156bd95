"""What kind of values a place holds, judged by the values first and by its name second.

A kind is what the connector itself would read: formats are tried with the converters of the
mapping, so what is proposed is what will be accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from drafting.words import CURRENCY, CURRENCY_SIGNS, concept, named, tokens, unit_of
from pim_connector.mapping.converters import Refusal, read_date
from pim_connector.mapping.language import NumberFormat
from pim_connector.mapping.numbers import read_number

Name = Literal[
    "empty", "boolean", "number", "price", "metric", "date", "image", "file", "url", "html", "text"
]

NUMBERS: tuple[dict[str, str], ...] = (
    {},
    {"decimal": ","},
    {"decimal": ".", "thousands": ","},
    {"decimal": ",", "thousands": "."},
    {"decimal": ",", "thousands": " "},
    {"decimal": ".", "thousands": " "},
    {"decimal": ".", "thousands": "'"},
)
DATES = (
    "iso",
    "dd.MM.yyyy",
    "d.M.yyyy",
    "dd/MM/yyyy",
    "MM/dd/yyyy",
    "dd-MM-yyyy",
    "yyyy/MM/dd",
    "dd.MM.yyyy HH:mm",
    "dd.MM.yyyy HH:mm:ss",
    "dd/MM/yyyy HH:mm:ss",
    "dd MMM yyyy",
    "yyyyMMdd",
    "epoch_milliseconds",
)
BOOLEANS = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("j", "n"),
    ("ja", "nein"),
    ("oui", "non"),
    ("si", "no"),
    ("ano", "ne"),
    ("tak", "nie"),
    ("да", "нет"),
    ("так", "ні"),
    ("1", "0"),
)
FLAG_WORDS = named("flags")
MONEY_WORDS = named("money")
PRICES = ("price", "preis", "prijs", "fiyat", "fiyati", "fiyatı", "цена")
"""How names written as one word begin or end: `RETAILPRICE`, `PRICEWITHVAT`."""
NOT_MONEY = named("not_money")
NAME_OF_CODE = named("codes_end")
_IMAGE = re.compile(r"\.(jpe?g|png|gif|webp|tiff?|svg|bmp)(\?.*)?$", re.IGNORECASE)
_FILE = re.compile(r"\.(pdf|docx?|xlsx?|zip|mp4|dwg|dxf|step?)(\?.*)?$", re.IGNORECASE)
_AMOUNT = re.compile(r"([^\d+\-.,]*)\s*([+-]?\d[\d.,'\u00a0\u202f ]*|[.,]\d+)\s*([^\d]*)")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value; `format` is the argument of its step, `words` units or currencies seen."""

    name: Name
    format: Any = None
    decorated: bool = False
    words: tuple[str, ...] = ()
    doubt: str | None = None


def kind_of(name: str, values: Sequence[str], *, long: bool = False, markup: bool = False) -> Kind:
    """The kind of values under a name. All of them must fit, or it is text."""
    distinct = list(dict.fromkeys(values))
    if not distinct:
        return Kind("empty")
    if markup or any(re.search(r"</?[a-zA-Z][^>]*>", value) for value in distinct):
        return Kind("html")
    if long:
        return Kind("text")
    words = frozenset(tokens(name))
    meant = concept(name)
    if meant and meant[1] and (meant[0] == "price" or meant[0].endswith("_price")):
        words |= {"price"}
    return (
        _boolean(words, distinct)
        or _media(words, distinct)
        or _date(words, distinct)
        or _number(name, words, distinct)
        or _amount(words, distinct)
        or Kind("text")
    )


def _boolean(words: frozenset[str], values: list[str]) -> Kind | None:
    said = {value.casefold() for value in values}
    flag = bool(words & FLAG_WORDS) or any(word.startswith(("is", "has")) for word in words)
    for yes, no in BOOLEANS:
        if said <= {yes, no}:
            both = len(said) == 2
            if (yes == "1" or len(yes) < 4) and not flag and (yes == "1" or not both):
                continue
            plain = yes in ("true", "1")
            written = {value.casefold(): value for value in values}
            upper = all(value.isupper() for value in values)
            form = {
                name: [written.get(word, word.upper() if upper else word)]
                for name, word in (("true", yes), ("false", no))
            }
            doubt = None if both or yes == "true" else f"only {values[0]!r} was seen"
            return Kind("boolean", None if plain else form, doubt=doubt)
    return None


def _media(words: frozenset[str], values: list[str]) -> Kind | None:
    paths = all("/" in value or re.search(r"\.\w{3,4}$", value) for value in values)
    if paths and all(_IMAGE.search(value) for value in values):
        return Kind("image")
    if all(value.startswith(("http://", "https://")) for value in values):
        if words & {"image", "img", "imgurl", "picture", "photo", "foto", "bild"}:
            return Kind("image", doubt="the addresses do not end like pictures")
        if all(_FILE.search(value) for value in values):
            return Kind("file")
        images = sum(bool(_IMAGE.search(value)) for value in values)
        return Kind("image") if images > 0.8 * len(values) else Kind("url")
    return Kind("file") if paths and all(_FILE.search(value) for value in values) else None


def _date(words: frozenset[str], values: list[str]) -> Kind | None:
    dated = any("date" in word or "datum" in word or word in ("day", "created", "updated",
                "changed", "amended", "lastupdated") for word in words)  # fmt: skip
    for pattern in DATES:
        if pattern in ("yyyyMMdd", "epoch_milliseconds") and not dated:
            continue
        if pattern.startswith("epoch") and any(len(value) < 12 for value in values):
            continue
        if not all(_is_date(value, pattern) for value in values):
            continue
        doubt = None
        if pattern == "dd/MM/yyyy" and all(_is_date(value, "MM/dd/yyyy") for value in values):
            doubt = "or MM/dd/yyyy: no day above 12 was seen"
        return Kind("date", None if pattern == "iso" else pattern, doubt=doubt)
    return None


def _is_date(text: str, pattern: str) -> bool:
    try:
        return 1900 <= read_date(text, pattern).year <= 2200
    except Refusal:
        return False


def is_money(words: frozenset[str]) -> bool:
    """Whether a name is that of an amount of money."""
    if words == {"rate", "price"}:
        return True
    said = words & MONEY_WORDS or any(
        word.startswith(PRICES) or word.endswith(PRICES) for word in words if len(word) > 6
    )
    return bool(said) and not words & NOT_MONEY


def _number(name: str, words: frozenset[str], values: list[str]) -> Kind | None:
    money = is_money(words)
    if not money and (words & NAME_OF_CODE or tokens(name)[-1:] == ("id",)):
        return None
    if any(re.match(r"0\d", value) for value in values) and not money:
        return None
    if all(re.fullmatch(r"\d{7,}", value) for value in values):
        return None
    for form in NUMBERS:
        if all(_is_number(value, form) for value in values):
            return Kind("price" if money else "number", form or None, doubt=_doubt(form, values))
    return None


def _doubt(form: dict[str, str], values: list[str]) -> str | None:
    """A separator that only ever stands before three digits may be that of thousands."""
    mark = form.get("decimal", ".")
    parts = [value.partition(mark)[2] for value in values if mark in value]
    if not form.get("thousands") and parts and all(len(part) == 3 for part in parts):
        if any(value.partition(mark)[0].lstrip("+-") in ("", "0") for value in values):
            return None
        return f"`{mark}` stands before three digits only: decimals, or thousands?"
    return None


def _is_number(text: str, form: dict[str, Any], *, decorated: bool = False) -> bool:
    try:
        read_number(text, NumberFormat(**form, decoration=decorated))
    except Refusal:
        return False
    return True


def _amount(words: frozenset[str], values: list[str]) -> Kind | None:
    """An amount with a unit, a currency or `%` in one text."""
    if is_money(words) and all(re.fullmatch(r"[\d.,]+ ?/ ?[^\W\d]+\.?", value) for value in values):
        fits = (f for f in NUMBERS if all(_is_number(v, f, decorated=True) for v in values))
        return next((Kind("price", form or None, decorated=True) for form in fits), None)
    found = [_AMOUNT.fullmatch(value) for value in values]
    if not all(found) or words & NAME_OF_CODE:
        return None
    beside = {(match[1] or match[3]).strip() for match in found if match}
    if any(match and match[1].strip() and match[3].strip() for match in found):
        return None
    forms = [f for f in NUMBERS if all(_is_number(v, f, decorated=True) for v in values)]
    if not forms:
        return None
    form, seen = forms[0], tuple(sorted(beside - {""}))
    if seen == ("%",):
        return Kind("number", form or None, decorated=True)
    if len(seen) == 1 and words & {"stock", "qty", "quantity", "balance", "bestand", "count"}:
        return Kind("number", form or None, decorated=True)
    if seen and "" not in beside:
        if all(CURRENCY.fullmatch(word) or word in CURRENCY_SIGNS for word in seen):
            return Kind("price", form or None, decorated=True, words=seen)
        behind = not any(match and match[1].strip() for match in found)
        if behind and all(unit_of(word) for word in seen):
            return Kind("metric", form or None, decorated=True, words=seen)
    return None
