"""The books of a run on DynamoDB: every message counted once, whatever is repeated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from pim_connector.aws.table import LEASE_SECONDS, ItemChange, Leases, Table
from pim_connector.errors import ConfigurationError
from pim_connector.outcomes import STATES, Problem, RecordOutcome, State
from pim_connector.sync.message_results import Deliveries, ParkedGroup, Parking
from pim_connector.sync.messages import released_id
from pim_connector.sync.runs import Registry, Run
from tests.integration.stack import Stack, credentials


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        yield Table(stack.dynamodb, "RunTable")


def register(table: Table, name: str = "r1") -> Run:
    run = Run(
        id=name,
        source="shop",
        bucket="b",
        key="incoming/shop/a.xml",
        version="v",
        size=1,
        order=name,
        turn=name,
        phase="waiting",
        counts=dict.fromkeys(STATES, 0),
    )
    assert Registry(table).register(run)
    return run


def outcome(number: int, state: State, *problems: Problem) -> RecordOutcome:
    return RecordOutcome(number=number, line=number, state=state, problems=problems)


def counts(table: Table) -> dict[State, int]:
    run = Registry(table).get("r1")
    assert run is not None
    return {state: number for state, number in run.counts.items() if number}


def test_a_message_that_is_stored_twice_counts_once(table: Table) -> None:
    register(table)
    deliveries = Deliveries(table)
    assert not deliveries.message_recorded("r1", "000001")
    assert deliveries.record_message("r1", "000001", [outcome(1, "created")])
    assert not deliveries.record_message("r1", "000001", [outcome(1, "updated")])
    assert deliveries.message_recorded("r1", "000001")
    assert counts(table) == {"created": 1}
    assert [each.state for each in deliveries.outcomes("r1")] == ["created"]


def test_a_parked_record_is_counted_once_when_it_was_released(table: Table) -> None:
    register(table)
    deliveries = Deliveries(table)
    deliveries.record_message("r1", "000001", [outcome(1, "created"), outcome(2, "parked")])
    assert counts(table) == {"created": 1, "parked": 1}
    released = released_id("000001", 2)
    deliveries.record_message("r1", released, [outcome(2, "parked")])
    assert counts(table) == {"created": 1, "parked": 1}
    again = released_id(released, 2)
    assert deliveries.record_message("r1", again, [outcome(2, "updated")])
    assert not deliveries.record_message("r1", again, [outcome(2, "updated")])
    assert counts(table) == {"created": 1, "updated": 1}


def test_what_a_message_rejects_fits_the_table_however_much_there_is_to_say(
    table: Table,
) -> None:
    register(table)
    problem = Problem(reason="é" * 50_000, value="x" * 50_000, attribute="name")
    outcomes = [outcome(number, "rejected", *(30 * [problem])) for number in range(100)]
    assert Deliveries(table).record_message("r1", "000001", outcomes)
    [first, *_] = Deliveries(table).outcomes("r1")
    assert len(first.problems) == 21
    assert first.problems[-1].reason == "and 10 more problems of this record"


def test_attempts_are_counted_unless_they_ended_well(table: Table) -> None:
    deliveries = Deliveries(table)
    assert deliveries.start_attempt("r1", "000001", expires_at=1) == 1
    deliveries.end_attempt("r1", "000001")
    assert [deliveries.start_attempt("r1", "000001", expires_at=1) for _ in range(2)] == [1, 2]


def test_a_parked_group_is_found_by_its_parent_and_by_its_run_until_it_is_released(
    table: Table,
) -> None:
    group = ParkedGroup(
        parent="M1",
        run="r1",
        message="000001.2",
        group=0,
        heavy="h",
        since=5,
        records=2,
        models=("M1-red", "M1-blue"),
    )
    parking = Parking(table)
    parking.park(group)
    parking.park(group)
    assert parking.waiting_for("M1") == list(parking.of_run("r1")) == [group]
    assert parking.waiting_for("M2") == []
    parking.unpark(group)
    parking.unpark(group)
    assert parking.waiting_for("M1") == list(parking.of_run("r1")) == []


def test_a_lease_is_held_by_one_until_it_is_given_back_or_runs_out(table: Table) -> None:
    leases = Leases(Table(table._client, "StateTable"))
    assert leases.acquire("x", "a", 1_000)
    assert not leases.acquire("x", "b", 1_001)
    assert leases.acquire("x", "a", 1_001)
    leases.release("x", "b")
    assert leases.held("x", 1_002)
    assert leases.acquire("x", "b", 1_001 + LEASE_SECONDS + 1)
    leases.release("x", "b")
    assert not leases.held("x", 1_500)


def test_all_runs_are_listed_the_newest_first_and_known_ones_stay_what_they_are(
    table: Table,
) -> None:
    first = register(table, "r1")
    register(table, "r2")
    assert not Registry(table).register(first)
    assert [name.run for name in Registry(table).all_runs()] == ["r2", "r1"]


def test_a_change_whose_condition_does_not_hold_changes_nothing(table: Table) -> None:
    key = {"pk": "a", "sk": "b"}
    table.put(key | {"n": 1})
    assert (
        table.update(key, ItemChange(add={"n": 1}, condition="#n = :two", given={"two": 2})) is None
    )
    refused = table.updating(key, ItemChange(put={"n": 9}, condition="#n = :two", given={"two": 2}))
    assert table.transact(table.putting({"pk": "c", "sk": "d"}), refused) == (1,)
    assert table.get({"pk": "c", "sk": "d"}) is None
    assert (table.get(key) or {})["n"] == 1


def test_a_missing_table_is_a_matter_of_configuration(table: Table) -> None:
    with pytest.raises(ConfigurationError, match="check the name"):
        Table(table._client, "elsewhere").get({"pk": "a", "sk": "b"})
