"""Replay: records of an earlier run with today's mapping, never over what is newer; full sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pim_connector.errors import ConfigurationError
from pim_connector.products.replaying import ReplayParts, Selection, replay
from pim_connector.products.splitting import FORCE
from pim_connector.sync.messages import Force
from pim_connector.sync.runs import Run
from pim_connector.sync.state import SyncState
from simulators.akeneo.pim import Pim
from tests.integration.nightly import Nights
from tests.integration.shop import MAPPING, counts, export, item, serving, shop_nights, value

MENDED = MAPPING.replace("code: code", "code: {from: code, steps: [{slice: [0, 5]}]}")
NAMED = MENDED.replace("identifier: sku", "identifier: {first: [sku, name]}")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def nights(server: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    with shop_nights(server, monkeypatch, MAPPING) as nights:
        yield nights


def again(nights: Nights, run: Run, force: Force | None = None, **selection: Any) -> Run:
    parts = ReplayParts(
        jobs=nights.jobs(),
        deliveries=nights.stack.deliveries,
        sync_state=SyncState(nights.stack.dynamodb, "SyncStateTable"),
    )
    job = replay(run, Selection(**selection), parts, force=force)
    nights.rest()
    return nights.run(job.id)


def test_what_mapper_and_splitter_rejected_goes_through_with_a_mended_mapping(
    nights: Nights,
) -> None:
    nameless = "<item><name>p9</name><code>abc</code></item>"
    run = nights.night("a.xml", export(item(1), item(2, code="too long"), nameless))
    assert counts(run) == {"created": 1, "rejected": 2}
    nights.stack.put("config/erp/shop.yaml", NAMED)
    job = again(nights, run, rejected=True)
    assert (job.phase, job.kind, job.of) == ("finished", "replay", run.id)
    assert (job.records, counts(job)) == (2, {"created": 2})
    assert value(nights, "p2", "code") == "too l"
    assert nights.pim.product_by_identifier("p9") is not None
    assert counts(nights.run(run.id)) == {"created": 1, "rejected": 2}


def test_a_replayed_record_never_overwrites_a_newer_one(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1), item(2, code="too long", name="Old")))
    nights.night("b.xml", export(item(2, name="New")))
    nights.stack.put("config/erp/shop.yaml", MENDED)
    assert counts(again(nights, run, rejected=True)) == {"superseded": 1}
    assert value(nights, "p2", "name") == "New 2"


def test_nor_one_of_a_newer_file_that_was_unchanged_and_left_no_trace_in_the_sync_state(
    nights: Nights,
) -> None:
    nights.night("a.xml", export(item(2)))
    run = nights.night("b.xml", export(item(2, code="too long", name="Wrong")))
    nights.night("c.xml", export(item(2)))
    nights.stack.put("config/erp/shop.yaml", MENDED)
    assert counts(again(nights, run, rejected=True)) == {"superseded": 1}
    assert value(nights, "p2", "name") == "Boot 2"


def test_nor_a_later_record_of_the_same_file(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1, code="too long", name="First"), item(1)))
    nights.stack.put("config/erp/shop.yaml", MENDED)
    assert counts(again(nights, run, rejected=True)) == {"superseded": 1}
    assert value(nights, "p1", "name") == "Boot 1"


def test_single_records_are_named_by_number_or_identifier_rejected_or_not(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1), item(2, code="too long"), item(3)))
    assert counts(again(nights, run, numbers=frozenset({2}))) == {"rejected": 1}
    assert counts(again(nights, run, identifiers=frozenset({"p3"}))) == {"unchanged": 1}
    with pytest.raises(ConfigurationError, match="has no such record"):
        again(nights, run, numbers=frozenset({77}))


def test_a_whole_run_is_read_again_from_its_file(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1), item(2)))
    nights.stack.put("config/erp/shop.yaml", MAPPING.replace("name: name", "name: code"))
    assert counts(again(nights, run)) == {"updated": 2}
    assert value(nights, "p1", "name") == "abc"


def test_a_run_is_read_again_from_its_own_file_though_a_later_one_has_its_name(
    nights: Nights,
) -> None:
    run = nights.night("export.xml", export(item(1), item(2)))
    nights.night("export.xml", export(item(3)))
    assert counts(again(nights, run, Force())) == {"updated": 2}


def overwritten_in_the_pim(nights: Nights, *identifiers: str) -> None:
    for identifier in identifiers:
        product = nights.pim.product_by_identifier(identifier)
        assert product is not None
        product.values[("name", None, None)] = "edited"


def test_a_full_send_of_a_run_a_family_or_a_list(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1), item(2), item(3)))
    overwritten_in_the_pim(nights, "p1", "p2", "p3")
    assert counts(again(nights, run)) == {"unchanged": 3}
    assert counts(again(nights, run, Force(identifiers=("p2",)))) == {"unchanged": 2, "updated": 1}
    assert [value(nights, f"p{n}", "name") for n in (1, 2, 3)] == ["edited", "Boot 2", "edited"]
    assert counts(again(nights, run, Force(families=("other",)))) == {"unchanged": 3}
    assert counts(again(nights, run, Force(families=("shoes",)))) == {"updated": 3}
    assert value(nights, "p3", "name") == "Boot 3"


def test_an_upload_may_ask_for_a_full_send(nights: Nights) -> None:
    nights.night("a.xml", export(item(1), item(2)))
    overwritten_in_the_pim(nights, "p1", "p2")
    asked = {FORCE: json.dumps({"identifiers": ["p1"]})}
    run = nights.night("b.xml", export(item(1), item(2)), asked)
    assert counts(run) == {"updated": 1, "unchanged": 1}
    assert counts(nights.night("c.xml", export(item(1), item(2)), {FORCE: "{}"})) == {"updated": 2}
    assert value(nights, "p2", "name") == "Boot 2"


def test_a_replay_says_when_the_file_is_gone(nights: Nights) -> None:
    run = nights.night("a.xml", export(item(1)))
    nights.stack.s3.delete_object(Bucket=run.bucket, Key=run.key, VersionId=run.version)
    with pytest.raises(ConfigurationError, match="not in the bucket any more"):
        again(nights, run)


def test_what_a_replay_rejected_can_be_replayed_again_but_its_file_is_the_first_run_s(
    nights: Nights,
) -> None:
    run = nights.night("a.xml", export(item(1, code="too long")))
    first = again(nights, run, rejected=True)
    assert (counts(first), first.file) == ({"rejected": 1}, "done/shop/a.xml")
    with pytest.raises(ConfigurationError, match=run.id):
        again(nights, first)
    nights.stack.put("config/erp/shop.yaml", MENDED)
    assert counts(again(nights, first, rejected=True)) == {"created": 1}
