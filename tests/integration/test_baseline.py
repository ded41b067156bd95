"""From one night to the next: what the splitter need not ask the sync state, and when it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import DeadLetters, FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.housekeeping import HousekeepingParts, close_run
from pim_connector.outcomes import RecordOutcome
from pim_connector.products.decisions import SplitterParts
from pim_connector.products.splitting import new_run, split_run
from pim_connector.sync.chunks import Splits
from pim_connector.sync.jobs import begin
from pim_connector.sync.message_results import Deliveries, Parking
from pim_connector.sync.messages import ProductMessage, decode
from pim_connector.sync.runs import Registry, Run
from pim_connector.sync.state import StateEntry, SyncState
from tests.nights.aws.world import World

START = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
MAPPING = """
version: 1
records:
  product: {path: /export/product, identifier: "@sku", values: {name: name}}
"""


@dataclass
class Shop:
    """Splitter, housekeeping and sync state in memory; a mapper that takes what it is told to."""

    world: World = field(default_factory=lambda: World(START))
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        aws: Any = self.world
        aws.dynamodb.add_table("runs", "pk", "sk")
        aws.dynamodb.add_table("sync_state", "pk")
        aws.dynamodb.add_table("state", "pk")
        self.bucket = Bucket(aws.s3, "bucket")
        table = Table(aws.dynamodb, "runs")
        self.sent: list[ProductMessage] = []
        self.registry, self.splits = Registry(table), Splits(table)
        self.deliveries = Deliveries(table)
        self.sync_state = SyncState(aws.dynamodb, "sync_state")
        ask = self.sync_state.versions

        def versions(keys: Any) -> Any:
            keys = list(keys)
            self.asked += (key.rpartition("|")[2] for key in keys)
            return ask(keys)

        self.sync_state.versions = versions  # type: ignore[method-assign]  # listened to, not replaced
        queue: Any = self
        self.parts = SplitterParts(
            bucket=self.bucket,
            registry=self.registry,
            splits=self.splits,
            leases=Leases(Table(aws.dynamodb, "state")),
            sync_state=self.sync_state,
            queue=FifoQueue(queue, "products"),
            announcements=Announcements(aws.events, "default", "stack"),
            groups=2,
            trigger="upload",
            clock=lambda: datetime.fromtimestamp(self.world.clock.now, UTC),
        )
        self.housekeeping = HousekeepingParts(
            bucket=self.bucket,
            registry=self.registry,
            splits=self.splits,
            deliveries=self.deliveries,
            parking=Parking(table),
            leases=self.parts.leases,
            queue=self.parts.queue,
            dead_letters=DeadLetters(queue, "dead"),
            announcements=self.parts.announcements,
            parent_wait_seconds=60,
            clock=self.parts.clock,
        )
        self.mapping(MAPPING)

    def mapping(self, text: str) -> None:
        self.bucket.put("config/erp/shop.yaml", text.encode())

    def send_message_batch(self, *, Entries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        for entry in Entries:
            message = decode(entry["MessageBody"])
            assert isinstance(message, ProductMessage)
            self.sent.append(message)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def upload(self, products: dict[str, str], name: str = "export.xml") -> Run:
        """Put a file into the inbox and enter it as a run, a day after the one before."""
        self.world.clock.now += 86_400
        lines = (f'<product sku="{k}"><name>{v}</name></product>' for k, v in products.items())
        key = f"incoming/shop/{name}"
        self.bucket.put(key, f"<export>{''.join(lines)}</export>".encode())
        file = self.bucket.describe(key)
        assert file is not None
        run = new_run("bucket", "shop", file, phase="waiting", now=self.parts.clock())
        assert self.registry.register(run)
        return run

    def split(self, run: Run, remaining: Callable[[], float] = lambda: 900.0) -> Run:
        self.asked.clear()
        self.sent.clear()
        split_run(run, self.parts, remaining)
        return self.run(run)

    def run(self, run: Run) -> Run:
        found = self.registry.get(run.id)
        assert found is not None
        return found

    def deliver(self, *refused: str) -> None:
        """Have the PIM take all that was sent, but for some: sync state first, then the books."""
        for message in self.sent:
            taken = [r for r in message.records if r.identifier not in refused]
            self.sync_state.accept(
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
                    for record in taken
                ]
            )
            outcomes = [
                RecordOutcome(
                    number=record.number,
                    line=record.line,
                    state="updated" if record in taken else "rejected",
                )
                for record in message.records
            ]
            self.deliveries.record_message(message.run, message.id, outcomes)

    def night(self, products: dict[str, str], *refused: str) -> Run:
        run = self.split(self.upload(products))
        self.deliver(*refused)
        assert close_run(run.id, self.housekeeping)
        return self.run(run)


@pytest.fixture
def shop() -> Shop:
    return Shop()


GOODS = {f"P{number}": "old" for number in range(20)}


def test_the_second_night_asks_the_sync_state_only_about_what_is_not_as_it_was(shop: Shop) -> None:
    shop.night(GOODS)
    second = shop.night(GOODS | {"P3": "new", "P99": "new"})
    assert sorted(shop.asked) == ["P3", "P99"]
    assert second.counts["unchanged"] == 19
    assert second.counts["updated"] == 2


def test_the_first_file_of_a_source_has_nothing_to_ask_the_sync_state(shop: Shop) -> None:
    first = shop.split(shop.upload(GOODS))
    assert shop.asked == []
    assert sorted(r.identifier for m in shop.sent for r in m.records) == sorted(GOODS)
    assert (first.first, first.records) == (True, 20)
    second = shop.split(shop.upload(GOODS, "second.xml"))
    assert set(shop.asked) == set(GOODS)
    assert not second.first


def test_a_first_file_that_is_taken_over_is_still_the_first(shop: Shop) -> None:
    goods = {f"P{number}": "old" for number in range(1_001)}
    run = shop.upload(goods)
    shop.split(run, lambda: 1.0)
    assert shop.run(run).phase == "splitting"
    split = shop.split(shop.run(run))
    assert shop.asked == []
    assert (split.first, split.records, split.fence) == (True, 1_001, 2)


def test_where_tables_were_put_back_the_first_file_sends_what_need_not_be_sent(shop: Shop) -> None:
    shop.night(GOODS)
    shop.registry._table.delete({"pk": "last#shop", "sk": "run"})
    shop.split(shop.upload(GOODS))
    assert shop.asked == []
    assert sorted(r.identifier for m in shop.sent for r in m.records) == sorted(GOODS)


def test_what_the_pim_refused_is_asked_about_and_sent_again(shop: Shop) -> None:
    shop.night(GOODS, "P5")
    third = shop.split(shop.upload(GOODS))
    assert shop.asked == ["P5"]
    assert third.counts["unchanged"] == 19
    assert [r.identifier for m in shop.sent for r in m.records] == ["P5"]


def test_another_mapping_means_asking_about_everything(shop: Shop) -> None:
    shop.night(GOODS)
    shop.mapping(MAPPING.replace("name: name", "title: name"))
    shop.split(shop.upload(GOODS))
    assert set(shop.asked) == set(GOODS)


def test_after_an_job_the_sync_state_has_the_word(shop: Shop) -> None:
    first = shop.night(GOODS)
    job = begin(first, "replay", "job", shop.parts)
    entry = shop.sync_state.entries(["shop|product|P7"])["shop|product|P7"]
    shop.sync_state.accept([replace(entry, fingerprint=b"", slots=b"")])
    shop.registry.prepared(job)
    shop.registry.sent(job, sent=0, records=0, counts={}, now=shop.parts.now())
    assert close_run(job.id, shop.housekeeping)
    shop.split(shop.upload(GOODS))
    assert set(shop.asked) == set(GOODS)
    assert [r.identifier for m in shop.sent for r in m.records] == ["P7"]


def test_an_job_that_begins_during_the_split_is_noticed_before_a_chunk_is_stored(
    shop: Shop,
) -> None:
    first = shop.night(GOODS)
    run = shop.upload(GOODS)
    store = shop.splits.store

    def store_after_an_job(*given: Any, **named: Any) -> bool:
        if named["if_undisturbed"]:
            begin(first, "revert", "job", shop.parts)
            entry = shop.sync_state.entries(["shop|product|P7"])["shop|product|P7"]
            shop.sync_state.accept([replace(entry, fingerprint=b"", slots=b"")])
        return store(*given, **named)

    shop.splits.store = store_after_an_job  # type: ignore[method-assign]  # at the worst moment
    split = shop.split(run)
    assert set(shop.asked) == set(GOODS)
    assert [r.identifier for m in shop.sent for r in m.records] == ["P7"]
    assert (split.records, split.counts["unchanged"]) == (20, 19)


def test_a_run_that_began_while_another_was_under_way_vouches_for_nothing(shop: Shop) -> None:
    first = shop.split(shop.upload(GOODS, "a.xml"))
    waiting = list(shop.sent)
    second = shop.split(shop.upload(GOODS, "b.xml"))
    shop.sent = waiting + shop.sent
    shop.deliver()
    assert close_run(first.id, shop.housekeeping)
    assert close_run(second.id, shop.housekeeping)
    third = shop.split(shop.upload(GOODS, "c.xml"))
    assert third.follows == ""
    assert set(shop.asked) == set(GOODS)
    assert third.counts["unchanged"] == 20
    assert close_run(third.id, shop.housekeeping)
    shop.split(shop.upload(GOODS, "d.xml"))
    assert shop.asked == []


def test_a_file_that_comes_late_asks_the_sync_state(shop: Shop) -> None:
    late = shop.upload(GOODS, "late.xml")
    shop.registry._table.delete({"pk": "waiting#shop", "sk": f"{late.turn}#{late.id}"})
    shop.registry.close(late.id)
    shop.night(GOODS | {"P3": "newer"})
    shop.registry._table.put(
        {"pk": "open", "sk": late.id, "run": late.id, "source": "shop", "order": late.order}
    )
    split = shop.split(late)
    assert split.counts["superseded"] == 20
    assert set(shop.asked) == set(GOODS)


def test_a_split_that_is_taken_up_again_goes_on_with_the_same_list(shop: Shop) -> None:
    shop.night(GOODS)
    run = shop.upload(GOODS | {"P3": "new"})
    shop.split(run, lambda: 1.0)
    assert shop.run(run).phase == "splitting"
    split = shop.split(shop.run(run))
    assert split.counts["unchanged"] == 19
    shop.deliver()
    assert close_run(run.id, shop.housekeeping)
    shop.split(shop.upload(GOODS | {"P3": "new"}))
    assert shop.asked == []


def test_what_was_stored_of_a_file_goes_when_no_message_of_it_can_be_under_way(shop: Shop) -> None:
    run = shop.night(GOODS)
    assert run.started_at is not None
    a_month_later = datetime.fromisoformat(run.started_at) + timedelta(days=28)
    stored = shop.world.dynamodb.tables["runs"].values()
    chunks = [item for item in stored if item["sk"]["S"].startswith("chunk#")]
    assert chunks
    assert all(float(w["expires_at"]["N"]) > a_month_later.timestamp() for w in chunks)
