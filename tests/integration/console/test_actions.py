"""What people decide in the console: done by the same use cases as the command line, recorded."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from lxml import etree

from functions.console import handler
from tests.integration.console.conftest import MAPPING
from tests.integration.console.visit import Console
from tests.integration.shop import export, item, value

LONG = "far too long"


def text(console: Console, path: str) -> str:
    return html.unescape(console.get(path).text)


def night(console: Console, name: str, *items: str) -> str:
    return console.nights.night(name, export(*items)).id


def held(console: Console) -> str:
    night(console, "monday.xml", *(item(n) for n in range(1, 11)))
    return night(console, "tuesday.xml", *(item(n) for n in range(1, 6)))


def enabled(console: Console, identifier: str) -> bool:
    product = console.nights.pim.product_by_identifier(identifier)
    assert product
    return product.enabled


def test_a_run_on_hold_is_first_on_today_and_a_plan_on_its_own_page(console: Console) -> None:
    run = held(console)
    today = text(console, "/")
    assert "A run of shop needs your approval" in today
    assert "pim-connector approve" not in today
    plan = text(console, f"/approvals/{run}")
    assert "5 of 10 products are missing" in plan
    assert "p6" in plan
    assert "Yes, disable them" not in plan
    assert "Yes, disable them" in text(console, f"/approvals/{run}?ask=approve")


def test_approving_disables_what_is_missing_and_says_who_did_it(console: Console) -> None:
    run = held(console)
    answered = console.post(f"/approvals/{run}/approve")
    assert answered.status == 303
    console.nights.rest()
    assert [enabled(console, f"p{n}") for n in (5, 6, 10)] == [True, False, False]
    assert "julia (AWS julia) approved what was on hold" in _plain(text(console, f"/runs/{run}"))
    led_to = answered.location.partition("?")[0]
    assert f"approved what was on hold (run {run})" in text(console, led_to)
    assert "Nothing waits for you" in text(console, "/approvals")
    assert console.post(f"/approvals/{run}/approve").status == 409


def test_discarding_leaves_the_pim_alone_and_is_recorded(console: Console) -> None:
    run = held(console)
    assert console.post(f"/approvals/{run}/discard").status == 303
    console.nights.rest()
    assert enabled(console, "p6")
    assert "discarded run" in text(console, "/approvals")
    assert console.post(f"/approvals/{run}/discard").status == 409


def test_rejected_records_are_sent_again_by_the_mapping_of_today(console: Console) -> None:
    run = night(console, "monday.xml", item(1), item(2, code=LONG))
    console.nights.stack.put("config/erp/shop.yaml", MAPPING.replace(", code: code", ""))
    assert "Send 1 rejected records again?" in text(console, f"/runs/{run}/send-again")
    answered = console.post(f"/runs/{run}/send-again")
    assert answered.status == 303
    console.nights.rest()
    assert value(console.nights, "p2", "name") == "Boot 2"
    assert "sent the rejected records again" in text(console, f"/runs/{run}")


def test_a_run_is_reverted_after_its_plan_was_shown(console: Console) -> None:
    night(console, "monday.xml", item(1, name="Old"), item(2))
    run = night(console, "tuesday.xml", item(1, name="New"), item(2))
    assert re.search(r"products set back.*?>1<", text(console, f"/runs/{run}/revert"), re.DOTALL)
    assert console.post(f"/runs/{run}/revert").status == 303
    console.nights.rest()
    assert value(console.nights, "p1", "name") == "Old 1"


def test_changes_of_a_run_are_shown_value_by_value(console: Console) -> None:
    night(console, "monday.xml", item(1, name="Old"))
    run = night(console, "tuesday.xml", item(1, name="New"))
    rows = re.findall(r"<tr class=\"first\">.*?</tr>", console.get(f"/runs/{run}/changes").text)
    assert len(rows) == 1
    assert "Old 1" in rows[0]
    assert "New 1" in rows[0]


def test_rejected_records_come_in_the_erps_own_format_with_the_reason(console: Console) -> None:
    run = night(console, "monday.xml", item(1), item(2, code=LONG), item(3, code=LONG))
    answered = console.get(f"/runs/{run}/files/rejected.xml")
    assert answered.status == 303
    assert "X-Amz-Signature" in answered.location
    written = etree.fromstring(console.nights.stack.get(f"reports/{run}/rejected.xml"))
    assert written.tag == "items"
    assert [each.findtext("sku") for each in written.findall("item")] == ["p2", "p3"]
    assert "code: 12 characters" in str(written[0].get("pim-connector-reason"))


def test_a_report_that_is_not_there_yet_is_said_so(console: Console) -> None:
    run = night(console, "monday.xml", item(1))
    assert console.get(f"/runs/{run}/files/rejected.csv").status == 303
    assert console.get(f"/runs/{run}/files/missing.csv").status == 404


def test_a_product_says_which_export_its_values_came_from(console: Console) -> None:
    run = night(console, "monday.xml", item(1))
    shown = text(console, "/products?identifier=p1")
    assert f"/runs/{run}" in shown
    assert re.search(r"<code>name</code>.*?Boot 1.*?shop, record 1", shown, re.DOTALL)
    assert "Neither the PIM nor the connector knows" in text(console, "/products?identifier=p9")


def test_an_upload_is_signed_for_its_size_and_leads_to_its_run(console: Console) -> None:
    body = export(item(1)).encode()
    form = {"source": "shop", "name": "C:\\new\\export.xml", "size": str(len(body))}
    told = console.post("/uploads", form).json
    assert told["key"] == "incoming/shop/export.xml"
    assert "content-length" in httpx.URL(told["put"]).params["X-Amz-SignedHeaders"]
    event = console.nights.stack.put(told["key"], body)
    where = console.post("/uploads/done", {"key": told["key"]}).json["location"]
    assert "The file has arrived" in text(console, where)
    from functions.splitter import handler as splitter
    from tests.integration.stack import Context

    splitter.lambda_handler(event, Context())  # type: ignore[arg-type]  # a stand-in
    console.nights.rest()
    assert console.get(where).status == 200
    assert "uploaded export.xml" in text(console, "/sources/shop")


def test_the_first_ten_products_of_a_sample_come_first(console: Console) -> None:
    console.nights.stack.put("samples/shop/all.xml", export(*(item(n) for n in range(1, 31))))
    assert console.post("/start/trial?source=shop").status == 303
    console.nights.rest()
    found = [console.nights.pim.product_by_identifier(f"p{n}") is not None for n in (1, 10, 11)]
    assert found == [True, True, False]
    shown = text(console, "/start")
    assert re.search(r'class="now".*?Import everything', shown, re.DOTALL)


def test_the_wizard_is_on_today_until_it_is_put_away(console: Console) -> None:
    assert "Nothing has come in yet" in text(console, "/")
    assert console.post("/start/leave").status == 303
    assert "Nothing has come in yet" not in text(console, "/")
    assert console.get("/start").status == 200


def test_a_channel_is_told_of_a_run_with_a_link_to_its_page(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[httpx.Request] = []

    def answer(_: object, url: str, **request: object) -> httpx.Response:
        sent.append(httpx.Request("POST", url, json=request["json"]))
        return httpx.Response(200)

    monkeypatch.setattr(httpx.Client, "post", answer)
    address = "https://hooks.slack.com/services/T0/B0/abcdefgh"
    assert console.post("/settings/channel", {"webhook": address}, host="c.example").status == 303
    assert address not in console.get("/settings").text
    detail = {"run": "r1", "source": "shop", "file": "done/shop/a<b.xml", "counts": {"created": 2}}
    event = {"detail-type": "RunFinished", "detail": detail}
    from tests.integration.stack import Context

    assert handler.lambda_handler(event, Context()) == {"told": True}  # type: ignore[arg-type]
    said = sent[-1].content.decode()
    assert "https://c.example/runs/r1" in said
    assert "a&lt;b.xml" in said
    assert "2 created" in said


NO_CHANNELS = (
    "http://hooks.slack.com/x",
    "https://hooks.slack.com.example.org/x",
    "https://169.254.169.254/latest",
    "https://user@hooks.slack.com/x",
    "https://hooks.slack.com:8443/x",
    "file:///etc/passwd",
)


def test_the_console_calls_no_address_but_a_channels(console: Console) -> None:
    for address in NO_CHANNELS:
        assert console.post("/settings/channel", {"webhook": address}).status == 400, address


def _plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", page).split())
