"""A stack with a mapping, a PIM, and somebody who is signed in to the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from tests.integration.console.visit import Console
from tests.integration.mapper.examples import CATALOG
from tests.integration.shop import serving
from tests.integration.stack import credentials

MAPPING = """\
version: 1
source: {exports: full, missing_products: disable, max_missing_share: 10%, reversible: true}
records:
  products:
    path: /items/item
    identifier: sku
    family: {value: shoes}
    values: {name: name, code: code}
"""


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def console(served: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    credentials(monkeypatch)
    pim, url = served
    pim.clear(from_resources(CATALOG))
    with mock_aws(), Console.open(pim, url, monkeypatch) as opened:
        opened.nights.stack.put("config/erp/shop.yaml", MAPPING)
        opened.sign_in()
        yield opened
