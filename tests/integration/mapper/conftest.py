from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve
from tests.integration.mapper.examples import CATALOG
from tests.integration.mapper.world import SECRET, World


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    pim = Pim(catalog=from_resources(CATALOG))
    with serve(create_app(pim)) as url:
        yield pim, url


@pytest.fixture
def world(server: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    pim, url = server
    pim.clear(from_resources(CATALOG))
    pim.accounts.connect(Connection(**SECRET))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "PimConnector")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "mapper")
    with mock_aws():
        world = World(pim, url, monkeypatch)
        yield world
        world.close()
