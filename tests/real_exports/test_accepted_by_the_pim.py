"""What the starters make of the project's own files is taken by a PIM of their structure."""

from __future__ import annotations

import json

import httpx
import pytest

from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve
from tests.real_exports.exports import PROJECT, Export, own_export

CASES = [
    ("bmecat12.xml", "docs/mappings/bmecat12.yaml", "industrial.json"),
    ("bmecat2005.xml", "docs/mappings/bmecat2005.yaml", "industrial.json"),
    ("ceneo.xml", "docs/mappings/ceneo.yaml", "shop.json"),
    ("google_merchant.xml", "docs/mappings/google_merchant.yaml", "shop.json"),
    ("heureka.xml", "docs/mappings/heureka.yaml", "shop.json"),
    ("heureka.xml", "docs/mappings/heureka_variants.yaml", "shop.json"),
    ("skroutz.xml", "docs/mappings/skroutz.yaml", "shop.json"),
    ("yml.xml", "docs/mappings/yml.yaml", "shop.json"),
    ("yml_epicentr.xml", "tests/data/mappings/yml_epicentr.yaml", "shop.json"),
    ("filemaker.xml", "docs/mappings/filemaker.yaml", "goods.json"),
    ("idoc_matmas.xml", "docs/mappings/idoc_matmas.yaml", "goods.json"),
    ("onix3.xml", "docs/mappings/onix3.yaml", "books.json"),
    ("prestashop.xml", "docs/mappings/prestashop.yaml", "goods.json"),
    ("shopware5.xml", "docs/mappings/shopware5.yaml", "goods.json"),
    ("spreadsheetml.xml", "docs/mappings/spreadsheetml.yaml", "goods.json"),
    ("woocommerce.xml", "docs/mappings/woocommerce.yaml", "goods.json"),
    ("onbuy.xml", "tests/data/mappings/onbuy.yaml", "shop.json"),
]
LINKS = {"associations", "quantified_associations"}
"""They lead to products that are not in the small files, which a PIM refuses."""


@pytest.mark.parametrize(("file", "mapping", "structure"), CASES)
def test_a_pim_of_the_structure_takes_every_mapped_record(
    file: str, mapping: str, structure: str
) -> None:
    made = own_export(file, mapping, structure)
    pim = Pim(catalog=from_resources(_catalog(made, structure)))
    pim.accounts.app_tokens.add("token")
    headers = {"Authorization": "Bearer token"}
    with serve(create_app(pim)) as url, httpx.Client(base_url=url, headers=headers) as client:
        answers = _sent(made, "product_model", client) + _sent(made, "product", client)
    assert answers
    assert [answer for answer in answers if answer["status_code"] != 201] == []


def _catalog(made: Export, structure: str) -> dict[str, list[dict[str, object]]]:
    """The structure with the options and categories the records want, which come before them."""
    catalog: dict[str, list[dict[str, object]]] = json.loads(
        (PROJECT / "docs/mappings" / structure).read_text()
    )
    wanted = {(o.attribute, o.code): o.labels for r in made.records for o in r.options}
    catalog["attribute_options"] = [
        {"attribute": attribute, "code": code, "labels": labels}
        for (attribute, code), labels in wanted.items()
    ]
    codes = [(record.payload or {}).get("categories") for record in made.records]
    used = {str(code) for found in codes if isinstance(found, list) for code in found}
    catalog["categories"] = [{"code": "master", "parent": None}]
    catalog["categories"] += [{"code": code, "parent": "master"} for code in sorted(used)]
    return catalog


def _sent(made: Export, resource: str, client: httpx.Client) -> list[dict[str, object]]:
    bodies = {
        record.identifier: {k: v for k, v in record.payload.items() if k not in LINKS}
        for record in made.records
        if record.resource == resource and record.payload
    }
    if not bodies:
        return []
    answer = client.patch(
        f"/api/rest/v1/{resource.replace('_', '-')}s",
        content="\n".join(json.dumps(body) for body in bodies.values()),
        headers={"Content-Type": "application/vnd.akeneo.collection+json"},
    )
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]
