"""Pictures of the sample's products: into the simulated DAM, through the stack, seen in the PIM.

What the PIM should hold is worked out from the assortment alone, as for the products.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from cli.target import Target
    from local.demo.expectation import Expectation
    from pim_connector.akeneo.client import AkeneoClient

SOURCE = "demo-dam"
SOURCE_FILE = Path(__file__).with_name("dam.yaml")
FAMILY = "pictures"
COLLECTION = "pictures"
VIEWS = ("front", "side")
PRODUCTS = 20
RETRY_POLICY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One asset of the DAM, and the product it shows; `sku` None: it shows none."""

    id: str
    name: str
    title: str
    number: int
    sku: str | None

    def in_dam(self) -> dict[str, Any]:
        """Give it as an editor of the DAM would enter it."""
        tags = ["product"] if self.sku else ["brand"]
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "number": self.number,
            "tags": tags,
        }


def pictures(expected: Expectation) -> list[Picture]:
    """Make up two pictures of each of the first products, and a logo that belongs to none."""
    skus = [
        identifier
        for identifier, entity in sorted(expected.accepted.items())
        if entity.resource == "product" and entity.parent is None
    ][:PRODUCTS]
    shown = [
        Picture(
            id=f"{sku}-{view}".lower().replace("-", "_"),
            name=f"{sku}_{view}.png",
            title=f"{sku}, {view}",
            number=number,
            sku=sku,
        )
        for number, (sku, view) in enumerate(((s, v) for s in skus for v in VIEWS), start=1)
    ]
    logo = Picture(id="logo", name="logo.png", title="The shop's logo", number=0, sku=None)
    return [*shown, logo]


def fill_dam(url: str, wanted: list[Picture]) -> None:
    """Put pictures into the simulated DAM that it does not have yet."""
    there = json.loads(_ask(f"{url}/_dam/truth"))
    for picture in wanted:
        if picture.id not in there:
            _ask(f"{url}/_dam/assets", picture.in_dam())


def poll(target: Target, stack_name: str, dam: str) -> dict[str, Any]:
    """Put the source file in place and have the deployed poller ask the DAM; give its report.

    ConnectorError if the poll did not come to its end.
    """
    text = SOURCE_FILE.read_text().replace("{dam}", dam)
    target.bucket().put(f"config/dam/{SOURCE}.yaml", text.encode())
    found = target.client("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId="DamPollerFunction"
    )
    answer = target.client("lambda").invoke(
        FunctionName=found["StackResourceDetail"]["PhysicalResourceId"],
        Payload=json.dumps({"source": SOURCE}).encode(),
    )
    said = json.loads(answer["Payload"].read())
    report: dict[str, Any] = next(iter(said.get("polls", ())), said)
    if report.get("outcome") not in ("finished", "busy"):
        raise ConnectorError(f"the poll of the simulated DAM failed: {json.dumps(said)[:1000]}")
    return report


def await_arrival(client: AkeneoClient, wanted: list[Picture]) -> list[str]:
    """Wait until the PIM holds what it should; give what is still wrong when patience is out."""
    ends = time.monotonic() + RETRY_POLICY_SECONDS
    while True:
        problems = list(differences(client, wanted))
        if not problems or time.monotonic() > ends:
            return problems
        time.sleep(0.3)


def differences(client: AkeneoClient, wanted: list[Picture]) -> Iterator[str]:
    """Say every asset, value and link that is not as in the DAM."""
    assets = {asset["code"]: asset for asset in client.list_assets(FAMILY)}
    for picture in wanted:
        asset = assets.pop(picture.id, None)
        if picture.sku is None:
            if asset is not None:
                yield f"asset {picture.id} is in the PIM although it shows no product"
        elif asset is None:
            yield f"asset {picture.id} is not in the PIM"
        else:
            yield from _value_differences(picture, asset)
    yield from (f"asset {code} is in the PIM but not in the DAM" for code in assets)
    yield from _link_differences(client, wanted)


def _value_differences(picture: Picture, asset: dict[str, Any]) -> Iterator[str]:
    values = {name: rows[0]["data"] for name, rows in asset["values"].items()}
    file = str(values.pop("file", ""))
    if not file.endswith(".png"):
        yield f"asset {picture.id} has no picture: {file!r}"
    values["number"] = int(float(values.get("number", -1)))
    wanted = {"title": picture.title, "sku": picture.sku, "number": picture.number}
    ours = {name: values.get(name) for name in wanted}
    if ours != wanted:
        yield f"asset {picture.id}: the DAM says {wanted}, the PIM has {ours}"


def _link_differences(client: AkeneoClient, wanted: list[Picture]) -> Iterator[str]:
    linked: dict[str, set[str]] = {}
    for picture in wanted:
        if picture.sku:
            linked.setdefault(picture.sku, set()).add(picture.id)
    search = {"identifier": [{"operator": "IN", "value": sorted(linked)}]}
    found = {
        str(product["identifier"]): set(_collection(product))
        for product in client.list_products(search, attributes=COLLECTION)
    }
    for sku, codes in linked.items():
        if found.get(sku) != codes:
            yield f"{sku} should show {sorted(codes)}, it shows {sorted(found.get(sku, ()))}"


def _collection(product: dict[str, Any]) -> list[str]:
    return [code for row in product["values"].get(COLLECTION, ()) for code in row["data"]]


def _ask(url: str, body: dict[str, Any] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  the simulator's own address
        url, data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        read: bytes = answer.read()
    return read
