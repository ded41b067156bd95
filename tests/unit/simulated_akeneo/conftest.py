"""A small PIM and a client that is logged in."""

from collections.abc import Iterator
from datetime import UTC

import httpx
import pytest

from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.editions import DEFAULT
from simulators.akeneo.limits import Limits
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve
from tests.unit.simulated_akeneo.small_pim import RESOURCES, TOKEN

CATALOG = from_resources(RESOURCES)


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Pim, httpx.Client]]:
    """One PIM on a real connection for all tests: starting and stopping takes most of a test."""
    pim = Pim(catalog=CATALOG)
    pim.accounts.connect(
        Connection(client_id="id", secret="secret", username="user", password="password")
    )
    pim.accounts.app_tokens.add(TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with serve(create_app(pim)) as url, httpx.Client(base_url=url, headers=headers) as client:
        yield pim, client


@pytest.fixture
def pim(served: tuple[Pim, httpx.Client]) -> Pim:
    """The PIM with its structure and nothing in it, and no limits or settings of other tests."""
    pim, _ = served
    pim.clear(CATALOG)
    pim.edition, pim.time_zone, pim.counters.limits = DEFAULT, UTC, Limits()
    pim.accounts.allowed.clear()
    pim.accounts.levels.clear()
    return pim


@pytest.fixture
def client(pim: Pim, served: tuple[Pim, httpx.Client]) -> httpx.Client:
    """A client of the empty PIM, with a token."""
    return served[1]
