"""A small PIM's structure, and calls to it."""

import json
from typing import Any

import httpx

API = "/api/rest/v1"
COLLECTION = {"Content-Type": "application/vnd.akeneo.collection+json"}
TOKEN = "an-app-token"

RESOURCES: dict[str, Any] = {
    "channels": [
        {"code": "shop", "locales": ["en_US", "de_DE"], "currencies": ["EUR", "USD"]},
        {"code": "print", "locales": ["de_DE"], "currencies": ["EUR"]},
    ],
    "locales": [{"code": code} for code in ("en_US", "de_DE", "fr_FR")],
    "categories": [{"code": "tools"}, {"code": "drills", "parent": "tools"}],
    "association_types": [
        {"code": "RELATED"},
        {"code": "TWIN", "is_two_way": True},
        {"code": "SET", "is_quantified": True},
    ],
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "ean", "type": "pim_catalog_text", "unique": True},
        {"code": "name", "type": "pim_catalog_text", "localizable": True},
        {"code": "text", "type": "pim_catalog_textarea", "localizable": True, "scopable": True},
        {"code": "price", "type": "pim_catalog_price_collection", "decimals_allowed": True},
        {
            "code": "weight",
            "type": "pim_catalog_metric",
            "metric_family": "Weight",
            "decimals_allowed": True,
            "negative_allowed": False,
        },
        {"code": "day", "type": "pim_catalog_date"},
        {"code": "pieces", "type": "pim_catalog_number", "decimals_allowed": False},
        {"code": "colour", "type": "pim_catalog_simpleselect"},
        {"code": "uses", "type": "pim_catalog_multiselect"},
        {"code": "cordless", "type": "pim_catalog_boolean"},
        {"code": "picture", "type": "pim_catalog_image", "allowed_extensions": ["png"]},
        {
            "code": "pictures",
            "type": "pim_catalog_asset_collection",
            "reference_data_name": "packshots",
        },
    ],
    "attribute_options": [
        {"attribute": "colour", "code": "Red", "labels": {"en_US": "Red"}},
        {"attribute": "colour", "code": "blue"},
        {"attribute": "uses", "code": "wood"},
        {"attribute": "uses", "code": "stone"},
    ],
    "families": [
        {
            "code": "drill",
            "attributes": ["sku", "ean", "name", "text", "price", "weight", "colour", "cordless"],
        }
    ],
    "family_variants": [
        {
            "code": "drill_by_colour",
            "family": "drill",
            "variant_attribute_sets": [
                {"level": 1, "axes": ["colour"], "attributes": ["colour", "weight", "sku"]}
            ],
        }
    ],
    "asset_families": [{"code": "packshots"}],
    "asset_attributes": {
        "packshots": [
            {"code": "label", "type": "text", "value_per_locale": True},
            {"code": "link", "type": "media_link", "prefix": "https://dam.example/"},
            {"code": "file", "type": "media_file", "allowed_extensions": ["png"]},
            {"code": "tags", "type": "multiple_options"},
            {"code": "for_sku", "type": "text"},
        ]
    },
    "asset_attribute_options": [
        {"asset_family": "packshots", "attribute": "tags", "code": "front"}
    ],
}


def patch(client: httpx.Client, path: str, *bodies: Any) -> list[dict[str, Any]]:
    """A list call with these lines; the answer's lines."""
    content = "\n".join(json.dumps(body) for body in bodies)
    response = client.patch(f"{API}{path}", content=content, headers=COLLECTION)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.split("\n")]


def get(client: httpx.Client, path: str) -> Any:
    """The JSON behind a path."""
    response = client.get(f"{API}{path}")
    assert response.status_code == 200, response.text
    return response.json()


def value(data: Any, *, locale: str | None = None, scope: str | None = None) -> list[Any]:
    """The value list of one attribute."""
    return [{"locale": locale, "scope": scope, "data": data}]
