"""Full exports: what is in the last one and not in this one is disabled, and comes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from functions.mapper import handler as mapper
from functions.splitter import handler as splitter
from pim_connector.errors import ConfigurationError
from pim_connector.products.missing import approve, discard
from pim_connector.products.replaying import ReplayParts, Selection, replay
from pim_connector.products.reverting import plan_revert, revert
from pim_connector.products.worker import MOST_ATTEMPTS
from pim_connector.sync.state import SyncState
from simulators.akeneo.faults import Faults
from simulators.akeneo.pim import Pim
from tests.integration.nightly import Nights
from tests.integration.shop import serving, shop_nights
from tests.integration.stack import Context

MAPPING = """
version: 1
source: {exports: full, missing_products: disable, max_missing_share: 50%}
records:
  products:
    path: /items/item
    identifier: sku
    family: {value: shoes}
    values: {name: name}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    with serving() as served:
        yield served


@pytest.fixture
def nights(server: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    with shop_nights(server, monkeypatch, MAPPING) as nights:
        yield nights


def export(*numbers: int, end: str = "</items>") -> str:
    items = (f"<item><sku>p{n}</sku><name>Boot {n}</name></item>" for n in numbers)
    return f"<items>{''.join(items)}{end}"


def enabled(nights: Nights) -> dict[str, bool]:
    found = {}
    for number in range(1, 7):
        product = nights.pim.product_by_identifier(f"p{number}")
        if product:
            found[f"p{number}"] = product.enabled
    return found


def test_what_left_a_full_export_is_disabled_and_enabled_when_it_is_back(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    second = nights.night("b.xml", export(1, 2, 3))
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True, "p4": False}
    assert (second.records, second.counts["unchanged"], second.missing) == (3, 3, 1)
    job = nights.run(f"{second.id}-withdrawal")
    assert (job.phase, job.records, job.counts["updated"]) == ("finished", 1, 1)
    third = nights.night("c.xml", export(1, 2, 3, 4))
    assert enabled(nights)["p4"] is True
    assert (third.counts["updated"], third.counts["unchanged"]) == (1, 3)
    fourth = nights.night("d.xml", export(1, 2, 3, 4))
    assert fourth.counts["unchanged"] == 4


def test_a_file_that_ended_early_says_nothing_about_what_is_missing(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    broken = nights.night("b.xml", export(1, 2, end=""))
    assert (broken.phase, broken.missing) == ("failed", None)
    assert set(enabled(nights).values()) == {True}
    whole = nights.night("c.xml", export(1, 2, 3))
    assert whole.missing == 1
    assert enabled(nights)["p4"] is False


def test_above_the_share_nothing_is_disabled_before_an_operator_says_so(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    held = nights.night("b.xml", export(1))
    assert set(enabled(nights).values()) == {True}
    assert held.hold is not None
    assert "3 of 4 products are missing (75.0 %), the mapping allows 50%" in held.hold
    approve(held, nights.jobs(), "ann")
    nights.rest()
    assert enabled(nights) == {"p1": True, "p2": False, "p3": False, "p4": False}
    assert nights.run(held.id).hold is None
    with pytest.raises(ConfigurationError, match="nothing to approve"):
        approve(nights.run(held.id), nights.jobs(), "ann")


def test_what_nobody_decided_about_is_still_missing_from_the_next_export(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    held = nights.night("b.xml", export(1))
    again = nights.night("c.xml", export(1))
    assert (again.missing, again.hold is not None) == (3, True)
    with pytest.raises(ConfigurationError, match="is newer than"):
        approve(held, nights.jobs(), "ann")
    approve(again, nights.jobs(), "ann")
    nights.rest()
    assert nights.night("d.xml", export(1)).missing == 0
    assert enabled(nights) == {"p1": True, "p2": False, "p3": False, "p4": False}


def test_a_record_nobody_knows_the_product_of_makes_the_export_wait(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    nameless = "<item><name>no sku</name></item></items>"
    held = nights.night("b.xml", export(1, 2, 3, end=nameless))
    assert held.hold is not None
    assert "nobody knows the product" in held.hold
    assert set(enabled(nights).values()) == {True}


def test_an_export_with_a_record_that_could_not_be_read_disables_nothing(nights: Nights) -> None:
    options = "file: {recover: records, html_entities: read}\n"
    nights.stack.put("config/erp/shop.yaml", MAPPING + options)
    nights.night("a.xml", export(1, 2, 3, 4, 5, 6))
    bad = (
        "<item><sku>p5</sku><name>a < b</name></item><item><sku>p6</sku><name>&nbsp;</name></item>"
    )
    holed = nights.night("b.xml", export(1, 2, 3, end=f"{bad}</items>"))
    assert (holed.phase, holed.records, holed.missing, holed.holes) == ("finished", 5, None, 1)
    assert holed.counts["rejected"] == 1
    assert holed.notes == "records that could not be read: 1; HTML entities read: 1"
    assert set(enabled(nights).values()) == {True}
    whole = nights.night("c.xml", export(1, 2, 3, 6))
    assert whole.missing == 2, "compared with the last export that was read whole"
    assert (enabled(nights)["p4"], enabled(nights)["p5"]) == (False, False)


@pytest.mark.parametrize(("policy", "listed"), [("report", True), ("leave", False)])
def test_missing_products_are_only_reported_or_left_if_the_mapping_says_so(
    nights: Nights, policy: str, listed: bool
) -> None:
    mapping = MAPPING.replace("missing_products: disable", f"missing_products: {policy}")
    nights.stack.put("config/erp/shop.yaml", mapping)
    nights.night("a.xml", export(1, 2))
    second = nights.night("b.xml", export(1))
    assert second.missing == 1
    assert set(enabled(nights).values()) == {True}
    key = f"reports/{second.id}/missing.csv"
    assert (key in nights.stack.keys("reports/")) == listed
    if listed:
        rows = list(csv.reader(io.StringIO(nights.stack.get(key).decode("utf-8-sig"))))
        assert rows == [["resource", "identifier"], ["product", "p2"]]


def test_a_product_that_somebody_deleted_in_the_pim_is_not_made_again_to_be_disabled(
    nights: Nights,
) -> None:
    nights.night("a.xml", export(1, 2))
    delete(nights.pim, "p2")
    second = nights.night("b.xml", export(1))
    job = nights.run(f"{second.id}-withdrawal")
    assert job.counts["filtered"] == 1
    assert nights.pim.product_by_identifier("p2") is None


def delete(pim: Any, identifier: str) -> None:
    product = pim.product_by_identifier(identifier)
    del pim.products[product.uuid]


def crash_until_dead(nights: Nights, body: str, request: str) -> None:
    """Have the mapper crash at this request to DynamoDB until it puts the message aside."""
    worker = mapper.parts().worker

    def crash(**_: Any) -> None:
        raise RuntimeError

    events = nights.stack.dynamodb.meta.events
    events.register_first(f"before-call.dynamodb.{request}", crash)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(RuntimeError):
            worker.handle(body, lambda: 300.0)
    events.unregister(f"before-call.dynamodb.{request}", crash)
    assert worker.handle(body, lambda: 300.0).end == "dead"


def test_a_product_whose_withdrawal_crashed_once_it_was_written_is_enabled_when_it_is_back(
    nights: Nights,
) -> None:
    nights.night("a.xml", export(1, 2, 3))
    context: Any = Context()
    splitter.lambda_handler(nights.stack.put("incoming/shop/b.xml", export(1, 2)), context)
    [body] = nights.stack._drain("products")
    crash_until_dead(nights, body, "BatchWriteItem")
    assert enabled(nights)["p3"] is False

    nights.night("c.xml", export(1, 2, 3))
    assert enabled(nights)["p3"] is True


def test_a_product_the_pim_never_answered_for_is_disabled_and_enabled_as_any_other(
    nights: Nights,
) -> None:
    context: Any = Context()
    splitter.lambda_handler(nights.stack.put("incoming/shop/a.xml", export(1, 2, 3)), context)
    nights.pim.faults = Faults(cut_answers=1_000_000, only="PATCH /products")
    for body in nights.stack._drain("products"):
        for _ in range(MOST_ATTEMPTS):
            handled = mapper.parts().worker.handle(body, lambda: 300.0)
        assert handled.counts["rejected"]
    nights.pim.faults = Faults()
    nights.rest()
    assert enabled(nights)["p3"] is True

    nights.night("b.xml", export(1, 2))
    assert enabled(nights)["p3"] is False
    nights.night("c.xml", export(1, 2, 3))
    assert enabled(nights)["p3"] is True


def test_a_record_that_lay_among_the_dead_letters_does_not_come_back_once_an_export_lacks_it(
    nights: Nights,
) -> None:
    nights.night("a.xml", export(1, 2))
    context: Any = Context()
    splitter.lambda_handler(nights.stack.put("incoming/shop/b.xml", export(1, 2, 3)), context)
    [body] = nights.stack._drain("products")
    crash_until_dead(nights, body, "BatchGetItem")

    third = nights.night("c.xml", export(1, 2))
    assert nights.run(f"{third.id}-withdrawal").counts["filtered"] == 1
    redriven = mapper.parts().worker.handle(body, lambda: 300.0)
    assert redriven.counts == {"superseded": 1}
    assert enabled(nights) == {"p1": True, "p2": True}


def test_a_record_that_was_rejected_does_not_come_back_by_a_replay_once_an_export_lacks_it(
    nights: Nights,
) -> None:
    nights.stack.put(
        "config/erp/shop.yaml", MAPPING.replace("{name: name}", "{name: name, code: name}")
    )
    run = nights.night("a.xml", export(1, 2, 3))
    assert run.counts["rejected"] == 3
    nights.stack.put("config/erp/shop.yaml", MAPPING)
    nights.night("b.xml", export(1, 2))
    parts = ReplayParts(
        jobs=nights.jobs(),
        deliveries=nights.stack.deliveries,
        sync_state=SyncState(nights.stack.dynamodb, "SyncStateTable"),
    )
    replayed = replay(run, Selection(rejected=True), parts)
    nights.rest()
    assert nights.run(replayed.id).counts["superseded"] == 3
    assert enabled(nights) == {"p1": True, "p2": True}

    nights.night("c.xml", export(1, 2, 3))
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True}


def test_a_guard_is_not_passed_a_night_later_however_many_new_products_came(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    nights.night("b.xml", export(1, *range(10, 30)))
    again = nights.night("c.xml", export(1, *range(10, 31)))
    assert again.hold is not None
    assert "3 of 4 products are missing (75.0 %)" in again.hold
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True, "p4": True}


def test_after_a_discard_the_next_export_is_compared_with_the_same_baseline(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    held = nights.night("b.xml", export(1))
    discard(held, nights.jobs(), "ann")
    decided = nights.run(held.id)
    assert (decided.hold, decided.decision, decided.decided_by) == (None, "discarded", "ann")
    assert nights.night("c.xml", export(1)).missing == 3
    assert nights.night("d.xml", export(1, 2, 3)).missing == 1
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True, "p4": False}


def parts_night(nights: Nights, name: str, body: str) -> None:
    context: Any = Context()
    splitter.lambda_handler(nights.stack.put(f"incoming/parts/{name}", body), context)
    nights.rest()


def test_what_another_source_still_lists_is_not_missing(nights: Nights) -> None:
    nights.stack.put("config/erp/parts.yaml", MAPPING)
    nights.night("a.xml", export(1, 2))
    parts_night(nights, "a.xml", export(1, 3))
    second = nights.night("b.xml", export(2))
    assert (second.missing, second.hold) == (0, None)
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True}
    parts_night(nights, "b.xml", export(3))
    assert enabled(nights) == {"p1": False, "p2": True, "p3": True}


@pytest.mark.parametrize("exports", ["full", "delta"])
def test_what_one_source_dropped_is_enabled_once_another_lists_it(
    nights: Nights, exports: str
) -> None:
    nights.stack.put("config/erp/parts.yaml", MAPPING.replace("exports: full", "exports: delta"))
    parts_night(nights, "a.xml", export(1, 3))
    nights.night("a.xml", export(1, 2))
    nights.night("b.xml", export(2))
    assert enabled(nights) == {"p1": False, "p2": True, "p3": True}
    mapping = MAPPING.replace("exports: full", f"exports: {exports}")
    nights.stack.put("config/erp/parts.yaml", mapping)
    parts_night(nights, "b.xml", export(1, 3))
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True}


FROM_FILE = MAPPING.replace(
    "exports: full",
    "exports: {from: /items/@all, steps: [{map: {'yes': full, 'no': delta}}]}",
)


def test_the_file_itself_says_whether_it_holds_everything(nights: Nights) -> None:
    nights.stack.put("config/erp/shop.yaml", FROM_FILE)
    nights.night("a.xml", export(1, 2, 3, 4).replace("<items>", '<items all="yes">'))
    delta = nights.night("b.xml", export(1).replace("<items>", '<items all="no">'))
    assert (delta.phase, delta.missing, delta.hold) == ("finished", None, None)
    full = nights.night("c.xml", export(1, 2, 3).replace("<items>", '<items all="yes">'))
    assert full.missing == 1
    assert enabled(nights) == {"p1": True, "p2": True, "p3": True, "p4": False}


def test_a_file_that_says_neither_full_nor_delta_is_refused_in_words(nights: Nights) -> None:
    nights.stack.put("config/erp/shop.yaml", FROM_FILE)
    refused = nights.night("a.xml", export(1))
    assert refused.phase == "failed"
    assert refused.problem is not None
    assert "`source.exports` finds no value at /items/@all" in refused.problem


def test_a_disabling_is_undone_by_a_revert(nights: Nights) -> None:
    nights.night("a.xml", export(1, 2, 3, 4))
    second = nights.night("b.xml", export(1, 2, 3))
    job = nights.run(f"{second.id}-withdrawal")
    assert enabled(nights)["p4"] is False
    plan = plan_revert(job, nights.jobs())
    assert len(plan.products) == 1
    revert(job, plan, nights.jobs())
    nights.rest()
    assert enabled(nights)["p4"] is True
    assert nights.night("c.xml", export(1, 2, 3)).missing == 0
    assert enabled(nights)["p4"] is True
