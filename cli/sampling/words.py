"""What names and abbreviations mean in exports of many languages: concepts, locales, units."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CAMEL = re.compile(r"[A-ZА-ЯЁІЇЄ]+(?![a-zа-яё])|[A-ZА-ЯЁІЇЄ]?[^\W\d_A-ZА-ЯЁІЇЄ]+|\d+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

CONCEPTS = {
    "name": "name title productname displayname bezeichnung nazwa nazev název название назва "
    "nombre nome nom designation descriptionshort",
    "description": "description desc beschreibung opis popis описание опис descripcion descrizione "
    "longdescription descriptionlong summary",
    "short_description": "shortdescription kurzbeschreibung",
    "brand": "brand manufacturer vendor marke hersteller producent vyrobce výrobce znacka značka "
    "бренд производитель виробник marca marque fabricante manufacturername brandname brandlabel "
    "producername производител",
    "ean": "ean ean13 gtin gtin13 barcode upc internationalpid itemlevelgtin eancode штрихкод",
    "mpn": "mpn manufacturerpid manufactureraid partnumber productno vendorcode manufacturersku "
    "herstellernummer",
    "sku": "sku articlenumber artnr artikelnummer itemnumber productnumber productcode articul",
    "price": "price preis cena pricevat priceamount unitprice saleprice cost цена ціна precio "
    "prezzo prix pricewithvat amount",
    "weight": "weight gewicht grossweight netweight hmotnost waga вес вага peso poids weightkg",
    "width": "width breite sirka šířka szerokosc szerokość ширина",
    "height": "height hoehe höhe vyska výška wysokosc wysokość высота висота",
    "length": "length laenge länge delka délka dlugosc długość длина довжина",
    "depth": "depth tiefe hloubka glebokosc głębokość глубина глибина",
    "colour": "colour color farbe barva kolor цвет колір couleur colore",
    "size": "size groesse größe velikost rozmiar размер розмір taille taglia",
    "material": "material werkstoff stoff материал матеріал materiał",
    "image": "image picture img imgurl imagelink bild foto photo imageurl mimesource imagepath",
    "url": "url link producturl href",
    "stock": "stock quantity qty stockqty instock availablestock quantityinstock bestand lager",
    "category": "category categorytext producttype group cat categoryid kategorie kategoria "
    "категория classificationcategory",
    "keywords": "keyword keywords tags",
    "country_of_origin": "countryoforigin origin country herkunftsland странапроизводитель "
    "країнавиробник",
    "material_group": "materialgroup",
    "gender": "gender pohlavi pohlaví geschlecht пол стать",
    "warranty": "warranty garantie zaruka záruka gwarancja гарантия гарантія",
    "vat_rate": "vat vatrate tax taxrate dph mwst",
}
_CONCEPT = {word: concept for concept, words in CONCEPTS.items() for word in words.split()}

LOCALES = {
    "de": "de_DE", "en": "en_US", "fr": "fr_FR", "it": "it_IT", "es": "es_ES", "nl": "nl_NL",
    "pt": "pt_PT", "pl": "pl_PL", "cs": "cs_CZ", "sk": "sk_SK", "uk": "uk_UA", "ua": "uk_UA",
    "ru": "ru_RU", "da": "da_DK", "sv": "sv_SE", "nb": "nb_NO", "no": "nb_NO", "fi": "fi_FI",
    "hu": "hu_HU", "ro": "ro_RO", "bg": "bg_BG", "el": "el_GR", "hr": "hr_HR", "sl": "sl_SI",
    "et": "et_EE", "lv": "lv_LV", "lt": "lt_LT", "tr": "tr_TR", "ar": "ar_AE", "he": "he_IL",
    "zh": "zh_CN", "ja": "ja_JP", "ko": "ko_KR", "cz": "cs_CZ",
    "deu": "de_DE", "ger": "de_DE", "eng": "en_US", "fra": "fr_FR", "fre": "fr_FR",
    "ita": "it_IT", "spa": "es_ES", "nld": "nl_NL", "dut": "nl_NL", "por": "pt_PT",
    "pol": "pl_PL", "ces": "cs_CZ", "cze": "cs_CZ", "slk": "sk_SK", "ukr": "uk_UA",
    "rus": "ru_RU", "dan": "da_DK", "swe": "sv_SE", "nor": "nb_NO", "fin": "fi_FI",
    "hun": "hu_HU", "ron": "ro_RO", "tur": "tr_TR",
    "english": "en_US", "german": "de_DE", "french": "fr_FR", "italian": "it_IT",
    "spanish": "es_ES", "dutch": "nl_NL", "polish": "pl_PL", "russian": "ru_RU",
    "deutsch": "de_DE", "englisch": "en_US", "französisch": "fr_FR",
}  # fmt: skip

UNITS = {
    "kg": "KILOGRAM", "kgm": "KILOGRAM", "кг": "KILOGRAM", "g": "GRAM", "gr": "GRAM",
    "grm": "GRAM", "г": "GRAM", "mg": "MILLIGRAM", "mgm": "MILLIGRAM", "t": "TON", "tne": "TON",
    "lb": "POUND", "lbs": "POUND", "lbr": "POUND", "pg": "POUND", "oz": "OUNCE", "onz": "OUNCE",
    "m": "METER", "mtr": "METER", "м": "METER", "cm": "CENTIMETER", "cmt": "CENTIMETER",
    "см": "CENTIMETER", "mm": "MILLIMETER", "mmt": "MILLIMETER", "мм": "MILLIMETER",
    "km": "KILOMETER", "kmt": "KILOMETER", "in": "INCH", "inh": "INCH", "ft": "FEET",
    "fot": "FEET", "l": "LITER", "ltr": "LITER", "л": "LITER", "ml": "MILLILITER",
    "mlt": "MILLILITER", "мл": "MILLILITER", "mtq": "CUBIC_METER", "m3": "CUBIC_METER",
    "m²": "SQUARE_METER", "m2": "SQUARE_METER", "mtk": "SQUARE_METER", "cm²": "SQUARE_CENTIMETER",
    "mm²": "SQUARE_MILLIMETER", "mmk": "SQUARE_MILLIMETER", "w": "WATT", "wtt": "WATT",
    "вт": "WATT", "kw": "KILOWATT", "kwt": "KILOWATT", "kwh": "KILOWATT_HOUR", "v": "VOLT",
    "vlt": "VOLT", "в": "VOLT", "kv": "KILOVOLT", "a": "AMPERE", "amp": "AMPERE",
    "ma": "MILLIAMPERE", "hz": "HERTZ", "htz": "HERTZ", "°c": "CELSIUS", "cel": "CELSIUS",
    "sec": "SECOND", "s": "SECOND", "min": "MINUTE", "h": "HOUR", "hur": "HOUR", "day": "DAY",
    "bar": "BAR", "pa": "PASCAL", "mb": "MEGABYTE", "gb": "GIGABYTE", "гб": "GIGABYTE",
    "tb": "TERABYTE", "db": "DECIBEL", "дб": "DECIBEL",
}  # fmt: skip
CURRENCY = re.compile(
    r"(EUR|USD|GBP|CHF|CZK|PLN|HUF|RON|BGN|SEK|NOK|DKK|UAH|RUB|KZT|TRY|JPY|CNY|CAD|AUD|AED|SAR|INR|BRL)"
)
CURRENCY_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "Kč": "CZK", "zł": "PLN", "₴": "UAH",
                  "грн": "UAH", "грн.": "UAH", "руб": "RUB", "руб.": "RUB", "₽": "RUB",
                  "RUR": "RUB", "TL": "TRY", "₺": "TRY"}  # fmt: skip


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


@lru_cache(maxsize=4096)
def concept(name: str) -> tuple[str, bool] | None:
    """What the name stands for, in the English of most catalogues; None: nothing known.

    The whole name counts, then its last word (`rsp_price` is some price), numbers left out; the
    second part of the answer says whether it was the whole name.
    """
    words = [word for word in tokens(name) if not word.isdigit()]
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
