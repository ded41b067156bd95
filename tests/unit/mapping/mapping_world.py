"""What the tests of the mapping share: one product, a few lines of a rule, a small PIM."""

from __future__ import annotations

from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.results import Filtered, Json, Mapped, Rejected
from tests.unit.erp.reading_world import compiled_mapping_of, records_of


def mapping_of(rule: str, top: str = "") -> str:
    """A mapping whose only rule holds these lines."""
    inside = "".join(f"    {line}\n" for line in rule.strip().splitlines())
    return (
        f"version: 1\n{top}\nrecords:\n  product:\n    path: /catalog/product\n"
        f'    identifier: "@sku"\n{inside}'
    )


def mapped_by(
    product: str, rule: str, *, top: str = "", structure: Structure | None = None
) -> Mapped | Filtered | Rejected:
    """What one product becomes; `product` is what stands inside <product sku="1">."""
    mapping = mapping_of(rule, top)
    (record,) = records_of(f'<catalog><product sku="1">{product}</product></catalog>', mapping)
    return compiled_mapping_of(mapping).map(record, structure)


def slots_by(
    product: str, rule: str, *, top: str = "", structure: Structure | None = None
) -> dict[tuple[str, ...], Json]:
    result = mapped_by(product, rule, top=top, structure=structure)
    assert isinstance(result, Mapped), result
    return {slot.key: slot.data for slot in result.slots}


def value_by(product: str, rule: str, *, top: str = "", structure: Structure | None = None) -> Json:
    """The data of the attribute `a`, of one value."""
    (data,) = slots_by(product, f"values: {{a: {rule}}}", top=top, structure=structure).values()
    return data


def errors_by(
    product: str, rule: str, *, top: str = "", structure: Structure | None = None
) -> list[str]:
    result = mapped_by(product, rule, top=top, structure=structure)
    assert isinstance(result, Rejected), result
    return [f"{error.attribute}: {error.message}" for error in result.errors]


def attribute(code: str, kind: str, **more: object) -> dict[str, object]:
    return {"code": code, "type": f"pim_catalog_{kind}", **more}


PIM = Structure.from_catalog(
    {
        "attributes": [
            attribute("sku", "identifier"),
            attribute("name", "text", localizable=True, max_characters=20),
            attribute("short", "text", localizable=True, scopable=True),
            attribute("body", "textarea"),
            attribute("stock", "number", decimals_allowed=False),
            attribute("ratio", "number", decimals_allowed=True, number_max="10"),
            attribute("price", "price_collection", decimals_allowed=True),
            attribute("web_price", "price_collection", decimals_allowed=True, scopable=True),
            attribute("weight", "metric", metric_family="Weight", decimals_allowed=True),
            attribute("colour", "simpleselect"),
            attribute("tags", "multiselect"),
            attribute("day", "date", date_min="2000-01-01"),
            attribute("on", "boolean"),
            attribute("law", "text", localizable=True, available_locales=["de_DE"]),
        ],
        "attribute_options": [
            {"code": "red", "attribute": "colour"},
            {"code": "Blue", "attribute": "colour"},
        ],
        "channels": [
            {"code": "web", "locales": ["de_DE", "en_US"], "currencies": ["EUR"]},
            {"code": "print", "locales": ["de_DE"], "currencies": ["EUR", "CHF"]},
        ],
        "measurement_families": [{"code": "Weight", "units": {"GRAM": {"code": "GRAM"}}}],
        "families": [{"code": "clothing"}],
        "association_types": [
            {"code": "UPSELL"},
            {"code": "SET", "is_quantified": True},
        ],
    }
)
