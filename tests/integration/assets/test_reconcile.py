"""Reconciliation: the DAM's full list against what the PIM has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pim_connector.assets.reconcile import (
    Reconciled,
    ReconcileRound,
    Reconciliation,
    Walks,
    approve,
)
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.table import Table
from pim_connector.dam.client import DamClient
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import SourceFiles, load_source
from pim_connector.errors import RejectedError, TransientError
from pim_connector.sync.messages import AssetMessage
from tests.integration.assets.world import SOURCE, Wire, World, picture


def reconcile(world: World, **changes: Any) -> Reconciled:
    """Run one reconciliation and put what it sends into the asset queue."""
    source = load_source(json.dumps(SOURCE).encode(), name="dam.yaml")

    def send(message: AssetMessage) -> None:
        world.announce(*message.changes)

    ends = world.time + 100
    clocks = Clocks(now=lambda: world.time, sleep=world.sleep, time_left=lambda: ends - world.time)
    with DamClient(source, {}, transport=Wire(world.dam), clocks=clocks) as client:
        fields: dict[str, Any] = {
            "client": client,
            "sync_state": world.sync_state,
            "state": Table(world.dynamodb, "state"),
            "walks": Walks(Bucket(world.s3, "bucket")),
            "send": send,
            "groups": 2,
            "time_left": lambda: 600.0,
            "max_share": 20.0,
        }
        return Reconciliation(**fields | changes).run()


@pytest.fixture
def filled(world: World) -> World:
    world.put_source(on_delete={"action": "delete"})
    world.poll(**{f"a{n}": picture() for n in range(10)})
    world.drain()
    return world


def test_a_deletion_nobody_announced_is_found_and_confirmed_by_id(filled: World) -> None:
    del filled.dam.files["a3"]

    report = reconcile(filled)

    assert (report.listed, report.known, report.missing, report.announced) == (9, 10, 1, 1)
    assert filled.drain() == {"AssetsUnchanged": 9, "AssetsUpdated": 1}
    assert "dam.example.com/files/a3" in filled.dam.asked
    assert filled.asset("a3") is None
    assert reconcile(filled).missing == 0


def test_an_asset_the_list_leaves_out_but_the_dam_still_has_is_kept(filled: World) -> None:
    filled.dam.hidden.add("a3")

    assert reconcile(filled).missing == 1
    filled.drain()

    assert filled.asset("a3") is not None


def test_a_change_that_was_missed_is_caught_up(filled: World) -> None:
    filled.dam.files["a4"] = picture(title="Missed", updated="2026-11-22T10:00:00Z")
    filled.dam.files["new"] = picture()
    reconcile(filled)
    assert filled.drain() == {"AssetsUnchanged": 9, "AssetsUpdated": 1, "AssetsCreated": 1}
    assert filled.asset("a4")["title"] == "Missed"  # type: ignore[index]


def test_too_many_missing_assets_wait_for_an_operator(filled: World) -> None:
    for n in range(5):
        del filled.dam.files[f"a{n}"]

    report = reconcile(filled)
    assert "50.0 %" in report.refused
    assert filled.drain() == {"AssetsUnchanged": 5}
    assert reconcile(filled).refused
    filled.drain()

    state = Table(filled.dynamodb, "state")
    assert approve(state, "dam") == 5
    assert not reconcile(filled).refused
    filled.drain()
    assert filled.asset("a0") is None
    assert filled.asset("a7") is not None
    assert approve(state, "dam") == 0


def test_an_approval_counts_for_what_was_seen_and_not_for_more(filled: World) -> None:
    for n in range(3):
        del filled.dam.files[f"a{n}"]
    reconcile(filled)
    approve(Table(filled.dynamodb, "state"), "dam")
    for n in range(3, 9):
        del filled.dam.files[f"a{n}"]

    assert reconcile(filled).refused


def test_a_list_that_breaks_off_deletes_nothing(filled: World) -> None:
    filled.dam.down = True
    with pytest.raises(TransientError):
        reconcile(filled)
    filled.dam.down = False
    first = reconcile(filled, time_left=lambda: 1.0)
    assert (first.finished, first.announced) == (False, 0)
    assert 0 < first.listed < 10
    filled.drain()
    assert all(filled.asset(f"a{n}") for n in range(10))


def test_a_reconciliation_goes_on_where_time_ran_out(filled: World) -> None:
    del filled.dam.files["a3"]
    reports = [reconcile(filled, time_left=lambda: 1.0) for _ in range(5)]
    assert [report.listed for report in reports] == [4, 6, 8, 9, 9]
    assert [report.finished for report in reports] == [False] * 4 + [True]
    report = reports[-1]
    assert (report.listed, report.known, report.missing) == (9, 10, 1)
    filled.drain()
    assert filled.asset("a3") is None


def test_a_dam_that_goes_down_is_read_on_from_there_when_it_is_back(filled: World) -> None:
    asked = len(filled.dam.asked)
    reconcile(filled)
    whole = len(filled.dam.asked) - asked
    reconcile(filled, time_left=lambda: 1.0)
    filled.dam.down = True
    with pytest.raises(TransientError):
        reconcile(filled)
    filled.dam.down = False
    asked = len(filled.dam.asked)
    assert reconcile(filled).listed == 10
    assert len(filled.dam.asked) - asked == whole - 1


def test_an_item_nobody_can_read_makes_the_list_no_proof(filled: World) -> None:
    filled.dam.files["broken"] = picture(updated="the day before yesterday")
    with pytest.raises(RejectedError, match="cannot be read"):
        reconcile(filled)


def test_a_round_reconciles_the_sources_that_ask_for_it(filled: World) -> None:
    def round_of(owner: str) -> ReconcileRound:
        return ReconcileRound(
            files=SourceFiles(Bucket(filled.s3, "bucket"), filled.secrets),
            sync_state=filled.sync_state,
            state=Table(filled.dynamodb, "state"),
            walks=Walks(Bucket(filled.s3, "bucket")),
            queue=filled.asset_queue,
            groups=2,
            owner=owner,
            clocks=Clocks(now=lambda: filled.time, sleep=filled.sleep, time_left=lambda: 600.0),
            transport=Wire(filled.dam),
        )

    assert round_of("one").begin() == []
    assert round_of("one").go_on() == []  # the source does not say `absent: reconcile`
    assert round_of("one").begin("dam") == []
    (outcome,) = round_of("one").go_on()
    assert (outcome["outcome"], outcome["missing"]) == ("done", 0)
    assert round_of("one").go_on() == []
    (unknown,) = round_of("one").begin("nobody")
    assert "config/dam/nobody.yaml" in unknown["reason"]
