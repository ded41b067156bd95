"""Reading back over the API what a case says must be in the PIM afterwards."""

import json
import re
from collections.abc import Iterator
from typing import Any

from simulators.akeneo.phpjson import elements_of
from tests.pim_vectors.comparing import TIMES, same
from tests.pim_vectors.sending import Sender

API = "/api/rest/v1"
_STANDARD = re.compile(
    r"pim_catalog\.normalizer\.standard\.(\w+)->normalize.*"
    r'findOneByIdentifier\(\[\\*"([^"\\]+)\\*"\]\)'
)
_PATHS = {
    "category": "categories",
    "channel": "channels",
    "association_type": "association-types",
    "attribute_group": "attribute-groups",
    "attribute": "attributes",
    "family": "families",
}
_PRODUCT = re.compile(
    r'^pim_catalog\.repository\.(product|product_model)->findOneByIdentifier\(\["([^"]+)"\]\)$'
)
_FIELD = re.compile(
    r"^pim_standard_format_serializer->normalize\(.*repository\.(product|product_model)"
    r'->findOneByIdentifier\(\[\\*"([^"\\]+)\\*"\]\).*"standard"\]\)((?:\[\w+\])+)$'
)
_LINKED = re.compile(
    r'repository\.product_model->findOneByIdentifier\(\["([^"]+)"\]\)'
    r'->getAssociatedProducts\(\["([^"]+)"\]\)$'
)


def unmet(sender: Sender, states: list[dict[str, Any]]) -> Iterator[str]:
    """What is not there as it must be, in words.

    Some recorded checks look where no client can (search index, history, database): they are
    passed over.
    """
    for state in states:
        if "helper" in state:
            yield from _entity(sender, state["helper"], *state["args"])
        elif isinstance(state.get("observed"), str):
            yield from _observed(sender, state)


def _get(sender: Sender, path: str) -> Any:
    headers = {"Authorization": "Bearer {{access_token:admin}}"}
    response = sender.send({"method": "GET", "path": f"{API}{path}", "headers": headers})
    return response.json() if response.status_code == 200 else None


def _filled(sender: Sender, data: Any) -> Any:
    return json.loads(sender.fill(json.dumps(data)))


def _entity(sender: Sender, helper: str, wanted: dict[str, Any], code: str) -> Iterator[str]:
    wanted, code = _filled(sender, wanted), sender.fill(code)
    match helper:
        case "assertSameProducts":
            given = _product(sender, code)
        case "assertSameProductModels":
            given = _get(sender, f"/product-models/{code}")
        case "assertSameAttributes":
            given = _get(sender, f"/attributes/{code}")
        case "assertSameFamilies":
            given = _get(sender, f"/families/{code}")
        case _:
            yield f"unknown check {helper}"
            return
    if given is None:
        yield f"{code} is not in the PIM"
        return
    if helper.startswith("assertSameProduct"):
        wanted, given = _comparable(sender, wanted), _comparable(sender, given)
    if helper == "assertSameFamilies":
        wanted, given = _sorted_lists(wanted), _sorted_lists(given)
    for key in wanted:
        if key not in TIMES and key in given and not same(wanted[key], given[key]):
            yield f"{code}: {key} is {given[key]}, not {wanted[key]}"


def _sorted_lists(data: Any) -> Any:
    """A family's attributes are sets."""
    if isinstance(data, dict):
        return {key: _sorted_lists(item) for key, item in data.items()}
    return sorted(data) if isinstance(data, list) else data


def _product(sender: Sender, code: str) -> Any:
    if code in sender.scene.pim.products:
        by_uuid = _get(sender, f"/products-uuid/{code}")
        by_uuid["identifier"] = sender.scene.pim.identifier_of(sender.scene.pim.products[code])
        return by_uuid
    return _get(sender, f"/products/{code}")


def _comparable(sender: Sender, entity: dict[str, Any]) -> dict[str, Any]:
    """Without what the recorded form and the API's form spell differently."""
    pim = sender.scene.pim

    def uuid_of(target: str) -> str:
        product = pim.product_by_identifier(target)
        return product.uuid if product is not None else target

    shown = dict(entity)
    shown["categories"] = sorted(entity["categories"])
    links = {}
    for code, kinds in dict(entity["associations"] or {}).items():
        products = kinds.get("product_uuids", [uuid_of(one) for one in kinds.get("products", [])])
        found = {
            "products": sorted(products),
            "product_models": sorted(kinds.get("product_models", [])),
            "groups": sorted(kinds.get("groups", [])),
        }
        if any(found.values()):
            links[code] = found
    shown["associations"] = links
    shown["quantified_associations"] = {
        code: {
            "products": sorted(
                (link.get("uuid") or uuid_of(link["identifier"]), link["quantity"])
                for link in kinds["products"]
            ),
            "product_models": sorted(
                (link["identifier"], link["quantity"]) for link in kinds["product_models"]
            ),
        }
        for code, kinds in dict(entity["quantified_associations"] or {}).items()
    }
    shown["values"] = {
        code: sorted((_entry(pim, code, entry) for entry in elements_of(entries)), key=str)
        for code, entries in dict(entity["values"] or {}).items()
    }
    shown.pop("family", None) if "code" in entity else None
    return shown


def _entry(pim: Any, code: str, entry: dict[str, Any]) -> list[Any]:
    is_file = pim.catalog.attributes[code].type in ("pim_catalog_file", "pim_catalog_image")
    data = "a file" if is_file else entry["data"]
    return [entry["locale"], entry["scope"], data]


def _observed(sender: Sender, state: dict[str, Any]) -> Iterator[str]:
    observed, expected = state["observed"], _filled(sender, state["expected"])
    if match := _STANDARD.search(observed):
        yield from _structure(sender, match.group(1), match.group(2), expected[0])
    elif match := _PRODUCT.match(observed):
        path = "products" if match.group(1) == "product" else "product-models"
        there = _get(sender, f"/{path}/{match.group(2)}") is not None
        wanted = state["assert"] == "assertNotNull"
        if there != wanted:
            yield f"{match.group(2)} is {'there' if there else 'not there'}"
    elif match := _FIELD.match(observed):
        yield from _field(sender, state["assert"], match, expected[0])
    elif match := _LINKED.search(observed):
        model = _get(sender, f"/product-models/{match.group(1)}")
        count = len(model["associations"][match.group(2)]["products"])
        if count != expected[0]:
            yield f"{match.group(1)} has {count} associated products, not {expected[0]}"
    elif observed == "pim_api.repository.media_file->findAll([])":
        count = len(_get(sender, "/media-files?limit=100")["_embedded"]["items"])
        if count != expected[0]:
            yield f"{count} media files, not {expected[0]}"


def _structure(sender: Sender, kind: str, code: str, wanted: Any) -> Iterator[str]:
    if kind == "attribute_option":
        attribute, _, option = code.partition(".")
        path = f"/attributes/{attribute}/options/{option}"
    elif kind == "family_variant":
        path = f"/families/{wanted['family']}/variants/{code}"
    else:
        path = f"/{_PATHS[kind]}/{code}"
    given = _get(sender, path)
    if given is None:
        yield f"{kind} {code} is not in the PIM"
        return
    for key in wanted:
        if key not in TIMES and key in given and not same(_bare(wanted[key]), _bare(given[key])):
            yield f"{kind} {code}: {key} is {given[key]}, not {wanted[key]}"


def _bare(data: Any) -> Any:
    """Without empty labels, and without the order in which the database had attributes."""
    if isinstance(data, dict):
        return {key: item for key, item in data.items() if item is not None}
    if isinstance(data, list) and data and isinstance(data[0], dict) and "axes" in data[0]:
        return [{**level, "attributes": sorted(level["attributes"])} for level in data]
    return data


def _field(sender: Sender, how: str, match: re.Match[str], wanted: Any) -> Iterator[str]:
    path = "products" if match.group(1) == "product" else "product-models"
    data = _get(sender, f"/{path}/{match.group(2)}")
    for key in re.findall(r"\[(\w+)\]", match.group(3)):
        data = data[int(key) if key.isdigit() else key]
    if how == "assertNotSame" and same(wanted, data):
        yield f"{match.group(2)}{match.group(3)} is {data!r}"
    if how == "assertSame" and not same(wanted, data):
        yield f"{match.group(2)}{match.group(3)} is {data!r}, not {wanted!r}"
