"""What names and abbreviations mean in exports of many languages: concepts, locales, units."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from pim_connector.mapping.loading import load_yaml

_CAMEL = re.compile(r"[A-ZА-ЯЁІЇЄ]+(?![a-zа-яё])|[A-ZА-ЯЁІЇЄ]?[^\W\d_A-ZА-ЯЁІЇЄ]+|\d+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

_DATA: Any = load_yaml(Path(__file__).with_name("words.yaml").read_bytes())[0]


def _turned(section: str) -> dict[str, str]:
    """Word → what it is listed under."""
    found: dict[str, Any] = _DATA[section]
    return {word: key for key, words in found.items() for word in words.split()}


_CONCEPT = _turned("concepts")
LOCALES = _turned("locales")
UNITS = _turned("units")
CURRENCY = re.compile("|".join(_DATA["currencies"].split()))
CURRENCY_SIGNS = _turned("currency_signs")


def named(what: str) -> frozenset[str]:
    """The names that `words.yaml` lists for something, each written as one word."""
    return frozenset(_DATA["names"][what].split())


def squashed(name: str) -> str:
    """A name as one word: PRICE_CURRENCY is pricecurrency."""
    return "".join(tokens(name))


def words_of(text: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(text.split())


def plain(name: str) -> str:
    """A name as people wrote it: Access and SQL Server write `Unit_x0020_Price` for Unit Price."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


@lru_cache(maxsize=4096)
def tokens(name: str) -> tuple[str, ...]:
    """A name's words in lower case: `imageLink_2` is image, link, 2."""
    return tuple(word.lower() for word in _CAMEL.findall(plain(name)))


def unprefixed(name: str) -> str:
    """A name without the letter for its type in front: `cArtNr`, `fVKNetto`, `kArtikel`."""
    return name[1:] if re.match(r"[a-z][A-Z]", name) else name


@lru_cache(maxsize=4096)
def concept(name: str) -> tuple[str, bool] | None:
    """What the name stands for, in the English of most catalogues; None: nothing known.

    The whole name counts, then its last word (`rsp_price` is some price), numbers left out; the
    second part of the answer says whether it was the whole name.
    """
    words = [word for word in tokens(unprefixed(name)) if not word.isdigit()]
    whole = _CONCEPT.get("".join(words))
    if whole:
        return whole, True
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", "".join(words)) if not unicodedata.combining(c)
    )
    if plain in _CONCEPT:
        return _CONCEPT[plain], True
    last = _CONCEPT.get(words[-1]) if words else None
    return (last, False) if last else None


def locale_of(word: str) -> str | None:
    """The locale that a language code of a file means: `DE`, `deu`, `en-GB`, `ua`."""
    language, _, country = word.strip().replace("-", "_").partition("_")
    found = LOCALES.get(language.lower())
    if found and country and len(country) == 2 and country.isalpha():
        return f"{found[:2]}_{country.upper()}"
    return found if not country else None


def unit_of(word: str) -> str | None:
    """The unit code of the PIM's standard families: `KGM` and `kg` are KILOGRAM."""
    return UNITS.get(word.strip().rstrip(".").lower())
