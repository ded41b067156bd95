"""The inbox as a contract: what starts a run, what does not, and what S3 does not let us read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from functions.splitter import handler
from tests.integration.stack import BUCKET, Context, Stack, credentials

MAPPING = """
version: 1
source:
  inbox: {{{inbox}}}
records:
  product: {{path: /export/product, identifier: "@sku", family: tents, values: {{name: name}}}}
"""
EXPORT = '<export><product sku="{}"><name>n</name></product></export>'


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        handler.parts.cache_clear()
        for source in ("shop", "depot"):
            stack.put(f"config/erp/{source}.yaml", MAPPING.format(inbox=""))
        yield stack
        handler.parts.cache_clear()


def invoke(event: dict[str, Any], **context: Any) -> dict[str, Any]:
    lambda_context: Any = Context(**context)
    answer: dict[str, Any] = handler.lambda_handler(event, lambda_context)
    return answer


def deny(monkeypatch: pytest.MonkeyPatch, stack: Stack, key: str, *operations: str) -> None:
    """Have S3 refuse these requests about one object, as a bucket of another account does."""

    def refuse(params: dict[str, Any], **_: Any) -> None:
        from botocore.exceptions import ClientError

        if params["Key"] == key:
            message = "User: x is not authorized to perform: kms:Decrypt on resource: y"
            error: Any = {"Error": {"Code": "AccessDenied", "Message": message}}
            raise ClientError(error, "GetObject")

    client = handler.parts().bucket._client
    for operation in operations:
        client.meta.events.register(f"provide-client-params.s3.{operation}", refuse)


def test_only_the_export_starts_a_run(stack: Stack) -> None:
    for name in ("pics/T.png", "media/T.xml", "a.xml.filepart", "a.xml.md5", "a.ok", ".a.xml"):
        answer = invoke(stack.put(f"incoming/shop/{name}", "x"))
        assert answer["taken_in"] == []
        assert len(answer["ignored"]) == 1
    invoke(stack.put("incoming/shop/a.xml", EXPORT.format(1)))
    assert len(invoke({"sweep": True})["ignored"]) == 6
    assert [run.key for run in stack.runs()] == ["incoming/shop/a.xml"]
    assert "incoming/shop/pics/T.png" in stack.keys("incoming/")


def test_a_file_in_nobodys_folder_is_counted_for_an_alarm(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("incoming/lost.xml", "incoming/My Shop/a.xml"):
        invoke(stack.put(key, "x"))
        assert '"FilesUnclaimed":[1.0]' in capsys.readouterr().out.replace(" ", "")
    invoke(stack.put("incoming/shop/Thumbs.db", "x"))
    assert '"FilesUnclaimed":[1.0]' not in capsys.readouterr().out.replace(" ", "")


def test_an_export_waits_for_its_marker(stack: Stack) -> None:
    stack.put("config/erp/shop.yaml", MAPPING.format(inbox='ready: "{name}.ok"'))
    event = stack.put("incoming/shop/a.xml", EXPORT.format(1))
    assert "waits for its marker" in invoke(event)["ignored"][0]["reason"]
    assert stack.runs() == []
    answer = invoke(stack.put("incoming/shop/a.xml.ok", ""))
    assert len(answer["split"]) == 1
    assert invoke({"sweep": True})["taken_in"] == []


@pytest.mark.parametrize("operations", [["GetObject"], ["HeadObject", "GetObject"]])
@pytest.mark.parametrize("by_sweep", [False, True])
def test_an_object_that_s3_denies_fails_alone_and_says_why(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, operations: list[str], by_sweep: bool
) -> None:
    event = stack.put("incoming/depot/a.xml", EXPORT.format(1))
    deny(monkeypatch, stack, "incoming/depot/a.xml", *operations)
    if not by_sweep:
        invoke(event)
    stack.put("incoming/depot/b.xml", EXPORT.format(2))
    stack.put("incoming/shop/c.xml", EXPORT.format(3))
    invoke({"sweep": True})
    runs = {run.key: run for run in stack.runs()}
    assert runs["incoming/depot/a.xml"].phase == "failed"
    assert "AccessDenied" in str(runs["incoming/depot/a.xml"].problem)
    assert "kms:Decrypt" in str(runs["incoming/depot/a.xml"].problem)
    assert runs["incoming/depot/b.xml"].sent == runs["incoming/shop/c.xml"].sent == 1


def test_an_archived_object_fails_alone_and_says_so(stack: Stack) -> None:
    stack.s3.put_object(
        Bucket=BUCKET,
        Key="incoming/shop/a.xml",
        Body=EXPORT.format(1).encode(),
        StorageClass="GLACIER",
    )
    stack.put("incoming/shop/b.xml", EXPORT.format(2))
    invoke({"sweep": True})
    runs = {run.key: run for run in stack.runs()}
    assert "archived" in str(runs["incoming/shop/a.xml"].problem)
    assert runs["incoming/shop/b.xml"].sent == 1


def test_what_was_denied_is_imported_once_it_can_be_read(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = stack.put("incoming/shop/a.xml", EXPORT.format(1))
    deny(monkeypatch, stack, "incoming/shop/a.xml", "HeadObject", "GetObject")
    invoke(event)
    handler.parts.cache_clear()
    invoke({"sweep": True})
    [run] = stack.runs()
    assert (run.problem, run.sent) == (None, 1)


def test_two_deliveries_of_one_event_are_two_splitters(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners: list[str] = []
    acquire = handler.parts().leases.acquire

    def noted(name: str, owner: str, now: float) -> bool:
        owners.append(owner)
        return acquire(name, owner, now)

    monkeypatch.setattr(type(handler.parts().leases), "acquire", lambda _, *given: noted(*given))
    for name in ("a", "b"):
        event = stack.put(f"incoming/shop/{name}.xml", EXPORT.format(name))
        invoke(event, aws_request_id="the-same")
    assert len(set(owners)) == 2
