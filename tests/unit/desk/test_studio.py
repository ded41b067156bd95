"""The mapping studio, without a stack: a record, a mapping, and what comes of it."""

from __future__ import annotations

import html
import re

import httpx
import pytest

MAPPING = """\
version: 1
records:
  product:
    path: /shop/item
    when: not(@old)
    identifier: "@sku"
    values:
      name: { from: name, type: text }
      amount: { from: amount, type: number }
"""
ATTACK = "<script>alert(1)</script>"
SAMPLE = f"""<shop>
<item sku="A1"><name>Lamp</name><amount>12.5</amount></item>
<item sku="A2"><name><![CDATA[{ATTACK}]]></name><amount>twelve</amount></item>
<item sku="A3" old="1"><name>Gone</name></item>
<item sku="{html.escape(ATTACK)}"><name><![CDATA[{ATTACK}]]></name></item>
</shop>"""


@pytest.fixture(scope="session")
def sample(client: httpx.Client) -> str:
    return bring(client, f"{ATTACK}.xml", SAMPLE)


def bring(client: httpx.Client, name: str, text: str) -> str:
    answer = client.post("/studio/samples", files={"file": (name, text.encode())})
    assert answer.status_code == 303
    return answer.headers["location"].partition("sample=")[2]


def show(client: httpx.Client, sample: str, mapping: str = MAPPING, **fields: str) -> str:
    answer = client.post("/studio", data={"mapping": mapping, "sample": sample} | fields)
    assert answer.status_code == 200
    return answer.text


def part(page: str, name: str) -> str:
    """The text of one section, as a reader sees it."""
    [section] = re.findall(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", section))


def test_a_record_and_what_is_sent_of_it_stand_side_by_side(
    client: httpx.Client, sample: str
) -> None:
    page = show(client, sample)

    assert '<item sku="A1">' in part(page, "record")
    assert "line 2 of the file" in part(page, "record")
    assert '"identifier": "A1"' in part(page, "result")
    assert '"data": "Lamp"' in part(page, "result")


def test_next_and_previous_go_through_the_sample_and_stop_at_its_ends(
    client: httpx.Client, sample: str
) -> None:
    assert 'sku="A2"' in part(show(client, sample, record="1", go="next"), "record")
    assert 'sku="A1"' in part(show(client, sample, record="2", go="previous"), "record")
    assert 'sku="A1"' in part(show(client, sample, record="1", go="previous"), "record")
    last = show(client, sample, record="4")
    assert re.search(r'value="next" disabled', last)


def test_a_value_that_does_not_fit_is_an_error_with_key_and_line_of_the_mapping(
    client: httpx.Client, sample: str
) -> None:
    page = show(client, sample, record="2")

    result = part(page, "result")
    assert "rejected" in result
    assert re.search(r"line 9\s+amount .*the file has twelve", result, re.DOTALL)
    assert '"identifier"' not in result


def test_a_filtered_record_says_why(client: httpx.Client, sample: str) -> None:
    assert re.search(r"filtered.*when", part(show(client, sample, record="3"), "result"), re.DOTALL)


def test_a_wrong_key_is_an_error_with_its_line(client: httpx.Client, sample: str) -> None:
    result = part(show(client, sample, MAPPING.replace("from: name", "form: name")), "result")

    assert re.search(r"line 8\s+records\.product\.values\.name\S* .*did you mean", result)


@pytest.mark.parametrize("mapping", ["", "a: [", "\x00", "{" * 500, "&a [*a, *a]", "é" * 1000])
def test_what_is_no_mapping_is_an_error_and_never_a_crash(
    client: httpx.Client, sample: str, mapping: str
) -> None:
    assert "Errors" in part(show(client, sample, mapping), "result")


def test_a_sample_that_is_no_xml_is_an_error_with_its_place(client: httpx.Client) -> None:
    broken = bring(client, "broken.xml", "<shop><item sku='1'></shop>")

    assert re.search(r"line 1, column \d+", part(show(client, broken), "result"))


def test_an_entity_bomb_is_refused(client: httpx.Client) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE shop [<!ENTITY e0 "ha">{levels}]><shop><item sku="&e11;"/></shop>'

    assert "Errors" in part(show(client, bring(client, "bomb.xml", bomb)), "result")


def test_a_record_that_is_not_there_and_a_sample_that_is_gone_are_said(
    client: httpx.Client, sample: str
) -> None:
    assert "has 4 records" in part(show(client, sample, record="9"), "result")
    assert "choose another" in part(show(client, "brought:nonsense"), "result")
    assert "choose another" in part(show(client, "s3:incoming/../secret"), "result")


@pytest.mark.parametrize("record", ["2", "4"])
def test_markup_in_record_value_identifier_and_file_name_stays_text(
    client: httpx.Client, sample: str, record: str
) -> None:
    page = show(client, sample, record=record)

    assert "<script>alert" not in page
    assert ATTACK in part(page, "record") or html.escape(ATTACK) in part(page, "record")
    assert html.escape(f"{ATTACK}.xml") in page


def test_markup_in_the_mapping_stays_text(client: httpx.Client, sample: str) -> None:
    evil = f"</textarea>{ATTACK}"
    page = show(client, sample, MAPPING + evil, source=f'"{ATTACK}')

    assert "<script>alert" not in page
    assert page.count("</textarea>") == 1


def test_a_mapping_over_the_limit_is_refused(client: httpx.Client, sample: str) -> None:
    fields = {"mapping": (None, "x" * 2_100_000), "sample": (None, sample)}
    assert client.post("/studio", files=fields).status_code == 400


def test_the_demo_is_there_at_once_and_maps(client: httpx.Client) -> None:
    page = client.get("/studio").text

    assert '"code": "STYLE-JACKET-001"' in part(page, "result")


def test_without_a_stack_the_pages_say_what_to_do(client: httpx.Client) -> None:
    assert "make up" in client.get("/").text
    for path in ("/runs", "/inbox", "/runs/x", "/runs/x/reports/y"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "make up" in answer.text


def test_a_page_of_another_site_cannot_send_the_form(client: httpx.Client) -> None:
    answer = client.post("/studio", data={"mapping": ""}, headers={"Origin": "https://evil.test"})

    assert answer.status_code == 403


def test_a_page_may_run_only_our_own_script_and_stand_in_no_frame(client: httpx.Client) -> None:
    policy = client.get("/studio").headers["content-security-policy"]

    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy


def test_an_unknown_page_is_not_found(client: httpx.Client) -> None:
    for path in ("/nothing", "/static/../app.py", "/static/%2e%2e/app.py"):
        assert client.get(path).status_code == 404
