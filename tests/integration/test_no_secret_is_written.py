"""The witness of every integration test sees what it is there for."""

from __future__ import annotations

import json
import logging
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.integration.conftest import Witness
from tests.integration.stack import credentials

SECRET = "a-secret-of-somebody"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Any:
    credentials(monkeypatch)
    with mock_aws():
        boto3.client("secretsmanager").create_secret(
            Name="secret", SecretString=json.dumps({"password": SECRET, "username": "somebody"})
        )
        s3 = boto3.client("s3")
        region: Any = {"LocationConstraint": "eu-central-1"}
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=region)
        yield s3


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("name", ["pim_connector.aws.bucket", "httpx.of.somebody"])
def test_a_secret_in_a_line_of_the_log_is_seen(witness: Witness, name: str) -> None:
    logging.getLogger(name).error("refused: %s", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger(name).exception("crashed")

    assert len(list(witness.leaks())) >= 2
    witness.written.clear()


def test_a_secret_in_a_report_is_seen(witness: Witness, bucket: Any) -> None:
    bucket.put_object(Bucket="bucket", Key="reports/x", Body=f"<p>{SECRET}</p>".encode())

    [leak] = witness.leaks()
    assert leak.startswith(SECRET)
    witness.written.clear()


def test_what_is_no_secret_is_not_taken_for_one(witness: Witness, bucket: Any) -> None:
    bucket.put_object(Bucket="bucket", Key="reports/x", Body=b"somebody")

    assert witness.secrets == {SECRET}
    assert not list(witness.leaks())


def test_libraries_that_log_addresses_are_quiet_at_the_level_of_lambda() -> None:
    for name in ("httpx", "httpcore", "botocore", "urllib3"):
        assert not logging.getLogger(f"{name}.client").isEnabledFor(logging.INFO)
