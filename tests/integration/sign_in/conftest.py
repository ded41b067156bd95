"""A stack's tables and secret in emulated AWS, a clock that tests move, and the door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest
from moto import mock_aws

from simulators.akeneo.app import create_app
from simulators.akeneo.apps import App
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve
from tests.integration.sign_in.browser import Browser, console
from tests.integration.sign_in.house import KEY, START, Clock, House


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def house(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        table(dynamodb, "StateTable", "pk")
        table(dynamodb, "RunTable", "pk", "sk")
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="akeneo", SecretString=json.dumps({"username": "erp"}))
        yield House(clock=clock, key=KEY)


def table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
    )


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Pim, str]]:
    pim = Pim(catalog=from_resources({}))
    with serve(create_app(pim)) as url:
        yield pim, url


@pytest.fixture
def pim(served: tuple[Pim, str], clock: Clock) -> Pim:
    """The PIM, its apps as new and on the test's clock."""
    pim, _ = served
    pim.apps.apps.clear()
    pim.extensions.by_uuid.clear()
    pim.now = lambda: datetime.fromtimestamp(clock.at, UTC)
    pim.apps.now = pim.now
    return pim


@pytest.fixture
def app(pim: Pim, house: House, served: tuple[Pim, str]) -> App:
    """The app as somebody created it in the PIM, and entered here."""
    house.pim_url = served[1]
    app = pim.apps.create("Connector", console("/app/activate"), console("/app/callback"))
    house.app.keep_app(app.client_id, app.secret)
    return app


@pytest.fixture
def new_browser(house: House, served: tuple[Pim, str]) -> Iterator[Callable[[], Browser]]:
    clients: list[httpx.Client] = []

    def new() -> Browser:
        clients.append(httpx.Client(base_url=served[1]))
        return Browser(house=house, pim=clients[-1])

    yield new
    for client in clients:
        client.close()


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    return new_browser()
