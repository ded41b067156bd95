"""`console` and `app` of the command line: AWS rights vouch, secrets are never arguments."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from pim_connector.aws.table import Table
from pim_connector.console.extensions import WANTED, extension_secret
from pim_connector.console.sessions import OneTime, plain_code
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.editions import DEFAULT, EDITIONS
from simulators.akeneo.pim import Pim
from tests.integration.mapper.examples import CATALOG
from tests.integration.operator import MOTO, Operator
from tests.integration.shop import serving
from tests.integration.stack import credentials

KEY = "a key of the console, made for tests"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def operator(
    served: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Operator]:
    credentials(monkeypatch)
    pim, url = served
    pim.clear(from_resources(CATALOG))
    pim.extensions.by_uuid.clear()
    with mock_aws(config=MOTO), Operator.at_work(pim, url, monkeypatch, capsys) as operator:
        made = boto3.client("secretsmanager").create_secret(Name="key", SecretString=KEY)
        operator.outputs["ConsoleKey"] = made["ARN"]
        yield operator
    pim.become(DEFAULT)


def test_the_code_that_is_shown_signs_in_as_who_aws_says_one_is(operator: Operator) -> None:
    told = operator.types("console", "--json").json
    assert told["sign_in"] == f"https://console.example/sign-in?code={told['code']}"
    table = Table(operator.nights.stack.dynamodb, "StateTable")
    holds = OneTime(table, now=time.time).take("code", plain_code(told["code"]))
    assert holds is not None
    assert holds["subject"].startswith("arn:aws:")


def test_without_a_browser_the_address_and_the_code_are_shown(operator: Operator) -> None:
    said = operator.types("console", "--show").out
    assert "https://console.example/sign-in" in said
    assert "five minutes" in said
    assert "?code=" not in said


def test_the_apps_secret_is_asked_for_and_kept_beside_the_connections_words(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[bool] = []

    def asked(words: str, *, hide_input: bool = False, err: bool = False) -> str:
        hidden.append(hide_input)
        return f" {words.rsplit(maxsplit=1)[-1]} "

    monkeypatch.setattr("typer.prompt", asked)
    said = operator.types("app", "connect")
    assert "https://console.example/app/activate" in said.out
    assert "https://console.example/app/callback" in said.out
    assert hidden == [False, True], "the secret is not shown while it is typed"
    kept = secret()
    assert (kept["app_client_id"], kept["app_client_secret"]) == ("id", "secret")
    assert kept["username"]


def test_tabs_are_put_into_the_pim_and_taken_out_again(operator: Operator) -> None:
    pim = operator.nights.pim
    pim.become(EDITIONS["saas"])
    done = operator.types("app", "extend", "--json").json
    assert len(done["created"]) == len(WANTED)
    assert {each.secret for each in pim.extensions.by_uuid.values()} == {
        extension_secret(KEY.encode())
    }
    assert "0 created" in operator.types("app", "extend").out
    assert f"{len(WANTED)} taken out" in operator.types("app", "extend", "--remove").out
    assert pim.extensions.by_uuid == {}


def test_an_edition_without_extensions_is_named_and_the_wish_is_kept(operator: Operator) -> None:
    """The app asks for the right when it is opened next; then the command works."""
    said = operator.types("app", "extend")
    assert said.status == 2
    assert "SaaS" in said.err
    assert secret()["app_extensions"] == "wanted"


def secret() -> dict[str, str]:
    value = boto3.client("secretsmanager").get_secret_value(SecretId="akeneo")
    return json.loads(value["SecretString"])  # type: ignore[no-any-return]
