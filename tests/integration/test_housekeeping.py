"""Housekeeping: closes runs that are settled, and looks after those that are stuck."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from functions.housekeeping import handler
from functions.splitter import handler as splitter
from pim_connector.aws.table import Table
from pim_connector.errors import ConfigurationError
from pim_connector.outcomes import Problem, RecordOutcome
from pim_connector.sync.message_results import ParkedGroup, Parking
from pim_connector.sync.messages import ClaimCheck, ProductMessage, decode, encode, released_id
from tests.integration.stack import BUCKET, ROOT, Context, Stack, credentials
from tests.integration.test_splitter import MAPPING, export

TICK = {"sweep": True}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        splitter.parts.cache_clear()
        handler.parts.cache_clear()
        stack.put("config/erp/shop.yaml", MAPPING)
        yield stack
        splitter.parts.cache_clear()
        handler.parts.cache_clear()


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    context: Any = Context()
    answer: dict[str, Any] = handler.lambda_handler(event, context)
    return answer


def settled(run: str) -> dict[str, Any]:
    return {"source": "pim-connector", "detail-type": "RunSettled", "detail": {"run": run}}


def take(event: dict[str, Any]) -> None:
    context: Any = Context()
    splitter.lambda_handler(event, context)


def split(stack: Stack, body: str) -> list[ProductMessage]:
    take(stack.put("incoming/shop/a.xml", body))
    return stack.messages()


def report(stack: Stack) -> tuple[dict[str, Any], list[dict[str, str]]]:
    folder = f"reports/{stack.run().id}"
    table = stack.get(f"{folder}/rejected.csv").decode("utf-8-sig")
    return json.loads(stack.get(f"{folder}/report.json")), list(csv.DictReader(io.StringIO(table)))


def test_a_settled_run_gets_its_report_its_file_moves_and_others_are_told(stack: Stack) -> None:
    stack.record(split(stack, export(1, 2, models=1)))
    assert invoke(settled(stack.run().id))["closed"] is True
    run = stack.run()
    assert (run.phase, run.file) == ("finished", "done/shop/a.xml")
    assert stack.keys("incoming/") == []
    assert stack.get("done/shop/a.xml").decode() == export(1, 2, models=1)
    found, rows = report(stack)
    assert (found["exact"], found["records"], found["counts"]["created"]) == (True, 3, 3)
    assert rows == []
    [(kind, detail)] = stack.told()
    assert (kind, detail["run"], detail["counts"]["created"]) == ("RunFinished", run.id, 3)
    assert list(stack.registry.open_runs()) == []


def test_a_run_with_records_under_way_is_not_closed(stack: Stack) -> None:
    messages = split(stack, export(*range(30)))
    stack.record(messages[:1])
    assert invoke(settled(stack.run().id))["closed"] is False
    assert invoke(TICK)["closed"] == ()
    assert stack.run().phase == "delivering"
    assert stack.keys("incoming/") == ["incoming/shop/a.xml"]


def test_closing_twice_changes_nothing_and_a_newer_file_of_the_name_stays(stack: Stack) -> None:
    stack.record(split(stack, export(1)))
    stack.put("incoming/shop/a.xml", export(2))
    first = stack.runs()[0]
    invoke(settled(first.id))
    invoke(settled(first.id))
    assert stack.get("incoming/shop/a.xml").decode() == export(2)
    assert stack.get("done/shop/a.xml").decode() == export(1)


def test_a_settled_run_is_closed_by_the_next_round_if_its_event_was_lost(stack: Stack) -> None:
    stack.record(split(stack, export(1)))
    assert invoke(TICK)["closed"] == (stack.run().id,)
    assert stack.run().phase == "finished"


def test_rejected_records_are_in_the_report_with_number_line_and_reason(stack: Stack) -> None:
    body = export(1).replace("</export>", "<product/>\n<product sku='P3'/></export>")
    messages = split(stack, body)
    for message in messages:
        outcomes = [
            RecordOutcome(
                number=each.number,
                line=each.line,
                state="rejected" if each.identifier == "P3" else "created",
                identifier=each.identifier,
                problems=(Problem(reason="too long", attribute="name", value="=x"),)
                if each.identifier == "P3"
                else (),
            )
            for each in message.records
        ]
        stack.deliveries.record_message(message.run, message.id, outcomes)
    invoke(TICK)
    found, rows = report(stack)
    assert (found["exact"], found["counts"]["rejected"]) == (True, 2)
    assert [(row["record"], row["line"], row["identifier"]) for row in rows] == [
        ("2", "3", ""),
        ("3", "4", "P3"),
    ]
    assert (rows[1]["reason"], rows[1]["value"]) == ("too long", "'=x")
    assert rows[0]["reason"]
    assert stack.run().file == "done/shop/a.xml"


def test_a_file_that_could_not_be_read_moves_to_failed_with_its_problem(stack: Stack) -> None:
    stack.record(split(stack, export(1, end="<product")))
    invoke(TICK)
    run = stack.run()
    assert (run.phase, run.file) == ("failed", "failed/shop/a.xml")
    assert "1 records before that place were handed on" in report(stack)[0]["problem"]
    assert stack.keys("incoming/") == []


def test_a_run_whose_states_do_not_add_up_is_never_called_finished(stack: Stack) -> None:
    [message] = split(stack, export(1, 2))[:1]
    stack.deliveries.record_message(message.run, message.id, [])
    stack.record([m for m in stack.messages() if m.id != message.id])
    stack.dynamodb.update_item(
        TableName="RunTable",
        Key={"pk": {"S": f"run#{message.run}"}, "sk": {"S": "run"}},
        UpdateExpression="SET sent = recorded",
    )
    invoke(TICK)
    run = stack.run()
    assert run.phase == "failed"
    assert "the file has 2" in (run.problem or "")
    assert report(stack)[0]["exact"] is False


def test_a_split_whose_worker_died_is_taken_up_again_when_its_lease_is_over(stack: Stack) -> None:
    parts = splitter.parts()
    now = parts.clock().timestamp()
    parts.leases.acquire("split#shop", "died", now)
    split(stack, export(1))
    assert invoke(TICK)["resumed"] == ()
    parts.leases.release("split#shop", "died")
    assert invoke(TICK)["resumed"] == (stack.run().id,)
    assert stack.told() == [("SplitContinues", {"run": stack.run().id})]


def park(stack: Stack, message: ProductMessage, *, since: int) -> ParkedGroup:
    [record] = message.records
    outcome = RecordOutcome(number=record.number, line=record.line, state="parked")
    later = released_id(message.id, record.number)
    group = ParkedGroup(
        parent="M0",
        run=message.run,
        message=later,
        group=message.group,
        heavy=f"claim-checks/{message.run}/{later}",
        since=since,
        records=1,
    )
    stack.put(group.heavy, encode(message))
    Parking(Table(stack.dynamodb, "RunTable")).park(group)
    stack.deliveries.record_message(message.run, message.id, [outcome])
    return group


def drained(stack: Stack) -> list[object]:
    return [decode(body) for body in stack._drain("products")]


def test_a_record_that_waited_too_long_for_its_parent_is_sent_a_last_time(stack: Stack) -> None:
    now = int(splitter.parts().clock().timestamp())
    [message] = split(stack, export(1))
    group = park(stack, message, since=now - 3_601)
    assert stack.run().settled is False
    assert invoke(TICK)["expired"] == 1
    assert drained(stack) == [ClaimCheck(run=group.run, heavy=group.heavy, last=True)]
    assert invoke(TICK)["expired"] == 0
    rejected = RecordOutcome(number=1, line=2, state="rejected")
    stack.deliveries.record_message(group.run, group.message, [rejected])
    invoke(TICK)
    assert (stack.run().phase, stack.run().counts["rejected"]) == ("finished", 1)


def test_a_record_that_waits_for_its_parent_not_yet_too_long_keeps_waiting(stack: Stack) -> None:
    [message] = split(stack, export(1))
    park(stack, message, since=int(splitter.parts().clock().timestamp()))
    assert invoke(TICK)["expired"] == 0
    assert drained(stack) == []


def test_a_run_with_dead_letters_says_so_and_names_the_records(stack: Stack) -> None:
    messages = split(stack, export(*range(5)))
    for message in messages:
        stack.sqs.send_message(
            QueueUrl=stack.urls["dead-products"],
            MessageBody=encode(message).decode(),
            MessageGroupId="x",
            MessageDeduplicationId=message.id,
        )
    assert invoke(TICK)["dead"] == len(messages)
    assert stack.run().dead == len(messages)
    found, rows = report(stack)
    assert found["messages"]["dead"] == len(messages)
    assert sorted(row["identifier"] for row in rows) == [f"P{n}" for n in range(5)]
    assert "dead-letter queue" in rows[0]["reason"]
    assert "redrive" in rows[0]["what_to_do"]
    assert len(stack._drain("dead-products")) == len(messages)
    stack.record(messages)
    invoke(TICK)
    assert (stack.run().dead, stack.run().phase) == (0, "finished")
    assert report(stack)[1] == []


def test_one_run_that_cannot_be_looked_after_does_not_stop_the_others(stack: Stack) -> None:
    stack.record(split(stack, export(1)))
    broken = stack.run()
    stack.put(f"records/{broken.id}/chunk-000001", b"")
    take(stack.put("incoming/shop/b.xml", export(2)))
    stack.record(stack.messages())
    answer = invoke(TICK)
    assert answer["closed"] == (stack.runs()[1].id,)
    assert stack.runs()[0].phase == "delivering"


def test_a_file_that_somebody_deleted_does_not_keep_its_run_open(stack: Stack) -> None:
    stack.record(split(stack, export(1)))
    for version in stack.s3.list_object_versions(Bucket=BUCKET, Prefix="incoming/")["Versions"]:
        name = {"Key": version["Key"], "VersionId": version["VersionId"]}
        stack.s3.delete_object(Bucket=BUCKET, **name)
    assert invoke(TICK)["closed"] == (stack.run().id,)


def test_any_other_event_says_that_something_is_connected_wrongly(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="housekeeping was called with"):
        invoke({"Records": []})


EVENTS = sorted((ROOT / "events" / "housekeeping").glob("*.json"))


def test_the_sample_events_do_what_their_names_say(stack: Stack) -> None:
    unknown, sweep = EVENTS
    assert "not-known" in unknown.stem
    stack.record(split(stack, export(1)))
    assert invoke(json.loads(unknown.read_text()))["closed"] is False
    assert stack.run().phase == "delivering"
    assert invoke(json.loads(sweep.read_text()))["closed"] == (stack.run().id,)
    assert len(EVENTS) == 2
