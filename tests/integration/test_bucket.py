"""Reading a file from S3 whose connection breaks, over real connections on the loopback."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from pim_connector.aws.bucket import Bucket, StoredObject
from pim_connector.errors import ConfigurationError, TransientError
from tests.integration.stack import credentials

BODY = random.Random(7).randbytes(1_500_000)  # noqa: S311 - a file, not a secret


class BreakingS3(ThreadingHTTPServer):
    """An S3 that cuts its answers after so many bytes, as long as `cuts` lasts."""

    daemon_threads = True

    def __init__(self, cuts: list[int]) -> None:
        self.cuts = cuts
        self.ranges: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: BreakingS3

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        found = re.fullmatch(r"bytes=(\d+)-", wanted)
        assert found
        body = BODY[int(found[1]) :]
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.server.cuts.pop(0) if self.server.cuts else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[BreakingS3]:
    with BreakingS3([]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def opened(server: BreakingS3, slept: list[float]) -> BinaryIO:
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    bucket = Bucket(s3, "b", sleep=slept.append)
    return bucket.open(StoredObject(key="incoming/shop/a.xml", version="v", size=len(BODY)))


def test_a_stream_that_breaks_is_read_on_from_the_very_byte(server: BreakingS3) -> None:
    server.cuts = [400_000, 1, 0, 700_000]
    slept: list[float] = []
    with opened(server, slept) as file:
        assert file.read() == BODY
    assert server.ranges[0] == "bytes=0-"
    assert len(server.ranges) == 5
    assert 3 <= len(slept) <= 5


def test_a_stream_that_never_gets_on_is_told_as_transient(server: BreakingS3) -> None:
    server.cuts = [1_000] + 100 * [0]
    slept: list[float] = []
    with opened(server, slept) as file, pytest.raises(TransientError, match="of 1500000"):
        file.read()
    assert len(slept) < 10


def test_a_stream_can_be_sought_in_as_archives_need(server: BreakingS3) -> None:
    with opened(server, []) as file:
        assert file.seek(-10, 2) == len(BODY) - 10
        assert file.read() == BODY[-10:]
        assert file.seek(5) == 5
        assert file.read(10) == BODY[5:15]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    credentials(monkeypatch)
    with mock_aws():
        s3 = boto3.client("s3")
        region = {"LocationConstraint": "eu-central-1"}
        s3.create_bucket(Bucket="pim-bucket", CreateBucketConfiguration=region)  # type: ignore[arg-type]  # TypedDict
        yield Bucket(s3, "pim-bucket")


def test_what_is_not_there_is_nothing_to_describe(bucket: Bucket) -> None:
    assert bucket.describe("incoming/shop/a.xml") is None
    with pytest.raises(FileNotFoundError, match=r"s3://pim-bucket/incoming/shop/a\.xml"):
        bucket.get("incoming/shop/a.xml")


def test_a_bucket_without_versions_serves_too(bucket: Bucket) -> None:
    bucket.put("incoming/shop/a.xml", b"<a/>")
    file = bucket.describe("incoming/shop/a.xml")
    assert file is not None
    assert bucket.open(file).read() == b"<a/>"
    bucket.move(file, "done/shop/a.xml")
    assert list(bucket.keys("")) == ["done/shop/a.xml"]


def test_a_missing_bucket_is_a_matter_of_configuration(bucket: Bucket) -> None:
    other = Bucket(boto3.client("s3"), "pim-other")
    with pytest.raises(ConfigurationError, match="check the name"):
        other.get("x")
