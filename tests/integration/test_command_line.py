"""The operator's commands against a deployed stack, with the real functions at work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from pim_connector.aws.table import Table
from pim_connector.console.history import History, of_run
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from tests.integration.mapper.examples import CATALOG
from tests.integration.operator import MOTO, Operator
from tests.integration.shop import MAPPING, export, item, serving, value
from tests.integration.stack import credentials
from tests.integration.test_replay import MENDED


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def operator(
    server: tuple[Pim, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Operator]:
    credentials(monkeypatch)
    pim, url = server
    pim.clear(from_resources(CATALOG))
    monkeypatch.chdir(tmp_path)
    Path("mapping.yaml").write_text(MAPPING)
    with mock_aws(config=MOTO), Operator.at_work(pim, url, monkeypatch, capsys) as operator:
        yield operator


def imported(operator: Operator, *items: str, name: str = "a.xml") -> Any:
    Path(name).write_text(export(*items))
    return operator.types("import", name, "--source", "shop", "--json").json


def mapped(operator: Operator, mapping: str) -> None:
    Path("mapping.yaml").write_text(mapping)
    assert operator.types("config", "push", "shop", "mapping.yaml").status == 0


def test_import_show_rejects_replay_from_end_to_end(operator: Operator) -> None:
    mapped(operator, MAPPING)
    run = imported(operator, item(1), item(2, code="too long"))
    assert (run["created"], run["rejected"], run["phase"]) == (1, 1, "finished")
    said = operator.types("rejects", run["run"], "--json")
    assert (said.status, said.json["number"], said.json["identifier"]) == (3, 2, "p2")
    mapped(operator, MENDED)
    again = operator.types("replay", run["run"], "--rejected", "--json")
    assert (again.status, again.json["created"], again.json["of"]) == (0, 1, run["run"])
    shown = operator.types("show", again.json["run"])
    assert f"replay of run {run['run']}" in shown.out
    listed = operator.types("runs", "--json").lines
    assert {one["run"] for one in listed} == {run["run"], again.json["run"]}


def test_a_mapping_that_contradicts_the_pim_is_not_put_in_place(operator: Operator) -> None:
    Path("mapping.yaml").write_text(MAPPING.replace("name: name", "nmae: name"))
    said = operator.types("config", "push", "shop", "mapping.yaml", "--json")
    assert said.status == 2
    assert any("nmae" in problem for problem in said.json["problems"])
    assert operator.nights.stack.keys("config/") == []
    assert operator.types("config", "push", "shop", "mapping.yaml", "--no-check").status == 0


def test_a_dam_source_is_checked_and_put_in_place_under_its_own_name(operator: Operator) -> None:
    source = Path(__file__).resolve().parents[2] / "docs/dam"
    files = sorted(source.glob("*.yaml"))
    if not files:
        pytest.skip("docs/dam holds no example of a DAM source yet")
    said = operator.types("config", "push", "--dam", "other", files[0], "--no-check")
    assert said.status == 2
    assert "must be other" in said.out


def test_a_plan_says_each_value_before_and_after_and_sends_nothing(operator: Operator) -> None:
    mapped(operator, MAPPING)
    imported(operator, item(1), item(2))
    Path("b.xml").write_text(
        export(item(1), item(2, name="Shoe"), item(3), item(4, code="too long"))
    )
    calls = operator.nights.pim.counters.report()["calls"]
    before = calls.get("PATCH /products", 0)
    said = operator.types("plan", "b.xml", "--details", "plan.ndjson", "--json")
    told = said.json
    assert said.status == 3
    states = ("records", "created", "changed", "unchanged", "rejected", "sent")
    assert [told[state] for state in states] == [4, 1, 1, 1, 1, 2]
    assert told["calls"] in (1, 2)
    assert 0 < told["seconds"] < told["seconds_at_most"]
    assert told["pace_assumed"]
    planned = {
        one["record"]: one for one in map(json.loads, Path("plan.ndjson").read_text().splitlines())
    }
    [change] = planned[2]["changes"]
    assert change == {"attribute": "name", "before": "Boot 2", "after": "Shoe 2"}
    assert "the attribute takes 5" in planned[4]["reasons"][0]
    after = operator.nights.pim.counters.report()["calls"].get("PATCH /products", 0)
    assert after == before
    assert value(operator.nights, "p2", "name") == "Boot 2"
    people = operator.types("plan", "b.xml")
    assert 'name: "Boot 2" → "Shoe 2"' in people.out
    assert "assumed at 60 to 500 ms a product" in people.out
    assert "Nothing was sent." in people.out
    measured = operator.types("plan", "b.xml", "--ms-per-line", "90")
    assert "at 90 ms a product" in measured.out
    assert "assumed" not in measured.out


def test_a_plan_agrees_with_what_the_import_then_does(operator: Operator) -> None:
    mapped(operator, MAPPING)
    imported(operator, *(item(n) for n in range(1, 30)))
    changed = [item(n, name="New" if n % 3 == 0 else "Boot") for n in range(1, 35)]
    Path("b.xml").write_text(export(*changed))
    plan = operator.types("plan", "b.xml", "--json", "--groups", "2").json
    calls = operator.nights.pim.counters.report()["calls"]["PATCH /products"]
    run = imported(operator, *changed, name="b.xml")
    made = operator.nights.pim.counters.report()["calls"]["PATCH /products"] - calls
    assert (plan["created"], plan["changed"], plan["unchanged"]) == (
        run["created"],
        run["updated"],
        run["unchanged"],
    )
    assert plan["calls"] == made


def test_full_sends_everything_or_what_is_named(operator: Operator) -> None:
    mapped(operator, MAPPING)
    run = imported(operator, item(1), item(2))
    Path("b.xml").write_text(export(item(1), item(2)))
    full = operator.types("import", "b.xml", "--full", "--json").json
    assert full["updated"] == 2
    one = operator.types("replay", full["run"], "--full", "--family", "shoes", "--json").json
    assert one["updated"] == 2
    assert operator.types("import", "b.xml", "--family", "shoes").status == 2
    assert operator.types("replay", run["run"], "--record", "99").status == 2


def test_revert_says_first_and_does_with_yes(operator: Operator) -> None:
    mapped(operator, MAPPING + "source: {reversible: true}\n")
    imported(operator, item(1))
    bad = imported(operator, item(1, name="Bad"), item(2), name="b.xml")
    plan = operator.types("revert", bad["run"], "--json").json
    assert (plan["products"], plan["disabled"]) == (2, 1)
    assert value(operator.nights, "p1", "name") == "Bad 1"
    assert "Do it with --yes" in operator.types("revert", bad["run"]).out
    done = operator.types("revert", bad["run"], "--yes", "--json").json
    assert (done["kind"], done["updated"]) == ("revert", 2)
    assert value(operator.nights, "p1", "name") == "Boot 1"
    history = History(Table(operator.nights.stack.dynamodb, "RunTable"))
    (act,) = history.of(of_run(bad["run"]))
    assert (act.what, act.led_to) == ("reverted this run", done["run"])
    assert "AWS arn:aws:" in act.who, "who did it is kept, as for the console"
    assert [each.who for each in history.of(of_run(done["run"]))] == [act.who]


def test_approve_disables_what_waited_for_a_word(operator: Operator) -> None:
    mapped(operator, MAPPING + "source: {exports: full, missing_products: disable}\n")
    imported(operator, item(1), item(2))
    held = imported(operator, item(1), name="b.xml")
    assert "approve" in held["hold"]
    assert held["outcome"] == "needs approval"
    assert "waits" in operator.types("doctor").out
    said = operator.types("approve", held["run"], "--json")
    assert (said.json["kind"], said.json["updated"]) == ("withdrawal", 1)
    product = operator.nights.pim.product_by_identifier("p2")
    assert product is not None
    assert product.enabled is False
    assert operator.types("approve", held["run"]).status == 2


def test_redrive_puts_dead_letters_back(operator: Operator) -> None:
    stack = operator.nights.stack
    stack.sqs.send_message(
        QueueUrl=stack.urls["dead-products"],
        MessageBody="x",
        MessageGroupId="group-0",
        MessageDeduplicationId="d",
    )
    problems = [f for f in operator.types("doctor", "--json").lines if f["level"] == "problem"]
    assert any("redrive product" in one["advice"] for one in problems)
    assert operator.types("redrive", "--json").json == {"product": 1, "asset": 0}
    assert operator.types("redrive", "nothing").status == 2


def test_doctor_finds_nothing_wrong_with_a_stack_that_works(operator: Operator) -> None:
    mapped(operator, MAPPING)
    said = operator.types("doctor", "--json")
    assert [one for one in said.lines if one["level"] == "problem"] == []
    assert said.status == 0
    about = {one["about"] for one in said.lines}
    assert about == {
        "bucket", "tables", "queues", "schedules", "clock", "PIM", "mappings", "breaker", "runs"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("denied", "words"),
    [
        ("product_edit", "may not create or update products"),
        ("family_list", "may not list families"),
    ],
)
def test_doctor_names_the_right_that_the_connection_lacks(
    operator: Operator, denied: str, words: str
) -> None:
    operator.nights.pim.accounts.denied.add(f"u:{denied}")
    try:
        said = operator.types("doctor")
    finally:
        operator.nights.pim.accounts.denied.clear()
    assert said.status == 1
    assert words in said.out
    assert "Web API permissions" in said.out


def test_doctor_tells_wrong_credentials_and_what_to_do(operator: Operator) -> None:
    import boto3

    wrong = {"client_id": "c", "secret": "very-secret", "username": "u", "password": "wrong"}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="akeneo", SecretString=json.dumps(wrong)
    )
    said = operator.types("doctor")
    assert said.status == 1
    assert "PIM" in said.out
    assert "very-secret" not in said.out + said.err


def test_a_stack_that_is_not_there_is_named(operator: Operator) -> None:
    said = operator.types("runs", "--stack", "nowhere")
    assert said.status == 2
    assert "stack nowhere was not reached" in said.err


def test_a_plan_says_which_products_would_be_disabled_and_that_it_needs_approval(
    operator: Operator,
) -> None:
    mapped(operator, MAPPING + "source: {exports: full, missing_products: disable}\n")
    imported(operator, item(1), item(2), item(3))
    Path("b.xml").write_text(export(item(1)))
    plan = operator.types("plan", "b.xml", "--json", "--details", "plan.ndjson").json
    assert (plan["missing"], plan["missing_of"], plan["disabled"]) == (2, 3, 2)
    assert "the mapping allows 5%" in plan["hold"]
    told = [json.loads(line) for line in Path("plan.ndjson").read_text().splitlines()]
    gone = {each["identifier"] for each in told if each["state"] == "disabled"}
    assert gone == {"p2", "p3"}
    said = operator.types("plan", "b.xml").out
    assert "2 products would be disabled" in said
    assert "would need approval first: 2 of 3 products are missing" in said
