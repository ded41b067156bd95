"""Runs, reports and inbox as pages, on a stack in the emulated AWS."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto import mock_aws

from cli.target import Target
from functions.splitter import handler as splitter
from local.desk.app import create_app
from local.desk.connection import Connection
from local.desk.studio import Studio
from simulators.akeneo.server import serve
from tests.integration.stack import BUCKET, Context, Stack, credentials
from tests.integration.test_splitter import MAPPING, export

ATTACK = "<script>alert(1)</script>"


@dataclass
class UnderMoto(Connection):
    """A stack that is up, though no server of it is."""

    known: Target | None = None

    def target(self) -> Target:
        assert self.known
        return self.known


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        splitter.parts.cache_clear()
        yield stack
        splitter.parts.cache_clear()


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    outputs = {
        "Bucket": BUCKET,
        "RunTable": "RunTable",
        "ProductQueue": stack.urls["products"],
        "ProductDeadLetterQueue": stack.urls["dead-products"],
    }
    target = Target(name="test", session=boto3.Session(), endpoint=None, outputs=outputs)
    connection = UnderMoto(Path("stack.json"), known=target)
    studio = Studio(connection)
    with (
        serve(create_app(connection, studio)) as url,
        httpx.Client(base_url=url, headers={"Origin": url}, timeout=30) as found,
    ):
        yield found
    studio.close()


def drop(client: httpx.Client, name: str, body: str, source: str = "shop") -> httpx.Response:
    files = {"file": (name, body.encode())}
    return client.post("/inbox", data={"source": source}, files=files)


def take(event: dict[str, Any]) -> None:
    context: Any = Context()
    splitter.lambda_handler(event, context)


def test_a_dropped_file_lies_in_its_sources_inbox_and_leads_to_its_run(
    stack: Stack, client: httpx.Client
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)
    answer = drop(client, "C:\\export\\a.xml", export(1, 2))

    assert answer.status_code == 303
    assert stack.get("incoming/shop/a.xml").decode() == export(1, 2)
    page = client.get(answer.headers["location"])
    assert page.status_code == 404
    assert "Not noticed yet" in page.text
    assert "incoming/shop/a.xml" in client.get("/inbox").text

    take({"sweep": True})

    run = stack.run()
    assert answer.headers["location"] == f"/runs/{run.id}"
    assert run.phase in client.get(f"/runs/{run.id}").text
    assert run.id in client.get("/runs").text
    assert run.id in client.get("/").text


def test_a_source_that_is_none_is_refused_and_nothing_is_stored(
    stack: Stack, client: httpx.Client
) -> None:
    for source in ("", "../config", "a/b", ATTACK, "x" * 41):
        answer = drop(client, "a.xml", "<a/>", source)
        assert answer.status_code == 400
        assert "<script>alert" not in answer.text
    assert stack.keys() == []


def test_a_file_of_another_page_is_refused(stack: Stack, client: httpx.Client) -> None:
    files = {"file": ("a.xml", b"<a/>")}
    evil = {"Origin": "https://evil.example"}
    answer = client.post("/inbox", data={"source": "shop"}, files=files, headers=evil)

    assert answer.status_code == 403
    assert stack.keys() == []


def test_markup_in_names_of_files_and_in_what_was_rejected_stays_text(
    stack: Stack, client: httpx.Client
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)
    drop(client, f"{ATTACK[:-10]}.xml", export(1))
    event = stack.put("incoming/shop/<img src=x>.xml", export(1, 2))
    listed = client.get("/inbox").text
    take(event)
    run = next(run for run in stack.runs() if "<img" in run.key)

    for page in (listed, client.get(f"/runs/{run.id}").text, client.get("/runs").text):
        assert "<script>alert" not in page
        assert "<img src=x>" not in page
        assert html.escape("<img src=x>") in page


def test_a_report_is_shown_as_it_is_but_its_scripts_have_no_rights_here(
    stack: Stack, client: httpx.Client
) -> None:
    stack.put("reports/r1/report.html", f"<h1>Report</h1>{ATTACK}")
    stack.put("reports/r1/rejected.csv", "a,b")

    shown = client.get("/runs/r1/reports/report.html")
    policy = shown.headers["content-security-policy"]

    assert shown.text.startswith("<h1>Report</h1>")
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    saved = client.get("/runs/r1/reports/rejected.csv")
    assert saved.headers["content-disposition"] == "attachment"
    assert client.get("/runs/r1/reports/none.json").status_code == 404


def test_nothing_but_reports_is_given_out(stack: Stack, client: httpx.Client) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)

    for path in ("..%2F..%2Fconfig%2Ferp%2Fshop.yaml", "../../config/erp/shop.yaml"):
        assert client.get(f"/runs/x/reports/{path}").status_code == 404


def test_a_mapping_is_saved_only_if_it_is_one(stack: Stack, client: httpx.Client) -> None:
    broken = client.post("/studio/mapping", data={"mapping": "a: 1", "source": "shop"})
    nowhere = client.post("/studio/mapping", data={"mapping": MAPPING, "source": "../x"})

    assert "Not saved" in broken.text
    assert "Not saved" in nowhere.text
    assert stack.keys() == []

    saved = client.post("/studio/mapping", data={"mapping": MAPPING, "source": "shop"})

    assert "Saved as config/erp/shop.yaml" in saved.text
    assert stack.get("config/erp/shop.yaml").decode().strip() == MAPPING.strip()


def test_the_studio_opens_a_source_with_its_mapping_and_its_last_file(
    stack: Stack, client: httpx.Client
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)
    stack.put("done/shop/monday.xml", export(1))
    stack.put("done/shop/tuesday.xml", export(2))

    page = client.get("/studio?source=shop").text

    assert html.escape(MAPPING.splitlines()[-1].strip()) in page
    assert '<option value="s3:done/shop/tuesday.xml" selected>' in page
    assert "&#34;P2&#34;" in page
