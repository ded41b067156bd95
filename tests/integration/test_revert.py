"""Revert: what a run changed is set back to what the PIM held before; what is newer stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pim_connector.errors import ConfigurationError
from pim_connector.products.reverting import plan_revert, revert
from pim_connector.sync.messages import Force
from pim_connector.sync.runs import Run
from simulators.akeneo.pim import Pim
from tests.integration import shop
from tests.integration.nightly import Nights
from tests.integration.shop import counts, export, serving, shop_nights, value
from tests.integration.test_replay import again

MAPPING = shop.MAPPING + "source: {reversible: true}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def nights(server: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    with shop_nights(server, monkeypatch, MAPPING) as nights:
        yield nights


def item(number: int, name: str, code: str = "") -> str:
    shown = f"<code>{code}</code>" if code else ""
    return f"<item><sku>p{number}</sku><name>{name}</name>{shown}</item>"


def undo(nights: Nights, run: Run) -> Run:
    jobs = nights.jobs()
    job = revert(run, plan_revert(run, jobs), jobs)
    nights.rest()
    return nights.run(job.id)


def test_leading_zeros_that_a_run_took_from_a_text_come_back(nights: Nights) -> None:
    nights.night("a.xml", export(item(1, "Good", "00123")))
    bad = nights.night("b.xml", export(item(1, "Good", "123")))

    assert plan_revert(bad, nights.jobs()).values == {"code": 1}
    undo(nights, bad)

    assert value(nights, "p1", "code") == "00123"


def test_values_are_what_they_were_and_what_the_run_created_is_disabled(nights: Nights) -> None:
    nights.night("a.xml", export(item(1, "Good", "abc"), item(2, "Good")))
    bad = nights.night(
        "b.xml", export(item(1, "Bad", "xyz"), item(2, "Bad", "new"), item(3, "Bad"))
    )
    plan = plan_revert(bad, nights.jobs())
    assert (len(plan.products), plan.disabled, plan.superseded) == (3, 1, 0)
    assert plan.values == {"name": 2, "code": 2, "enabled": 1}
    assert value(nights, "p1", "name") == "Bad"
    job = undo(nights, bad)
    assert (job.kind, job.of, job.phase) == ("revert", bad.id, "finished")
    assert counts(job) == {"updated": 3}
    assert (value(nights, "p1", "name"), value(nights, "p1", "code")) == ("Good", "abc")
    assert (value(nights, "p2", "name"), value(nights, "p2", "code")) == ("Good", None)
    third = nights.pim.product_by_identifier("p3")
    assert third is not None
    assert third.enabled is False


def test_the_next_export_is_sent_again_even_if_it_says_what_the_undone_one_said(
    nights: Nights,
) -> None:
    nights.night("a.xml", export(item(1, "Good")))
    bad = nights.night("b.xml", export(item(1, "Better"), item(3, "New")))
    undo(nights, bad)
    again = nights.night("c.xml", export(item(1, "Better"), item(3, "New")))
    assert counts(again) == {"updated": 2}
    assert value(nights, "p1", "name") == "Better"
    third = nights.pim.product_by_identifier("p3")
    assert third is not None
    assert third.enabled is True


def test_what_a_newer_run_has_set_or_only_confirmed_stays(nights: Nights) -> None:
    nights.night("a.xml", export(item(1, "Old"), item(2, "Old"), item(3, "Old")))
    bad = nights.night("b.xml", export(item(1, "Bad"), item(2, "Bad"), item(3, "Bad")))
    nights.night("c.xml", export(item(1, "Newer"), item(2, "Bad")))
    job = undo(nights, bad)
    assert counts(job) == {"superseded": 2, "updated": 1}
    names = [value(nights, f"p{n}", "name") for n in (1, 2, 3)]
    assert names == ["Newer", "Bad", "Old"]


def test_what_somebody_edited_in_the_pim_since_stays_and_is_told(nights: Nights) -> None:
    nights.night("a.xml", export(item(1, "Old", "abc")))
    bad = nights.night("b.xml", export(item(1, "Bad", "xyz")))
    product = nights.pim.product_by_identifier("p1")
    assert product is not None
    product.values[("name", None, None)] = "Marketing"
    job = undo(nights, bad)
    assert (value(nights, "p1", "name"), value(nights, "p1", "code")) == ("Marketing", "abc")
    [outcome] = nights.stack.deliveries.outcomes(job.id)
    [problem] = outcome.problems
    assert (problem.attribute, problem.value) == ("name", "Marketing")


def test_links_of_which_some_led_nowhere_are_undone_as_well(nights: Nights) -> None:
    links = "    associations: {UPSELL: {products: also}}\n"
    nights.stack.put(
        "config/erp/shop.yaml", MAPPING.replace("    values:", f"{links}    values:", 1)
    )
    nights.night("a.xml", export(item(1, "Boot"), item(2, "Boot")))
    linked = item(1, "Boot").replace("</item>", "<also>p2</also><also>nowhere</also></item>")
    run = nights.night("b.xml", export(linked, item(2, "Boot")))
    assert links_of(nights, "p1") == 1
    assert counts(undo(nights, run)) == {"updated": 1}
    assert links_of(nights, "p1") == 0


def test_a_product_that_the_file_had_twice_is_what_it_was_before_both(nights: Nights) -> None:
    nights.night("a.xml", export(item(1, "Good", "abc")))
    run = nights.night("b.xml", export(item(1, "Bad"), item(1, "Worse", "xyz")))
    assert (value(nights, "p1", "name"), value(nights, "p1", "code")) == ("Worse", "xyz")
    undo(nights, run)
    assert (value(nights, "p1", "name"), value(nights, "p1", "code")) == ("Good", "abc")


def links_of(nights: Nights, identifier: str) -> int:
    product = nights.pim.product_by_identifier(identifier)
    assert product is not None
    return len(product.associations.get("UPSELL", {}).get("products", []))


def test_a_run_of_a_source_that_is_not_reversible_says_what_to_do(nights: Nights) -> None:
    nights.stack.put("config/erp/shop.yaml", MAPPING.replace("reversible: true", "exports: delta"))
    run = nights.night("a.xml", export(item(1, "Good")))
    with pytest.raises(ConfigurationError, match="reversible: true"):
        plan_revert(run, nights.jobs())


def test_while_another_file_is_under_way_nothing_is_undone(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1, "Good")))
    plan = plan_revert(run, nights.jobs())
    other: Any = Run(
        id="b",
        source="shop",
        bucket="b",
        key="incoming/shop/b.xml",
        version="1",
        size=1,
        order="z",
        turn="z",
        phase="waiting",
        counts=dict(run.counts),
    )
    nights.stack.registry.register(other)
    with pytest.raises(ConfigurationError, match="wait for it"):
        revert(run, plan, nights.jobs())


def test_what_a_replay_has_set_since_is_not_the_run_s_to_undo(nights: Nights) -> None:
    nights.night("a.xml", export(item(1, "Good"), item(2, "Good")))
    bad = nights.night("b.xml", export(item(1, "Bad"), item(2, "Bad")))
    again(nights, bad, Force(identifiers=("p1",)), identifiers=frozenset({"p1"}))
    assert counts(undo(nights, bad)) == {"superseded": 1, "updated": 1}
    assert [value(nights, f"p{n}", "name") for n in (1, 2)] == ["Bad", "Good"]
