"""What PIM, network and Lambda do on bad days, and that nothing is lost or counted twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pim_connector.akeneo import AkeneoClient, ConnectionCredentials
from pim_connector.akeneo.pim import Breaker, Closed
from pim_connector.sync.messages import ClaimCheck, encode
from simulators.akeneo.accounts import Connection
from simulators.akeneo.faults import Faults
from tests.integration.mapper.examples import (
    MAPPING,
    OPTIONS,
    VARIANTS,
    boots,
    model,
    reasons,
    variant,
)
from tests.integration.mapper.world import SECRET, Killed, World, record


def arrived(world: World) -> set[str]:
    return set(world.pim.identifiers)


def is_closed(world: World) -> bool:
    return Breaker(world.dynamodb, "state").enter(world.clock.now()) == Closed()


@pytest.mark.parametrize(
    "faults",
    [
        {"cut_answers": 1, "cut_after_lines": 2},
        {"cut_answers": 2, "cut_after_lines": 0},
        {"too_many_requests": 2, "retry_after": 7},
        {"server_errors": 3, "server_error_status": 502},
        {"dropped_connections": 2},
        {"timeouts_after": 1, "timeout_seconds": 0.2},
        {"timeouts_before": 1, "timeout_seconds": 0.2},
        {"deadlock_lines": 3},
        {"payload_limit": 500},
    ],
    ids=lambda faults: next(iter(faults)),
)
def test_a_fault_that_passes_costs_nothing_but_time(world: World, faults: dict[str, Any]) -> None:
    world.pim.faults = Faults().changed(faults | {"only": "PATCH /products"})
    world.send("run-1", world.put_mapping(MAPPING), boots(10))

    world.deliver_all()

    assert sum(world.counts("run-1").values()) == 10
    assert set(world.counts("run-1")) <= {"created", "updated"}
    assert len(arrived(world)) == 10
    assert is_closed(world)


def test_a_token_that_ends_early_is_renewed(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("run-1", mapping, boots(1))
    world.deliver_all()
    world.pim.accounts.expire_all()

    world.send("run-2", mapping, boots(1, "Shoe"))
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}


def test_eight_hours_of_outage_need_nobody(world: World) -> None:
    world.pim.faults = Faults(down=503)
    mapping = world.put_mapping(MAPPING)
    for group in range(3):
        world.send("run-1", mapping, boots(2, first=group * 2), id=f"00000{group}", group=group)
    end, invocations = world.clock.time + 8 * 3600, 0

    while world.clock.time < end:
        world.invoke()
        invocations += 1
        world.clock.time += world.waits[-1]
    calls = sum(world.pim.counters.report()["calls"].values())
    world.pim.faults = Faults()
    world.deliver_all()

    assert world.counts("run-1") == {"created": 6}
    assert world.dead() == []
    assert invocations < 200
    assert calls < 400
    assert is_closed(world)


def test_while_the_pim_is_down_other_workers_do_not_ask_it(world: World) -> None:
    world.pim.faults = Faults(down=503)
    mapping = world.put_mapping(MAPPING)
    world.send("run-1", mapping, boots(1), group=0)
    world.send("run-1", mapping, boots(1, first=2), id="000002", group=1)
    world.invoke()
    calls = sum(world.pim.counters.report()["calls"].values())

    world.start_worker()
    world.invoke()

    assert sum(world.pim.counters.report()["calls"].values()) == calls
    assert world.waits[-1] > 0


def test_wrong_credentials_stop_the_flow_at_once_and_it_goes_on_when_they_are_right(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = SECRET | {"password": "n0t-the-p4ssw0rd"}
    world.secrets.put_secret_value(SecretId="akeneo", SecretString=json.dumps(wrong))
    world.send("run-1", world.put_mapping(MAPPING), boots(1))

    world.invoke()

    out = capsys.readouterr().out
    assert '"PimCredentialsRefused":[1.0]' in out
    assert not any(word in out for word in (wrong["password"], wrong["secret"]))
    assert not is_closed(world)
    assert world.counts("run-1") == {}

    world.secrets.put_secret_value(SecretId="akeneo", SecretString=json.dumps(SECRET))
    world.clock.time += 60
    world.deliver_all()

    assert world.counts("run-1") == {"created": 1}
    assert is_closed(world)


def test_a_rotated_secret_is_read_again_without_losing_a_beat(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("run-1", mapping, boots(1))
    world.deliver_all()
    rotated = SECRET | {"password": "n3w-p4ssw0rd"}
    world.pim.accounts.connect(Connection(**rotated))
    world.pim.accounts.expire_all()
    world.secrets.put_secret_value(SecretId="akeneo", SecretString=json.dumps(rotated))

    world.send("run-2", mapping, boots(1, "Shoe"))
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}
    assert world.waits == []


def test_a_run_whose_mapping_is_gone_is_put_aside_and_others_go_on(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    gone = world.put_mapping(MAPPING + "# another\n")
    world.s3.delete_object(Bucket="bucket", Key=gone.key, VersionId=gone.version)
    world.send("run-1", gone, boots(1))
    world.send("run-2", mapping, boots(1, first=2))

    world.deliver_all()

    (letter,) = world.dead()
    assert "not in the bucket any more" in letter["MessageAttributes"]["reason"]["StringValue"]
    assert world.counts("run-2") == {"created": 1}


def test_a_message_of_no_known_form_goes_to_the_dead_letters_with_the_reason(world: World) -> None:
    message = world.send("run-1", world.put_mapping(MAPPING), [])
    world.invoke()
    world.queue_body('{"v": 99, "run": "x"}', message)

    world.deliver_all()

    (letter,) = world.dead()
    assert letter["Body"] == '{"v": 99, "run": "x"}'
    assert "version 99" in letter["MessageAttributes"]["reason"]["StringValue"]


def test_a_message_that_kills_its_worker_five_times_is_put_aside(world: World) -> None:
    message = world.send("run-1", world.put_mapping(MAPPING), boots(1))
    for _ in range(5):
        world.kills.seen.clear()
        world.kills.at = 1
        with pytest.raises(Killed):
            world.invoke()
        world.start_worker()
    world.kills.at = None

    world.deliver_all()

    (letter,) = world.dead()
    assert letter["Body"] == encode(message).decode()
    assert "5 attempts" in letter["MessageAttributes"]["reason"]["StringValue"]
    assert world.counts("run-1") == {}

    world.queue_body(letter["Body"], message)  # redriven, when what killed the worker is fixed
    world.deliver_all()

    assert world.counts("run-1") == {"created": 1}


def test_a_line_the_pim_never_answers_for_does_not_hold_up_its_group_for_ever(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.pim.faults = Faults(deadlock_lines=1_000_000, only="PATCH /products")
    world.send("run-1", mapping, boots(1))

    world.deliver_all()

    assert world.counts("run-1") == {"rejected": 1}
    assert "never answered" in reasons(world, "run-1", 1)
    assert is_closed(world)
    assert sum(world.waits) > 1800


def test_an_exception_nobody_foresaw_leaves_the_message_in_the_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pim_connector.products.delivery.submit", lambda *_: 1 / 0)
    world.send("run-1", world.put_mapping(MAPPING), boots(1))

    answer = world.invoke()

    assert answer is not None
    assert len(answer["batchItemFailures"]) == 1
    assert world.waits == [60]
    monkeypatch.undo()


def test_a_booked_message_that_comes_again_does_not_bother_the_pim(world: World) -> None:
    same = [record(n, f"sku-{n}", "<ean>4006381333931</ean>") for n in (1, 2)]
    message = world.send("run-1", world.put_mapping(MAPPING), same)
    world.deliver_all()
    world.queue_body(encode(message).decode(), message)

    world.deliver_all()

    assert world.counts("run-1") == {"created": 1, "rejected": 1}
    assert world.calls("PATCH /products") == 1


def test_a_model_that_comes_while_its_variant_is_being_parked_is_not_missed(world: World) -> None:
    mapping = world.put_mapping(VARIANTS)
    world.send("run-1", mapping, [variant(1, "boots-s", "boots")])

    def create_model(name: str) -> None:
        if name == "PutObject" and world.calls("PATCH /products") and not world.pim.models:
            create_boots(world)

    world.kills.meanwhile = create_model
    world.deliver_all()

    assert world.counts("run-1") == {"created": 1}
    assert world.run("run-1").settled


def create_boots(world: World) -> None:
    credentials = ConnectionCredentials(**SECRET)
    with AkeneoClient(world.settings.akeneo_url, credentials) as pim:
        pim.upsert_product_models([{"code": "boots", "family_variant": "by_size"}])


def test_records_parked_by_an_attempt_that_was_killed_are_counted_once(world: World) -> None:
    """The model comes between park and redelivery: two messages then carry the variant."""
    mapping = world.put_mapping(VARIANTS)
    world.send("warm-up", mapping, [variant(1, "other", "other")])
    world.deliver_all()
    world.kills.seen.clear()
    world.send("dry", mapping, [variant(1, "dry-s", "boots")])
    world.deliver_all()
    raw_kept = len(world.kills.seen) - world.kills.seen[::-1].index("PutObject")
    message = world.send("run-1", mapping, [variant(1, "boots-s", "boots")])
    world.kills.seen.clear()
    world.kills.at = raw_kept
    with pytest.raises(Killed):
        world.invoke()
    world.kills.at = None
    assert len(world.parking.waiting_for("boots")) == 2

    world.start_worker()
    create_boots(world)
    world.deliver_all()
    (group,) = [g for g in world.parking.waiting_for("boots") if g.run == "run-1"]
    world.queue_body(encode(ClaimCheck(run="run-1", heavy=group.heavy)).decode(), message)
    world.deliver_all()

    assert world.counts("run-1") == {"created": 1}
    assert world.run("run-1").settled


def test_option_writes_keep_to_the_pace_that_all_workers_share(world: World) -> None:
    mapping = world.put_mapping(OPTIONS)
    for n in range(4):
        colors = [record(n, f"sku-{n}", f"<color>c{n}</color>")]
        world.send("run-1", mapping, colors, id=f"00000{n}", group=n)
    start = world.clock.slept

    world.deliver_all()

    assert world.calls("PATCH /attributes/{attribute}/options") == 4
    assert world.clock.slept - start >= 3 * 0.35 - 0.001


Scenario = Callable[[World, str], None]
"""Sends messages of the run that is named; all else has a name made of that one."""


def products(world: World, run: str) -> None:
    world.send(run, world.put_mapping(OPTIONS), [record(1, run, f"<color>c{run}</color>")])


def waiting_variant(world: World, run: str) -> None:
    mapping = world.put_mapping(VARIANTS)
    world.send(run, mapping, [variant(1, run, f"m-{run}")])
    world.send(run, mapping, [model(2, f"m-{run}")], id="000002", resource="product_model")


def refused(world: World, run: str) -> None:
    two = [record(n, f"{run}{'x' * n}", f"<ean>{run}</ean>") for n in (0, 1)]
    world.send(run, world.put_mapping(MAPPING), two)


def image(world: World, run: str) -> None:
    mapping = world.put_mapping(MAPPING.replace("ean: ean", "image: image"))
    world.bucket.put("incoming/shop/1.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20)
    world.send(run, mapping, [record(1, run, "<name>A</name><image>1.png</image>")])


@pytest.mark.parametrize(
    ("scenario", "counts"),
    [
        (products, {"created": 1}),
        (waiting_variant, {"created": 2}),
        (refused, {"created": 1, "rejected": 1}),
        (image, {"created": 1}),
    ],
)
def test_killed_at_any_moment_and_delivered_again_all_ends_as_it_should(
    world: World, scenario: Scenario, counts: dict[str, int]
) -> None:
    for moment in range(1, 100):
        run = f"r{moment:02}"
        scenario(world, run)
        world.kills.seen.clear()
        world.kills.at = moment
        where = "not killed any more"
        try:
            world.deliver_all()
        except Killed as killed:
            where = f"killed after write {moment}, {killed}"
        world.kills.at = None
        world.start_worker()
        world.deliver_all()
        found = world.counts(run)
        assert sum(found.values()) == sum(counts.values()), where
        assert found.get("rejected", 0) == counts.get("rejected", 0), where
        assert "parked" not in found, where
        assert run in arrived(world), where
        assert world.run(run).settled, where
        if where == "not killed any more":
            assert found == counts
            break
    assert moment > 6
