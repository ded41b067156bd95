"""A shop's exports, its mapping and its PIM, for tests of what happens from night to night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto import mock_aws

from pim_connector.sync.runs import Run
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve
from tests.integration.mapper.examples import CATALOG
from tests.integration.nightly import Nights
from tests.integration.stack import credentials

MAPPING = """
version: 1
records:
  products:
    path: /items/item
    identifier: sku
    family: {value: shoes}
    values: {name: name, code: code}
"""


@contextmanager
def serving() -> Iterator[tuple[Pim, str]]:
    """The simulated PIM, and its address."""
    pim = Pim(catalog=from_resources(CATALOG))
    with serve(create_app(pim)) as url:
        yield pim, url


@contextmanager
def shop_nights(
    server: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch, mapping: str
) -> Iterator[Nights]:
    """A deployed stack with the mapping in place, before an empty PIM."""
    credentials(monkeypatch)
    pim, url = server
    pim.clear(from_resources(CATALOG))
    with mock_aws(), Nights.begin(pim, url, monkeypatch) as nights:
        nights.stack.put("config/erp/shop.yaml", mapping)
        yield nights


def item(number: int, code: str = "abc", name: str = "Boot") -> str:
    return f"<item><sku>p{number}</sku><name>{name} {number}</name><code>{code}</code></item>"


def export(*items: str) -> str:
    return f"<items>{''.join(items)}</items>"


def value(nights: Nights, identifier: str, attribute: str) -> Any:
    product = nights.pim.product_by_identifier(identifier)
    if product is None:
        return None
    return {code: data for (code, _, _), data in product.values.items()}.get(attribute)


def counts(run: Run) -> dict[str, int]:
    return {str(state): number for state, number in run.counts.items() if number}
