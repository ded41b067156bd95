"""Whoever means ill, and whatever is too large: refused, and nothing of it is done."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.console import handler
from pim_connector.aws.table import Table
from pim_connector.console.people import People
from pim_connector.console.routes import ROUTES
from pim_connector.console.sessions import Sessions
from tests.integration.console.visit import Console
from tests.integration.shop import export, item
from tests.integration.stack import Context

EVENTS = Path(__file__).parents[3] / "events" / "console"
ATTACK = "<script>alert(1)</script>"
FILLED = {
    "run": "r",
    "source": "shop",
    "record": "1",
    "name": "rejected.csv",
    "document": "mapping",
}


def address(path: str) -> str:
    return re.sub(r"<(\w+)>", lambda name: FILLED[name[1]], path)


def test_nobody_sees_or_changes_anything_without_signing_in(console: Console) -> None:
    console.cookies.clear()
    for route in ROUTES:
        answered = console.call(route.method, address(route.path), {"token": "x"})
        assert answered.status == 303, route.path
        assert answered.location.startswith("/sign-in"), route.path


def test_a_change_needs_the_token_of_a_page_and_must_not_come_from_another_site(
    console: Console,
) -> None:
    for route in ROUTES:
        if route.method == "POST":
            path = address(route.path)
            assert console.call("POST", path, {"token": "forged"}).status == 403, path
            assert console.call("POST", path, {}).status == 403, path
            assert console.post(path, {}, **{"sec-fetch-site": "cross-site"}).status == 403, path


def test_somebody_who_may_only_look_changes_nothing(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(People, "may_act", lambda *_: False)
    for route in ROUTES:
        if route.method == "POST" and route.changes:
            answered = console.post(address(route.path), {})
            assert answered.status == 403, route.path
            assert "may look but not change" in answered.text


def test_somebody_who_may_only_look_sees_everything_and_buttons_say_why_they_are_off(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = console.nights.night("export.xml", export(item(1), item(2, code="far too long"))).id
    monkeypatch.setattr(People, "may_act", lambda *_: False)
    page = console.get(f"/runs/{run}/send-again")
    assert page.status == 200
    assert "disabled" in page.text
    assert "may look, not change" in page.text


def test_markup_from_exports_file_names_and_mappings_is_shown_as_text(console: Console) -> None:
    bad = export(item(1), item(2, code=f"<![CDATA[{ATTACK}]]>", name="A"))
    run = console.nights.night(f"{ATTACK}.xml".replace("/", "_"), bad).id
    mapping = f"version: 1\nrecords: {{ '{ATTACK}': 1 }}\n"
    answers = [
        console.get("/"),
        console.get("/runs"),
        console.get(f"/runs/{run}"),
        console.get(f"/runs/{run}/records/2"),
        console.get("/sources/shop"),
        console.get(f"/products?identifier={ATTACK}"),
        console.get(f"/?said={ATTACK}"),
        console.post("/studio/shop", {"mapping": mapping, "sample": ATTACK}),
        console.post("/studio/shop/review", {"mapping": mapping, "sample": ATTACK}),
    ]
    for answered in answers:
        assert "<script>alert" not in answered.text
        assert "script-src 'self'" in answered.headers["content-security-policy"]
    assert "&lt;script&gt;" in answers[2].text


ELSEWHERE = (
    "/runs/..%2f..%2fconfig",
    "/runs/../../etc/passwd",
    "/runs/run#1",
    "/runs/20261201T000000Z-other-0000000000",
    "/runs/x/files/report.html",
    "/runs/x/records/1",
    "/static/../rendering.py",
    "/static/console.css.bak",
    "/help/../parts",
    "/help/passwords",
    "/assets/x/send-again",
    "/nothing",
)


def test_addresses_of_others_lead_nowhere(console: Console) -> None:
    for path in ELSEWHERE:
        assert console.get(path).status == 404, path


def test_a_file_of_another_run_or_folder_is_no_sample(console: Console) -> None:
    console.nights.stack.put("done/secret/export.xml", export(item(1, name="secret")))
    for key in ("done/secret/export.xml", "done/shop/../secret/export.xml", "config/erp/shop.yaml"):
        form = {"mapping": _mapping(console), "sample": key}
        assert "secret</name>" not in console.post("/studio/shop", form).text


BAD_UPLOADS: tuple[tuple[dict[str, str], int], ...] = (
    ({"size": str(6 * 10**9)}, 413),
    ({"size": "99999999999999999999"}, 400),
    ({"size": "0"}, 400),
    ({"size": "-1"}, 400),
    ({"size": str(3 * 10**8), "for": "sample"}, 413),
    ({"source": "../config"}, 400),
    ({"source": ""}, 400),
    ({"name": ".."}, 400),
    ({"name": "a\nb.xml"}, 400),
    ({"name": "x" * 151}, 400),
)


def test_uploads_that_are_too_large_or_lead_elsewhere_are_refused(console: Console) -> None:
    good = {"source": "shop", "name": "export.xml", "size": "9"}
    assert "put" in console.post("/uploads", good).json
    for bad, status in BAD_UPLOADS:
        answered = console.post("/uploads", good | bad)
        assert answered.status == status, bad
        assert "put" not in answered.json


def test_a_form_of_megabytes_is_refused_before_it_is_read(console: Console) -> None:
    assert console.post("/studio/shop", {"mapping": "x" * 2_000_000}).status == 403
    form = {"mapping": "x" * 500_000}
    assert console.post("/studio/shop", form).status == 413


def test_a_cookie_of_another_stack_is_nobodys(console: Console) -> None:
    state = Table(boto3.client("dynamodb"), "StateTable")
    other = Sessions(
        key=b"another key, of another stack....", stack="x", table=state, now=lambda: 1.0
    )
    session = other.start(subject="eve", name="eve", way="aws")
    cookie = other.cookie(session).partition(";")[0].partition("=")
    console.cookies = {cookie[0]: cookie[2]}
    assert console.get("/").location.startswith("/sign-in")


def test_every_reply_says_what_a_browser_must_not_do_with_it(console: Console) -> None:
    for path in ("/", "/sign-in", "/static/console.css", "/nothing", "/runs/x"):
        headers = console.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def _mapping(console: Console) -> str:
    return console.nights.stack.get("config/erp/shop.yaml").decode()


def test_the_sample_events_do_what_their_names_say(console: Console) -> None:
    context: Any = Context()
    answers = {
        path.stem: handler.lambda_handler(json.loads(path.read_text()), context)["statusCode"]
        for path in EVENTS.glob("*.json")
    }
    assert answers == {
        "a-visitor-without-a-session-is-sent-to-sign-in": 303,
        "an-unknown-address-is-not-found": 404,
    }
