"""What DAM sources are told of their files and secrets, and how soon a change counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pim_connector.aws.bucket import Bucket
from pim_connector.dam.loading import KEEP_SECONDS, SourceFiles
from pim_connector.errors import ConfigurationError
from tests.integration.stack import credentials

SOURCE = """source: dam
base_url: https://dam.example.com
secret: stack/dam/key
list:
  path: /files
  mode: full
  pagination: {kind: page}
  params: {page: "{{page}}", limit: "{{limit}}"}
"""


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    credentials(monkeypatch)
    with mock_aws():
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="stack/dam/key", SecretString='{"key": "before-rotation"}')
        region: Any = {"LocationConstraint": "eu-central-1"}
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=region)
        s3.put_object(Bucket="bucket", Key="config/dam/dam.yaml", Body=SOURCE.encode())
        yield secrets


def test_a_rotated_secret_counts_within_a_minute_without_a_deployment(secrets: Any) -> None:
    time = [1_000.0]
    files = SourceFiles(Bucket(boto3.client("s3"), "bucket"), secrets, now=lambda: time[0])
    before = files.get("dam")
    rotated = json.dumps({"key": "after-rotation"})
    secrets.put_secret_value(SecretId="stack/dam/key", SecretString=rotated)
    at_once = files.get("dam")
    time[0] += KEEP_SECONDS
    later = files.get("dam")

    assert before is not None
    assert before is at_once
    assert before.secret == {"key": "before-rotation"}
    assert later is not None
    assert later.secret == {"key": "after-rotation"}


@pytest.mark.parametrize("text", ["not-json-at-all", '["a-list-of-it"]', '"only-a-text"'])
def test_a_secret_that_is_no_object_is_not_repeated_in_the_error(secrets: Any, text: str) -> None:
    secrets.put_secret_value(SecretId="stack/dam/key", SecretString=text)
    files = SourceFiles(Bucket(boto3.client("s3"), "bucket"), secrets)

    with pytest.raises(ConfigurationError, match="must be a JSON object") as caught:
        files.get("dam")
    assert text.strip('[]"') not in str(caught.value)
