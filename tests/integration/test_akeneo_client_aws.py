"""Credentials from Secrets Manager, and a token shared through DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from pim_connector.akeneo import AppToken, ConnectionCredentials, read_credentials
from pim_connector.akeneo.auth import DynamoDbTokenStore, Token
from pim_connector.errors import ConfigurationError
from tests.unit.akeneo.pim import Pim, products

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

REGION = "eu-central-1"
TABLE = "state"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


@pytest.fixture
def secrets(aws: None) -> SecretsManagerClient:
    return boto3.client("secretsmanager", region_name=REGION)


@pytest.fixture
def dynamodb(aws: None) -> DynamoDBClient:
    client = boto3.client("dynamodb", region_name=REGION)
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def token(name: str, refresh: str | None = "r") -> Token:
    return Token(access_token=name, refresh_token=refresh, issued_at=1000.25, expires_at=4600.5)


def test_a_secret_holds_a_connection_or_an_app_token(secrets: SecretsManagerClient) -> None:
    words = {"client_id": "a", "secret": "b", "username": "c", "password": "d"}
    secrets.create_secret(Name="connection", SecretString=json.dumps(words))
    secrets.create_secret(Name="app", SecretString='{"app_token": "t"}')
    assert read_credentials(secrets, "connection") == ConnectionCredentials(**words)
    assert read_credentials(secrets, "app") == AppToken(token="t")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read: ResourceNotFoundException"),
        ("s3cret", "is not a JSON object"),
        ('["s3cret"]', "is not a JSON object"),
        ('{"client_id": "a", "secret": "s3cret"}', "lacks username, password"),
    ],
)
def test_a_secret_that_is_not_as_expected_says_so_and_shows_nothing(
    secrets: SecretsManagerClient, text: str | None, words: str
) -> None:
    if text is not None:
        secrets.create_secret(Name="pim", SecretString=text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_credentials(secrets, "pim")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None or "s3cret" not in repr(caught.value.__context__)


def test_a_token_comes_back_as_it_was_kept(dynamodb: DynamoDBClient) -> None:
    store = DynamoDbTokenStore(dynamodb, TABLE, "products")
    assert store.load() is None
    for kept in (token("a"), token("a", refresh=None)):
        store.save(kept, replaces=store.load())
        assert store.load() == kept
    assert DynamoDbTokenStore(dynamodb, TABLE, "assets").load() is None


def test_of_two_workers_that_renew_the_slower_takes_the_others_token(
    dynamodb: DynamoDBClient,
) -> None:
    store = DynamoDbTokenStore(dynamodb, TABLE, "products")
    assert store.save(token("first"), replaces=None) == token("first")
    assert store.save(token("late"), replaces=None) == token("first")
    assert store.save(token("second"), replaces=token("first")) == token("second")
    assert store.save(token("late"), replaces=token("first")) == token("second")
    assert store.load() == token("second")


def test_a_table_that_is_not_there_is_a_matter_of_configuration(aws: None) -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    store = DynamoDbTokenStore(client, "nowhere", "products")
    with pytest.raises(ConfigurationError, match="nowhere"):
        store.load()
    with pytest.raises(ConfigurationError, match="nowhere"):
        store.save(token("a"), replaces=None)


def test_workers_share_one_password_grant_and_one_renewal(dynamodb: DynamoDBClient) -> None:
    pim = Pim()
    workers = [
        pim.client(token_store=DynamoDbTokenStore(dynamodb, TABLE, "products")) for _ in range(3)
    ]
    for worker in workers:
        worker.upsert_products(products(1))
    assert pim.grants == ["password"]
    pim.clock.time += 3000
    for worker in workers:
        worker.upsert_products(products(1))
    assert pim.grants == ["password", "refresh_token"]
