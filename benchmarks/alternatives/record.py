"""Makes a product of a record, by hand, as a script does that knows its export and its PIM."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import xmltodict
from lxml import etree

LANGUAGES = {"de": "de_DE", "en": "en_US"}
UNITS = {"KGM": "KILOGRAM", "MMT": "MILLIMETER"}
CREDENTIALS = {
    name: os.environ.get(f"AKENEO_{name.upper()}", f"simulator-{default}")
    for name, default in (
        ("client_id", "client"),
        ("secret", "secret"),
        ("username", "user"),
        ("password", "password"),
    )
}


def records(path: str) -> Iterator[dict[str, Any]]:
    """Read record by record, in little memory."""
    for _, element in etree.iterparse(path, tag="product"):
        yield xmltodict.parse(etree.tostring(element, with_tail=False))["product"]
        element.clear()


def hundreds(path: str) -> Iterator[tuple[dict[str, Any], ...]]:
    """Products, as many as a call takes."""
    found = map(product, records(path))
    return iter(lambda: tuple(islice(found, 100)), ())


def product(record: dict[str, Any]) -> dict[str, Any]:
    """The body of a PATCH."""
    day = record["launched"]
    price = record["price"]
    return {
        "identifier": record["@sku"],
        "family": "things",
        "values": {
            "name": [value(name["#text"], LANGUAGES[name["@lang"]]) for name in record["name"]],
            "description": [value(record["description"])],
            "ean": [value(record["ean"])],
            "brand": [value(code(record["brand"]))],
            "color": [value(code(record["color"]))],
            "price": [
                value(
                    [
                        {
                            "amount": price["#text"].replace(",", "."),
                            "currency": price["@currency"],
                        }
                    ]
                )
            ],
            "weight": [value(measure(record["weight"]))],
            "height": [value(measure(record["height"]))],
            "launched": [value(f"{day[:4]}-{day[4:6]}-{day[6:]}")],
            "discontinued": [value(record["discontinued"] == "Y")],
            "stock": [value(int(record["stock"]))],
            "keywords": [value(record["keywords"].split(";"))],
        },
    }


def value(data: Any, locale: str | None = None) -> dict[str, Any]:
    return {"locale": locale, "scope": None, "data": data}


def code(text: str) -> str:
    return text.lower().replace(" ", "_")


def measure(found: dict[str, str]) -> dict[str, str]:
    return {"amount": found["#text"], "unit": UNITS[found["@unit"]]}
