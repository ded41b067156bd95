"""The splitter, from an event of S3 to messages on the product queue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from moto import mock_aws

from functions.splitter import handler
from pim_connector.errors import ConfigurationError
from pim_connector.sync.messages import ProductMessage
from pim_connector.sync.runs import Run
from pim_connector.sync.state import StateEntry, SyncState
from tests.integration.stack import BUCKET, ROOT, Context, Stack, credentials

MAPPING = """
version: 1
records:
  model:
    path: /export/model
    resource: product_model
    identifier: "@code"
    family: tents
    family_variant: tents_by_size
  product:
    path: /export/product
    when: not(@skip)
    identifier: "@sku"
    parent: "@model"
    family: tents
    values:
      name: name
"""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        handler.parts.cache_clear()
        stack.put("config/erp/shop.yaml", MAPPING)
        yield stack
        handler.parts.cache_clear()


def invoke(event: dict[str, Any], **context: Any) -> dict[str, Any]:
    lambda_context: Any = Context(**context)
    answer: dict[str, Any] = handler.lambda_handler(event, lambda_context)
    return answer


def export(*products: int, models: int = 0, note: str = "", end: str = "</export>") -> str:
    lines = [f'<model code="M{number}"/>' for number in range(models)]
    for number in products:
        model = f' model="M{number % models}"' if models else ""
        lines.append(f'<product sku="P{number}"{model}><name>{note}{number}</name></product>')
    return "<export>\n" + "\n".join(lines) + "\n" + end


def identifiers(messages: list[ProductMessage]) -> list[str]:
    return [record.identifier for message in messages for record in message.records]


def accept(stack: Stack, messages: list[ProductMessage]) -> None:
    """Do what the mapper does when the PIM took everything: sync state, then the run's books."""
    enter(stack, messages)
    stack.record(messages)


def enter(stack: Stack, messages: list[ProductMessage]) -> None:
    """Enter in the sync state that the PIM took everything."""
    sync_state = SyncState(stack.dynamodb, "SyncStateTable")
    sync_state.accept(
        [
            StateEntry(
                source=message.source,
                resource=message.resource,
                identifier=record.identifier,
                order=message.order,
                fingerprint=record.fingerprint,
                mapping=message.mapping.digest,
                slots=b"",
                run=message.run,
                record=record.number,
            )
            for message in messages
            for record in message.records
        ]
    )


def test_an_uploaded_file_becomes_messages_of_its_records_models_first(stack: Stack) -> None:
    event = stack.put("incoming/shop/a.xml", export(*range(250), models=3))
    answer = invoke(event)
    run, messages = stack.run(), stack.messages()
    assert answer["split"] == [run.id]
    assert sorted(identifiers(messages)) == sorted(
        [f"M{n}" for n in range(3)] + [f"P{n}" for n in range(250)]
    )
    for group in (0, 1):
        kinds = [message.resource for message in messages if message.group == group]
        assert kinds == sorted(kinds, reverse=True)
    assert (run.phase, run.records, run.sent) == ("delivering", 253, len(messages))
    assert stack.told() == []
    assert all(message.run == run.id and message.order == run.order for message in messages)
    assert run.mapping == messages[0].mapping


def test_starting_twice_on_the_same_version_changes_nothing(stack: Stack) -> None:
    event = stack.put("incoming/shop/a.xml", export(1, 2))
    invoke(event)
    first = (stack.run(), len(stack.messages()))
    again = invoke(event)
    assert again["taken_in"] == again["split"] == []
    assert (stack.run(), stack.messages()) == (first[0], [])


def test_a_notification_with_several_objects_takes_the_files_and_tells_why_not_the_others(
    stack: Stack,
) -> None:
    keys = ["incoming/shop/a b+c.xml", "incoming/shop/", "incoming/lost.xml", "incoming/shop/é.xml"]
    for number, key in enumerate(keys):
        stack.put(key, export(number) if key.endswith(".xml") else "")
    records = [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key)}},
        }
        for key in keys
    ]
    answer = invoke({"Records": records})
    assert sorted(identifiers(stack.messages())) == ["P0", "P3"]
    reasons = {each["key"]: each["reason"] for each in answer["ignored"]}
    assert "directory marker" in reasons["incoming/shop/"]
    assert "move it to incoming/<source>/" in reasons["incoming/lost.xml"]
    assert "incoming/lost.xml" in stack.keys("incoming/")


def test_an_event_that_comes_after_the_file_was_moved_is_nothing_to_do(stack: Stack) -> None:
    event = stack.put("incoming/shop/a.xml", export(1))
    del event["detail"]["object"]["version-id"]
    stack.s3.delete_object(Bucket=BUCKET, Key="incoming/shop/a.xml")
    [ignored] = invoke(event)["ignored"]
    assert "moved or deleted" in ignored["reason"]


def test_with_the_nightly_trigger_uploads_wait_for_the_sweep(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGER", "nightly")
    handler.parts.cache_clear()
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    invoke(stack.put("incoming/shop/a.xml", export(2)))
    assert [run.phase for run in stack.runs()] == ["noted", "noted"]
    assert stack.messages() == []
    invoke({"sweep": True})
    assert [run.phase for run in stack.runs()] == ["delivering", "delivering"]
    assert sorted(identifiers(stack.messages())) == ["P1", "P2"]


def test_the_sweep_starts_what_no_event_announced_and_nothing_a_second_time(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    stack.put("incoming/shop/b.xml", export(2))
    stack.messages()
    assert len(invoke({"sweep": True})["split"]) == 1
    assert identifiers(stack.messages()) == ["P2"]
    assert invoke({"sweep": True})["split"] == []


def test_a_file_without_a_mapping_stays_and_is_taken_up_when_the_mapping_comes(
    stack: Stack,
) -> None:
    invoke(stack.put("incoming/other/a.xml", export(1)))
    run = stack.run()
    assert run.phase == "failed"
    assert run.problem is not None
    assert "upload config/erp/other.yaml" in run.problem
    assert stack.keys("incoming/") == ["incoming/other/a.xml"]
    invoke(stack.put("config/erp/other.yaml", MAPPING))
    assert (stack.run().phase, stack.run().problem) == ("delivering", None)
    assert identifiers(stack.messages()) == ["P1"]


def test_a_broken_mapping_is_told_with_its_line_and_the_file_waits_for_the_sweep(
    stack: Stack,
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING.replace("identifier", "identifyer"))
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    run = stack.run()
    assert run.phase == "failed"
    assert run.problem is not None
    assert "config/erp/shop.yaml:7" in run.problem
    stack.put("config/erp/shop.yaml", MAPPING)
    invoke({"sweep": True})
    assert identifiers(stack.messages()) == ["P1"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "is empty (0 bytes)"),
        ("sku;name\n1;Tent\n", "Nothing was handed on"),
        ("<other><product sku='1'/></other>", "no record at /export/model or /export/product"),
        ("<export></export>", "no element of the file matches"),
    ],
    ids=["0 bytes", "another format", "another structure", "no records"],
)
def test_a_file_that_gives_nothing_ends_its_run_with_what_to_do(
    stack: Stack, body: str, words: str
) -> None:
    invoke(stack.put("incoming/shop/a.xml", body))
    run = stack.run()
    assert run.problem is not None
    assert words in run.problem
    assert (run.phase, run.records, run.sent, run.settled) == ("delivering", 0, 0, True)
    assert stack.told() == [("RunSettled", {"run": run.id})]


def test_a_file_that_breaks_off_hands_on_what_was_before(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(*range(120), end="<product sku='P1")))
    run = stack.run()
    assert run.problem is not None
    assert "line 122" in run.problem
    assert "column" in run.problem
    assert "The 120 records before that place were handed on" in run.problem
    assert sorted(identifiers(stack.messages())) == sorted(f"P{n}" for n in range(120))


def test_filtered_and_rejected_records_are_counted_and_the_rejected_kept(stack: Stack) -> None:
    body = export(1).replace(
        "</export>", "<product sku='P2' skip='1'/><product/><product sku='P4'/></export>"
    )
    invoke(stack.put("incoming/shop/a.xml", body))
    run = stack.run()
    assert (run.records, run.counts["filtered"], run.counts["rejected"]) == (4, 1, 1)
    assert identifiers(stack.messages()) in (["P1", "P4"], ["P4", "P1"])
    assert stack.keys(f"records/{run.id}/") == [f"records/{run.id}/chunk-000001"]


def split_in_pieces(stack: Stack, event: dict[str, Any], **context: Any) -> int:
    """Invoke, and invoke again for each request to go on; gives the number of invocations."""
    invoke(event, **context)
    for count in range(1, 50):
        told = [detail for kind, detail in stack.told() if kind == "SplitContinues"]
        if not told:
            return count
        for detail in told:
            invoke({"detail-type": "SplitContinues", "detail": detail}, **context)
    raise AssertionError("the split goes on for ever")


def test_a_split_that_runs_out_of_time_goes_on_in_a_new_invocation(stack: Stack) -> None:
    event = stack.put("incoming/shop/a.xml", export(*range(1_500), models=540))
    assert split_in_pieces(stack, event, milliseconds=5_000) == 4
    run, messages = stack.run(), stack.messages()
    assert (run.phase, run.records, run.sent) == ("delivering", 2_040, len(messages))
    assert Counter(identifiers(messages)) == Counter(
        [f"M{n}" for n in range(540)] + [f"P{n}" for n in range(1_500)]
    )
    assert len(messages) <= 2 * 2 + 2_040 // 100


def shape(messages: list[ProductMessage]) -> dict[str, list[int]]:
    return {message.id: [record.number for record in message.records] for message in messages}


@pytest.mark.parametrize("kills", [[2], [1, 4], [3, 5]])
def test_a_split_that_is_killed_at_any_request_sends_the_same_messages_in_the_end(
    stack: Stack, kills: list[int]
) -> None:
    body = export(*range(1_400))
    invoke(stack.put("incoming/shop/a.xml", body))
    handler.parts().registry.close(stack.run().id)
    expected = shape(stack.messages())
    event = stack.put("incoming/shop/b.xml", body)
    found: dict[str, list[int]] = {}
    steps: list[Callable[[], object]] = [partial(dying, event, kill) for kill in kills]
    steps.append(partial(invoke, event))
    for step in steps:
        step()
        messages = stack.messages()
        enter(stack, messages)
        for name, numbers in shape(messages).items():
            assert found.setdefault(name, numbers) == numbers
    run = stack.runs()[-1]
    assert found == expected
    assert (run.phase, run.records, run.sent) == ("delivering", 1_400, len(expected))


class KilledError(BaseException):
    """The worker is gone: no handler of the code may see it off."""


def dying(event: dict[str, Any], kill: int) -> None:
    """Invoke, and kill the worker at its n-th request to SQS; its lease runs out after that."""
    requests = 0

    def die(**_: Any) -> None:
        nonlocal requests
        requests += 1
        if requests == kill:
            raise KilledError

    parts = handler.parts()
    client = parts.queue._client
    client.meta.events.register("before-send.sqs", die)
    try:
        with pytest.raises(KilledError):
            invoke(event)
    finally:
        client.meta.events.unregister("before-send.sqs", die)


def test_unchanged_products_go_no_further_and_changed_ones_do(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(1, 2, 3)))
    accept(stack, stack.messages())
    handler.parts().registry.close(stack.run().id)
    body = export(1, 2, 3).replace("<name>2</name>", "<name>two</name>")
    invoke(stack.put("incoming/shop/b.xml", body))
    assert identifiers(stack.messages()) == ["P2"]
    assert stack.runs()[-1].counts["unchanged"] == 2


def test_while_an_older_file_is_under_way_everything_is_queued(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    accept(stack, stack.messages())
    invoke(stack.put("incoming/shop/b.xml", export(1)))
    assert identifiers(stack.messages()) == ["P1"]


def test_another_mapping_has_every_record_looked_at_again(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    accept(stack, stack.messages())
    handler.parts().registry.close(stack.run().id)
    stack.put("config/erp/shop.yaml", MAPPING.replace("name: name", "title: name"))
    invoke(stack.put("incoming/shop/b.xml", export(1)))
    assert identifiers(stack.messages()) == ["P1"]


def test_an_older_file_that_comes_late_gives_way_to_what_newer_ones_hold(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = stack.put("incoming/shop/a.xml", export(1, 2, note="old "))
    newer = stack.put("incoming/shop/b.xml", export(2, 3, note="new "))
    invoke(newer)
    stack.messages()
    invoke(older)
    assert identifiers(stack.messages()) == ["P1"]
    assert stack.runs()[0].counts["superseded"] == 1


def test_files_of_a_source_are_split_one_after_the_other_in_their_order(stack: Stack) -> None:
    stack.put("incoming/shop/b.xml", export(2))
    stack.put("incoming/shop/a.xml", export(1))
    stack.put("incoming/shop/c.xml", export(3))
    invoke({"sweep": True})
    in_order = [run.id for run in stack.runs()]
    assert len(in_order) == 3
    assert list(dict.fromkeys(message.run for message in stack.messages())) == in_order


def test_a_second_splitter_leaves_a_source_to_the_first_which_takes_its_file_too(
    stack: Stack,
) -> None:
    parts = handler.parts()
    now = parts.clock().timestamp()
    assert parts.leases.acquire("split#shop", "somebody else", now)
    event = stack.put("incoming/shop/a.xml", export(1))
    assert invoke(event)["split"] == []
    assert (stack.run().phase, stack.messages()) == ("waiting", [])
    parts.leases.release("split#shop", "somebody else")
    assert len(invoke({"resume": stack.run().id})["split"]) == 1


def test_a_splitter_that_lost_its_run_changes_nothing_more(stack: Stack) -> None:
    event = stack.put("incoming/shop/a.xml", export(*range(2_500)))

    def taken_over() -> int:
        run = stack.run()
        if run.mapping and run.fence == 1 and run.records:
            handler.parts().splits.begin(run, run.mapping, "2026")
        return 900_000

    context: Any = Context()
    context.get_remaining_time_in_millis = taken_over
    assert handler.lambda_handler(event, context)["split"] == []
    assert (stack.run().records, stack.run().phase) == (1_000, "splitting")
    assert len(identifiers(stack.messages())) <= 1_000


def test_a_hundred_heavy_records_travel_by_pointer_as_one_message(stack: Stack) -> None:
    text = "ü" * 6_000
    products = "".join(
        f'<product sku="P{n}" model="M"><name>{text}</name></product>' for n in range(150)
    )
    invoke(stack.put("incoming/shop/a.xml", f"<export>{products}</export>"))
    run = stack.run()
    messages = stack.messages()
    assert [len(message.records) for message in messages] == [100, 50]
    assert f"claim-checks/{run.id}/000001" in stack.keys("claim-checks/")
    assert identifiers(messages) == [f"P{n}" for n in range(150)]


def test_repeated_products_are_all_queued_in_their_order(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(1, 2, 1, 1)))
    assert identifiers(stack.messages()).count("P1") == 3
    assert stack.run().duplicates == 2


def test_a_full_export_says_how_many_products_of_the_last_one_are_missing(stack: Stack) -> None:
    stack.put("config/erp/shop.yaml", MAPPING + "\nsource: {exports: full}\n")
    invoke(stack.put("incoming/shop/a.xml", export(1, 2, 3)))
    invoke(stack.put("incoming/shop/b.xml", export(3, 4)))
    first, second = stack.runs()
    assert (first.missing, second.missing) == (None, 2)
    [key] = stack.keys(f"manifests/shop/{second.id}.identifiers/")
    assert json.loads(stack.get(key)) == [
        ["product", "P3", "P3", False],
        ["product", "P4", "P4", False],
    ]


def test_a_stack_that_is_not_set_up_says_which_variable(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BUCKET")
    handler.parts.cache_clear()
    with pytest.raises(ConfigurationError, match="BUCKET"):
        invoke({"sweep": True})


def test_a_file_that_kills_every_splitter_ends_its_run_instead_of_blocking_the_source(
    stack: Stack,
) -> None:
    event = stack.put("incoming/shop/a.xml", export(*range(1_500)))
    invoke(event, milliseconds=5_000)
    run = stack.run()
    assert run.mapping is not None
    for _ in range(7):
        handler.parts().splits.begin(run, run.mapping, "2026")
    invoke({"resume": run.id})
    ended: Run = stack.run()
    assert ended.phase == "delivering"
    assert ended.problem is not None
    assert "stopped 6 times after record 1000" in ended.problem
    assert len(identifiers(stack.messages())) == ended.records == 1_000


def test_the_exports_own_time_decides_which_file_is_newer_where_the_mapping_names_it(
    stack: Stack,
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING + '\nsource: {order: "/export/@at"}\n')
    evening = export(1, 2).replace("<export>", '<export at="2026-11-20T20:00:00">')
    noon = export(2, 3).replace("<export>", '<export at="2026-11-20T12:00:00">')
    invoke(stack.put("incoming/shop/a.xml", evening))
    stack.messages()
    invoke(stack.put("incoming/shop/b.xml", noon))
    assert identifiers(stack.messages()) == ["P3"]
    late = next(run for run in stack.runs() if run.key == "incoming/shop/b.xml")
    assert late.order.startswith("2026-11-20T12:00:00.000000Z|")
    assert late.counts["superseded"] == 1


def test_a_file_without_the_time_its_mapping_names_ends_its_run(stack: Stack) -> None:
    stack.put("config/erp/shop.yaml", MAPPING + '\nsource: {order: "/export/@at"}\n')
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    run = stack.run()
    assert "source.order" in (run.problem or "")
    assert (run.settled, stack.messages()) == (True, [])


EVENTS = sorted((ROOT / "events" / "splitter").glob("*.json"))
OUTCOMES: dict[str, tuple[int, int, set[str]]] = {
    "a-directory-marker-and-a-file-outside-a-source-are-ignored": (0, 2, set()),
    "a-file-without-a-mapping-stays-in-the-inbox": (1, 0, {"failed"}),
    "a-notification-with-an-encoded-key-is-split": (1, 0, {"delivering"}),
    "a-run-that-is-not-known-is-nothing-to-go-on-with": (0, 0, set()),
    "an-empty-file-ends-its-run": (1, 0, {"delivering"}),
    "an-uploaded-file-is-split": (1, 0, {"delivering"}),
    "the-nightly-sweep-splits-what-lies-there": (4, 0, {"delivering", "failed"}),
    "the-test-event-is-answered": (0, 1, set()),
}


def test_every_sample_event_has_its_outcome() -> None:
    assert [path.stem for path in EVENTS] == sorted(OUTCOMES)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_sample_event_does_what_its_name_says(stack: Stack, path: Path) -> None:
    for key in ("shop/products.xml", "shop/price list ü.xml", "unmapped/products.xml"):
        stack.put(f"incoming/{key}", export(1, 2))
    stack.put("incoming/shop/empty.xml", "")
    answer = invoke(json.loads(path.read_text()))
    taken_in, ignored, phases = OUTCOMES[path.stem]
    assert (len(answer["taken_in"]), len(answer["ignored"])) == (taken_in, ignored)
    assert {run.phase for run in stack.runs()} == phases


def test_a_file_without_a_change_is_told_as_settled_when_it_is_read(stack: Stack) -> None:
    invoke(stack.put("incoming/shop/a.xml", export(1)))
    accept(stack, stack.messages())
    handler.parts().registry.close(stack.run().id)
    invoke(stack.put("incoming/shop/b.xml", export(1)))
    run = stack.runs()[-1]
    assert (run.counts["unchanged"], run.settled) == (1, True)
    assert stack.told() == [("RunSettled", {"run": run.id})]


def test_a_product_repeated_after_a_time_out_is_known_to_be_repeated(stack: Stack) -> None:
    event = stack.put("incoming/shop/a.xml", export(*range(1_100), 5))
    split_in_pieces(stack, event, milliseconds=5_000)
    run = stack.run()
    assert (run.records, run.duplicates) == (1_101, 1)
    assert len(stack.get(f"manifests/shop/{run.id}.2")) == 8 * 1_100
