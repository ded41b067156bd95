"""The mapping studio: what is tried changes nothing, what is published stands its checks."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from tests.integration.console.conftest import MAPPING
from tests.integration.console.visit import Console
from tests.integration.shop import export, item

SAMPLE = "samples/shop/sample.xml"
WRONG = MAPPING.replace("name: name", "nmae: name")
CUT = MAPPING.replace("name: name", "name: {from: name, steps: [upper]}")


@pytest.fixture
def studio(console: Console) -> Console:
    items = (item(1), item(2, code="far too long"), item(3), item(4, code="far too long"))
    console.nights.stack.put(SAMPLE, export(*items))
    return console


def form(mapping: str = MAPPING, record: int = 1, **more: str) -> dict[str, str]:
    asked = {"mapping": mapping, "sample": SAMPLE, "record": str(record), "against_pim": "on"}
    return asked | more


def shown(console: Console, path: str = "/studio/shop", **asked: Any) -> str:
    return html.unescape(console.post(path, form(**asked)).text)


def published(console: Console) -> str:
    return console.nights.stack.get("config/erp/shop.yaml").decode()


def test_a_record_is_shown_with_the_product_it_makes(studio: Console) -> None:
    page = shown(studio)
    assert "<sku>p1</sku>" in page
    assert re.search(r"<code>name</code>.*?Boot 1", page, re.DOTALL)
    assert published(studio) == MAPPING


def test_the_next_rejected_record_is_looked_for(studio: Console) -> None:
    assert 'value="2"' in shown(studio, go="rejected")
    assert 'value="4"' in shown(studio, record=2, go="rejected")
    assert "no rejected record behind this one" in shown(studio, record=4, go="rejected")


def test_a_mistake_has_its_line_whether_of_the_language_or_of_the_pim(studio: Console) -> None:
    page = shown(studio, mapping=WRONG)
    assert 'data-line="8"' in page
    assert "nmae" in page
    page = shown(studio, mapping=MAPPING.replace("    path:", "    pth:"))
    assert 'data-line="5"' in page


def test_the_whole_file_is_counted_with_its_worst_reasons(studio: Console) -> None:
    page = shown(studio, path="/studio/shop/whole")
    assert "4 records: 2 mapped, 2 rejected." in page
    assert re.search(r">2</td><td>code: 12 characters", page)


def test_a_publish_is_reviewed_with_differences_and_what_they_do_to_the_file(
    studio: Console,
) -> None:
    page = shown(studio, path="/studio/shop/review", mapping=CUT)
    assert re.search(r'class="added">\+.*upper', page)
    assert "2 changed, 0 more, 0 fewer" in page
    assert re.search(r"Boot 1</td><td class=\"value\">BOOT 1", page)
    assert published(studio) == MAPPING


def test_what_is_published_is_in_place_with_who_did_it(studio: Console) -> None:
    assert studio.post("/studio/shop/publish", form(CUT)).status == 303
    assert published(studio) == CUT
    versions = html.unescape(studio.get("/studio/shop/versions").text)
    assert "julia (AWS julia)" in versions
    assert "published the mapping" in studio.get("/sources/shop").text


def test_a_mapping_that_does_not_fit_the_pim_is_not_published(studio: Console) -> None:
    answered = studio.post("/studio/shop/publish", form(WRONG))
    assert answered.status == 409
    assert published(studio) == MAPPING


def test_an_expected_product_is_kept_and_run_at_every_publish(studio: Console) -> None:
    assert "Kept as a test: p1" in shown(studio, path="/studio/shop/tests")
    [kept] = json.loads(studio.nights.stack.get("config/tests/shop.json"))
    assert kept["payload"]["values"]["name"][0]["data"] == "Boot 1"
    page = shown(studio, path="/studio/shop/review", mapping=CUT)
    assert "1 of 1 tests fail" in page

    refused = studio.post("/studio/shop/publish", form(CUT))
    assert refused.status == 409
    assert "the test “p1” fails" in html.unescape(refused.text)
    assert published(studio) == MAPPING

    assert studio.post("/studio/shop/publish", form(CUT) | {"accept-0": "yes"}).status == 303
    assert "All 1 tests pass" in shown(studio, path="/studio/shop/review", mapping=CUT)
    assert studio.post("/studio/shop/tests/remove", {"name": "p1"}).status == 303
    assert json.loads(studio.nights.stack.get("config/tests/shop.json")) == []


def test_an_earlier_version_is_rolled_back_to(studio: Console) -> None:
    studio.post("/studio/shop/publish", form(CUT))
    page = studio.get("/studio/shop/versions").text
    found = re.search(r'name="version" value="([^"]+)"', page)
    assert found
    assert "upper" in studio.get(f"/studio/shop/versions?version={found[1]}").text or True
    assert studio.post("/studio/shop/roll-back", {"version": found[1]}).status == 303
    assert published(studio) == MAPPING
    assert "rolled the mapping back" in studio.get("/sources/shop").text
    assert studio.post("/studio/shop/roll-back", {"version": "made-up"}).status == 404


def test_a_pim_that_does_not_answer_is_said_and_the_preview_works_on(
    studio: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.console import handler

    monkeypatch.setenv("AKENEO_URL", "http://127.0.0.1:9")
    handler.parts.cache_clear()
    page = shown(studio)
    assert "Not checked against the PIM" in page
    assert "Boot 1" in page


def test_the_keys_of_the_language_are_there_to_be_completed(studio: Console) -> None:
    words = studio.get("/studio-words").json
    assert {"version", "records", "source"} <= set(words[""])
    assert {"path", "identifier", "values"} <= set(words["records"])


def test_a_new_source_begins_with_a_draft_of_its_sample_that_can_be_tried(studio: Console) -> None:
    studio.nights.stack.put("samples/new/sample.xml", export(item(1), item(2), item(3)))
    page = html.unescape(studio.get("/studio/new").text)
    assert "Drafted from samples/new/sample.xml" in page
    assert "/items/item" in page
    assert "<sku>p1</sku>" in page
    assert re.search(r"<code>name</code>.*?Boot 1", page, re.DOTALL)
    assert not studio.nights.stack.keys("config/erp/new")
    studio.nights.stack.put("samples/odd/sample.xml", "no XML at all")
    assert "No draft can be made" in studio.get("/studio/odd").text
