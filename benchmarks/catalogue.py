"""The export that the benchmarks read: made up, always the same, with 12 attributes or more.

A record of 12 attributes has about 600 bytes. What the PIM has to hold in the end follows from the
same facts without the connector, so that what arrived can be compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

BASE_ATTRIBUTES: Final = 12
CHANGED_EVERY: Final = 100
"""In later nights each hundredth product costs one euro more than the night before."""
_FURTHER: Final = ("text", "text", "number", "simpleselect", "boolean", "metric")
_BRANDS, _COLORS, _MONTHS, _CODES = 50, 20, 9, 10

_RECORD = (
    '<product sku="SKU-{n:07d}"><name lang="de">Schönes Produkt {n}</name>'
    '<name lang="en">Beautiful product {n}</name><description><![CDATA[<p>Text about product {n}, '
    "as long as such texts are wont to be in exports of this kind, which is to say not very "
    "long</p>]]></description><ean>40{n:011d}</ean><brand>Brand {brand}</brand>"
    '<color>Color {color}</color><price currency="EUR">{price},50</price>'
    '<weight unit="KGM">{brand}.125</weight><height unit="MMT">{price}</height>'
    "<launched>20240{month}15</launched><discontinued>{yes}</discontinued><stock>{color}</stock>"
    "<keywords>a;b;k{month}</keywords>{further}</product>\n"
)
_MAPPING = """
version: 1
maps: {units: {KGM: KILOGRAM, MMT: MILLIMETER}, languages: {de: de_DE, en: en_US}}
records:
  product:
    path: /catalog/product
    identifier: "@sku"
    family: things
    values:
      name: {each: name, from: ., locale: {from: "@lang", steps: [{map: languages}]}}
      description: {from: description, type: textarea}
      ean: ean
      brand: {from: brand, type: simple_select, steps: [code]}
      color: {from: color, type: simple_select, steps: [code], options: create}
      price: {from: price, currency: {from: price/@currency}, steps: [{number: {decimal: ","}}]}
      weight: {from: weight, unit: {from: weight/@unit, steps: [{map: units}]}}
      height: {from: height, unit: {from: height/@unit, steps: [{map: units}]}}
      launched: {from: launched, type: date, steps: [{date: yyyyMMdd}]}
      discontinued: {from: discontinued, type: boolean, steps: [{boolean: {true: [Y], false: [N]}}]}
      stock: {from: stock, type: number}
      keywords: {from: keywords, type: multi_select, steps: [{split: ";"}]}
"""


def mapping(attributes: int = BASE_ATTRIBUTES) -> str:
    """Give the mapping file for records with so many attributes."""
    lines = [f"      {_name(k)}: {_rule(k)}\n" for k in _further(attributes)]
    return _MAPPING + "".join(lines)


def _rule(k: int) -> str:
    name, kind = _name(k), _kind(k)
    if kind == "metric":
        return f"{{from: {name}, unit: {{from: {name}/@unit, steps: [{{map: units}}]}}}}"
    if kind == "boolean":
        return f"{{from: {name}, type: boolean, steps: [{{boolean: {{true: [Y], false: [N]}}}}]}}"
    if kind == "simpleselect":
        return f"{{from: {name}, type: simple_select, steps: [code]}}"
    return f"{{from: {name}, type: {kind}}}"


def write_export(
    path: Path, records: int, *, attributes: int = BASE_ATTRIBUTES, night: int = 1
) -> None:
    """Write the export of a night; of the second night on, one product in 100 has changed."""
    with path.open("w", encoding="utf-8") as file:
        file.write("<catalog>\n")
        file.writelines(record(n, attributes=attributes, night=night) for n in range(records))
        file.write("</catalog>\n")


def record(n: int, *, attributes: int = BASE_ATTRIBUTES, night: int = 1) -> str:
    """Give one record as XML on a line."""
    facts = _facts(n, night)
    yes = "Y" if facts["discontinued"] else "N"
    further = "".join(_element(n, k) for k in _further(attributes))
    return _RECORD.format(n=n, yes=yes, further=further, **facts)


def _element(n: int, k: int) -> str:
    name, kind = _name(k), _kind(k)
    if kind == "metric":
        return f'<{name} unit="KGM">{_number(n, k)}.5</{name}>'
    texts = {
        "text": f"Text {k} of product {n}",
        "number": str(_number(n, k)),
        "simpleselect": f"Code {_number(n, k) % _CODES}",
        "boolean": "Y" if (n + k) % 2 else "N",
    }
    return f"<{name}>{texts[kind]}</{name}>"


def products(records: int, *, attributes: int = BASE_ATTRIBUTES, night: int = 1) -> Iterator[Json]:
    """Give the products that the PIM has to hold after a night, as bodies of a PATCH."""
    for n in range(records):
        facts = _facts(n, night)
        text = (
            f"<p>Text about product {n}, as long as such texts are wont to be in exports of this "
            "kind, which is to say not very long</p>"
        )
        values = {
            "name": [
                _value(f"Schönes Produkt {n}", "de_DE"),
                _value(f"Beautiful product {n}", "en_US"),
            ],
            "description": [_value(text)],
            "ean": [_value(f"40{n:011d}")],
            "brand": [_value(f"brand_{facts['brand']}")],
            "color": [_value(f"color_{facts['color']}")],
            "price": [_value([{"amount": f"{facts['price']}.50", "currency": "EUR"}])],
            "weight": [_value({"amount": f"{facts['brand']}.125", "unit": "KILOGRAM"})],
            "height": [_value({"amount": str(facts["price"]), "unit": "MILLIMETER"})],
            "launched": [_value(f"2024-0{facts['month']}-15")],
            "discontinued": [_value(facts["discontinued"])],
            "stock": [_value(facts["color"])],
            "keywords": [_value(["a", "b", f"k{facts['month']}"])],
            **{_name(k): [_value(_further_data(n, k))] for k in _further(attributes)},
        }
        yield {"identifier": f"SKU-{n:07d}", "family": "things", "values": values}


def _further_data(n: int, k: int) -> Any:
    data: dict[str, Any] = {
        "text": f"Text {k} of product {n}",
        "number": _number(n, k),
        "simpleselect": f"code_{_number(n, k) % _CODES}",
        "boolean": bool((n + k) % 2),
        "metric": {"amount": f"{_number(n, k)}.5", "unit": "KILOGRAM"},
    }
    return data[_kind(k)]


def structure(attributes: int = BASE_ATTRIBUTES) -> Json:
    """Give the PIM's structure as the REST API's own objects, with all options there."""
    selects = {
        "brand": [f"brand_{n}" for n in range(_BRANDS)],
        "color": [f"color_{n}" for n in range(_COLORS)],
        "keywords": ["a", "b", *(f"k{n}" for n in range(1, _MONTHS + 1))],
    }
    rows = [
        _attribute("sku", "identifier", unique=True),
        _attribute("name", "text", localizable=True),
        _attribute("description", "textarea"),
        _attribute("ean", "text"),
        _attribute("brand", "simpleselect"),
        _attribute("color", "simpleselect"),
        _attribute("price", "price_collection", decimals_allowed=True),
        _metric("weight", "Weight", "KILOGRAM"),
        _metric("height", "Length", "MILLIMETER"),
        _attribute("launched", "date"),
        _attribute("discontinued", "boolean"),
        _attribute("stock", "number", decimals_allowed=False, negative_allowed=False),
        _attribute("keywords", "multiselect"),
    ]
    for k in _further(attributes):
        name, kind = _name(k), _kind(k)
        if kind == "metric":
            rows.append(_metric(name, "Weight", "KILOGRAM"))
        elif kind == "number":
            rows.append(_attribute(name, kind, decimals_allowed=False, negative_allowed=False))
        else:
            rows.append(_attribute(name, kind))
        if kind == "simpleselect":
            selects[name] = [f"code_{n}" for n in range(_CODES)]
    locales = ["de_DE", "en_US"]
    channel = {
        "code": "shop",
        "labels": {},
        "currencies": ["EUR"],
        "locales": locales,
        "category_tree": "all",
        "conversion_units": {},
    }
    family = {
        "code": "things",
        "attributes": [row["code"] for row in rows],
        "attribute_as_label": "name",
        "attribute_requirements": {"shop": ["sku"]},
        "labels": {},
    }
    return {
        "locales": [{"code": code, "enabled": True} for code in locales],
        "currencies": [{"code": "EUR", "enabled": True}],
        "channels": [channel],
        "categories": [{"code": "all", "parent": None, "labels": {}}],
        "attribute_groups": [{"code": "other", "sort_order": 1, "labels": {}}],
        "attributes": rows,
        "attribute_options": [
            {"code": code, "attribute": attribute, "sort_order": 1, "labels": {}}
            for attribute, codes in selects.items()
            for code in codes
        ],
        "families": [family],
        "family_variants": [],
    }


def _facts(n: int, night: int) -> dict[str, Any]:
    raised = night - 1 if n % CHANGED_EVERY == 7 else 0
    return {
        "brand": n % _BRANDS,
        "color": n % _COLORS,
        "price": n % 900 + raised,
        "month": n % _MONTHS + 1,
        "discontinued": n % 3 != 0,
    }


def _further(attributes: int) -> range:
    return range(BASE_ATTRIBUTES + 1, attributes + 1)


def _name(k: int) -> str:
    return f"feature_{k}"


def _kind(k: int) -> str:
    return _FURTHER[k % len(_FURTHER)]


def _number(n: int, k: int) -> int:
    return (n * 7 + k) % 1_000


def _value(data: Any, locale: str | None = None) -> Json:
    return {"locale": locale, "scope": None, "data": data}


def _attribute(code: str, kind: str, **more: Any) -> Json:
    plain = {"group": "other", "localizable": False, "scopable": False, "unique": False}
    return {"code": code, "type": f"pim_catalog_{kind}", "labels": {}, **plain, **more}


def _metric(code: str, family: str, unit: str) -> Json:
    return _attribute(
        code,
        "metric",
        metric_family=family,
        default_metric_unit=unit,
        decimals_allowed=True,
        negative_allowed=False,
    )
