"""Traces go to Lambda's daemon, hold no data, and cost nothing where nobody collects them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Tracer
from botocore.exceptions import ClientError
from moto import mock_aws

from telemetry.xray import LARGEST_BYTES, XRay, datagrams

ROOT = Path(__file__).resolve().parents[3]
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class Daemon:
    """Listens where Lambda's own daemon would."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.link = datagrams()

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def documents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            try:
                header, _, body = self._socket.recv(65_536).partition(b"\n")
            except BlockingIOError:
                return found
            assert json.loads(header) == {"format": "json", "version": 1}
            found.append(json.loads(body))

    def stop(self) -> None:
        self._socket.close()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    yield daemon
    daemon.stop()
    daemon.link.close()


def xray(daemon: Daemon, trace: str = TRACE) -> XRay:
    ids = iter(range(1, 100))
    times = iter(range(1_000, 2_000))
    return XRay(
        {"AWS_XRAY_DAEMON_ADDRESS": daemon.address, "_X_AMZN_TRACE_ID": trace},
        daemon.link,
        now=lambda: float(next(times)),
        chance=lambda size: next(ids).to_bytes(size, "big"),
    )


def test_what_begins_inside_belongs_to_what_is_around_it(daemon: Daemon) -> None:
    provider = xray(daemon)
    with provider.in_subsegment("## handler"):
        with provider.in_subsegment("inner"):
            provider.put_annotation("message id", "000001")
        provider.put_annotation("run", "run-1")

    inner, outer = daemon.documents()
    assert outer["name"] == "## handler"
    assert outer["parent_id"] == "53995c3f42cd8ad8"
    assert outer["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert (outer["start_time"], outer["end_time"]) == (1000.0, 1003.0)
    assert outer["annotations"] == {"run": "run-1"}
    assert inner["parent_id"] == outer["id"]
    assert inner["annotations"] == {"message_id": "000001"}


def test_an_error_is_told_by_its_kind_and_not_by_what_it_says(daemon: Daemon) -> None:
    with pytest.raises(ValueError, match="s3cret"), xray(daemon).in_subsegment("work"):
        raise ValueError("s3cret of a customer")

    [document] = daemon.documents()
    assert document["fault"] is True
    assert document["cause"]["exceptions"][0]["type"] == "ValueError"
    assert "s3cret" not in json.dumps(document)


@pytest.mark.parametrize("trace", ["", "Root=1-2-3;Parent=4;Sampled=0", "nonsense", "Root="])
def test_what_lambda_does_not_sample_is_not_sent(daemon: Daemon, trace: str) -> None:
    with xray(daemon, trace).in_subsegment("work"):
        pass

    assert daemon.documents() == []


def test_without_a_daemon_the_work_goes_on(daemon: Daemon) -> None:
    provider = xray(daemon)
    daemon.stop()
    done = []
    for _ in range(3):
        with provider.in_subsegment("work"):
            done.append(1)

    assert len(done) == 3


def test_a_document_that_is_too_large_is_left_out(daemon: Daemon) -> None:
    provider = xray(daemon)
    with provider.in_subsegment("large"):
        provider.put_annotation("run", "x" * LARGEST_BYTES)
    with provider.in_subsegment("small"):
        pass

    assert [document["name"] for document in daemon.documents()] == ["small"]


def test_each_call_of_aws_is_a_segment_without_its_parameters(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    provider = xray(daemon)
    with mock_aws():
        provider.patch_all()
        queues: Any = boto3.client("sqs")
        with provider.in_subsegment("work"):
            url = queues.create_queue(QueueName="queue")["QueueUrl"]
            with pytest.raises(ClientError):
                queues.receive_message(QueueUrl=url.replace("queue", "s3cret"))

    created, refused, work = daemon.documents()
    assert (created["name"], created["aws"]) == ("SQS", {"operation": "CreateQueue"})
    assert created["parent_id"] == refused["parent_id"] == work["id"]
    assert created["namespace"] == "aws"
    assert refused["error"] is True
    assert "s3cret" not in json.dumps([created, refused])


def test_tracer_takes_it_for_its_provider(daemon: Daemon) -> None:
    tracer = Tracer(service="mapper", provider=xray(daemon), disabled=False, auto_patch=False)

    @tracer.capture_lambda_handler(capture_response=False, capture_error=False)
    def handler(event: dict[str, Any], context: Any) -> str:
        tracer.put_annotation("run", "run-1")
        return "s3cret"

    assert handler({}, None) == "s3cret"
    [document] = daemon.documents()
    assert document["name"] == "## handler"
    assert document["annotations"]["run"] == "run-1"
    assert "s3cret" not in json.dumps(document)


@pytest.mark.parametrize(
    ("environment", "traces"),
    [
        ({}, False),
        ({"POWERTOOLS_TRACE_DISABLED": "true"}, False),
        ({"POWERTOOLS_TRACE_DISABLED": "false", "AWS_SAM_LOCAL": "true"}, False),
        ({"POWERTOOLS_TRACE_DISABLED": "false"}, True),
    ],
)
def test_nothing_is_traced_or_imported_where_nobody_asked_for_it(
    environment: dict[str, str], traces: bool
) -> None:
    asked = (
        "import sys, telemetry\n"
        "print(telemetry.tracer is not None, 'telemetry.xray' in sys.modules, "
        "'aws_xray_sdk' in sys.modules)"
    )
    paths = os.pathsep.join([str(ROOT / "layers/connector/python"), str(ROOT)])
    done = subprocess.run(  # noqa: S603  this Python
        [sys.executable, "-c", asked],
        env={"PYTHONPATH": paths, "PATH": os.environ["PATH"], "LAMBDA_TASK_ROOT": "/var/task"}
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [str(traces), str(traces), "False"]
