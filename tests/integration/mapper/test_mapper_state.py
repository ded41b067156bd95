"""The mapper's shared state in DynamoDB and S3: sync state, breaker, option pace, structure
cache.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from pim_connector.akeneo.pim import Breaker, Closed, Open, OptionPace, Probing
from pim_connector.akeneo.structure import Attribute, AttributeOption, Structure
from pim_connector.akeneo.structure_cache import StructureCache
from pim_connector.aws.bucket import Bucket
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.sync.state import StateEntry, SyncState, state_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


@pytest.fixture
def dynamodb() -> DynamoDBClient:
    client = boto3.client("dynamodb")
    for table in ("sync_state", "state"):
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return client


def entry(identifier: str, **changes: Any) -> StateEntry:
    fields: dict[str, Any] = {
        "source": "shop",
        "resource": "product",
        "identifier": identifier,
        "order": "2026-01-01T00:00:00Z|a.xml|1",
        "fingerprint": b"\x01" * 12,
        "mapping": "0123456789abcdef",
        "slots": b"\x02" * 24,
        "run": "run-1",
        "record": 7,
    }
    return StateEntry(**fields | changes)


def test_what_was_accepted_is_read_back_whatever_the_identifier(dynamodb: DynamoDBClient) -> None:
    sync_state = SyncState(dynamodb, "sync_state")
    entries = [entry(name) for name in ("plain", "pipe|in|it", "Größe 5/8 „x“", "-")]
    entries.append(entry("incomplete", fingerprint=b"", slots=b""))

    sync_state.accept(entries)

    assert sync_state.entries([e.key for e in entries]) == {e.key: e for e in entries}


def test_hundreds_of_keys_are_found_among_those_that_are_not_there(
    dynamodb: DynamoDBClient,
) -> None:
    sync_state = SyncState(dynamodb, "sync_state")
    sync_state.accept([entry(f"sku-{n}") for n in range(0, 420, 2)])

    found = sync_state.entries(state_key("shop", "product", f"sku-{n}") for n in range(420))

    assert len(found) == 210
    assert found[state_key("shop", "product", "sku-418")].identifier == "sku-418"


def test_the_last_of_two_entries_of_one_product_counts(dynamodb: DynamoDBClient) -> None:
    sync_state = SyncState(dynamodb, "sync_state")

    sync_state.accept([entry("sku", record=1), entry("sku", record=2)])

    assert sync_state.entries([entry("sku").key])[entry("sku").key].record == 2


class Throttled:
    """DynamoDB that leaves every key but the first of a request for the next one."""

    def __init__(self, client: DynamoDBClient, limit: int = 1) -> None:
        self._client = client
        self._limit = limit

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        now, later = asked["Keys"][: self._limit], asked["Keys"][self._limit :]
        answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {}}
        if now:
            answer = dict(self._client.batch_get_item(RequestItems={table: {"Keys": now}}))
        answer["UnprocessedKeys"] = {table: {"Keys": later}} if later else {}
        return answer

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        now, later = asked[: self._limit], asked[self._limit :]
        if now:
            self._client.batch_write_item(RequestItems={table: now})
        return {"UnprocessedItems": {table: later} if later else {}}


def test_what_dynamodb_leaves_over_is_asked_for_again(dynamodb: DynamoDBClient) -> None:
    waits: list[float] = []
    throttled: Any = Throttled(dynamodb)
    sync_state = SyncState(throttled, "sync_state", sleep=waits.append, jitter=lambda: 1.0)
    entries = [entry(f"sku-{n}") for n in range(5)]

    sync_state.accept(entries)

    assert sync_state.entries([e.key for e in entries]) == {e.key: e for e in entries}
    assert waits == [0.05, 0.1, 0.2, 0.4] * 2


def test_a_sync_state_that_stays_throttled_is_a_reason_to_come_back(
    dynamodb: DynamoDBClient,
) -> None:
    throttled: Any = Throttled(dynamodb, limit=0)
    sync_state = SyncState(throttled, "sync_state", sleep=lambda _: None)

    with pytest.raises(TransientError, match="1 sync state keys unread"):
        sync_state.entries(["shop|product|sku"])
    with pytest.raises(TransientError, match="1 sync state entries unwritten"):
        sync_state.accept([entry("sku")])


class Picky:
    """DynamoDB that leaves over what holds one product, `times` times."""

    def __init__(self, client: DynamoDBClient, identifier: str, times: int) -> None:
        self._client, self._left = client, times
        self._key = entry(identifier).key
        self.writes = 0

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        self.writes += 1
        over = [put for put in asked if put["PutRequest"]["Item"]["pk"]["S"] == self._key]
        if over and self._left:
            self._left -= 1
            asked = [put for put in asked if put not in over]
        else:
            over = []
        if asked:
            self._client.batch_write_item(RequestItems={table: asked})
        return {"UnprocessedItems": {table: over} if over else {}}


def test_what_one_of_several_writes_side_by_side_leaves_over_is_written_again(
    dynamodb: DynamoDBClient,
) -> None:
    picky: Any = Picky(dynamodb, "sku-60", times=2)
    sync_state = SyncState(picky, "sync_state", sleep=lambda _: None)
    entries = [entry(f"sku-{n}") for n in range(100)]

    sync_state.accept(entries)

    assert picky.writes == 4 + 2
    assert SyncState(dynamodb, "sync_state").entries(e.key for e in entries) == {
        e.key: e for e in entries
    }


def test_a_write_that_fails_is_told_when_those_beside_it_are_done(
    dynamodb: DynamoDBClient,
) -> None:
    picky: Any = Picky(dynamodb, "sku-60", times=1_000_000)
    sync_state = SyncState(picky, "sync_state", sleep=lambda _: None)
    entries = [entry(f"sku-{n}") for n in range(100)]

    with pytest.raises(TransientError, match="1 sync state entries unwritten"):
        sync_state.accept(entries)

    written = SyncState(dynamodb, "sync_state").entries(e.key for e in entries)
    assert written.keys() == {e.key for e in entries} - {entry("sku-60").key}


def test_a_missing_sync_state_table_is_a_matter_of_configuration(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(ConfigurationError, match="ResourceNotFoundException"):
        SyncState(dynamodb, "nonsense").entries(["shop|product|sku"])


def test_the_circuit_is_closed_until_somebody_fails(dynamodb: DynamoDBClient) -> None:
    assert Breaker(dynamodb, "state").enter(1000) == Closed()


def test_an_open_circuit_sends_everybody_away_until_the_probe_is_due(
    dynamodb: DynamoDBClient,
) -> None:
    breaker = Breaker(dynamodb, "state")

    wait = breaker.failed(breaker.enter(1000), "unreachable", 1000, "connection refused")

    assert wait == 30
    assert breaker.enter(1010) == Open(wait=20, reason="unreachable")


def test_one_worker_probes_and_the_others_keep_waiting(dynamodb: DynamoDBClient) -> None:
    breaker = Breaker(dynamodb, "state")
    breaker.failed(Closed(), "unreachable", 1000, "503")

    first, second = breaker.enter(1030), breaker.enter(1031)

    assert isinstance(first, Probing)
    assert isinstance(second, Open)


def test_a_prober_that_dies_is_replaced(dynamodb: DynamoDBClient) -> None:
    breaker = Breaker(dynamodb, "state")
    breaker.failed(Closed(), "unreachable", 1000, "503")
    assert isinstance(breaker.enter(1030), Probing)

    assert isinstance(breaker.enter(1030 + 61), Probing)


def test_failed_probes_come_more_and_more_seldom_up_to_a_quarter_of_an_hour(
    dynamodb: DynamoDBClient,
) -> None:
    breaker = Breaker(dynamodb, "state")
    now, waits = 1000, [breaker.failed(Closed(), "unreachable", 1000, "503")]
    for _ in range(7):
        now += waits[-1]
        waits.append(breaker.failed(breaker.enter(now), "unreachable", now, "503"))

    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_workers_that_fail_together_do_not_lengthen_the_wait(dynamodb: DynamoDBClient) -> None:
    breaker = Breaker(dynamodb, "state")
    for _ in range(4):
        breaker.failed(Closed(), "unreachable", 1000, "503")

    assert breaker.enter(1001) == Open(wait=29, reason="unreachable")


def test_a_probe_that_passes_closes_the_circuit(dynamodb: DynamoDBClient) -> None:
    breaker = Breaker(dynamodb, "state")
    breaker.failed(Closed(), "credentials", 1000, "401")

    breaker.succeeded(breaker.enter(1030))

    assert breaker.enter(1031) == Closed()


def test_a_late_success_of_another_worker_does_not_close_the_circuit(
    dynamodb: DynamoDBClient,
) -> None:
    breaker = Breaker(dynamodb, "state")
    before = breaker.enter(999)
    breaker.failed(Closed(), "credentials", 1000, "401")

    breaker.succeeded(before)

    assert breaker.enter(1001) == Open(wait=29, reason="credentials")


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_option_writes_of_all_workers_together_stay_under_three_a_second(
    dynamodb: DynamoDBClient,
) -> None:
    clock, starts = Clock(), []
    workers = [OptionPace(dynamodb, "state", now=clock, sleep=clock.sleep) for _ in range(3)]
    for turn in range(12):
        workers[turn % 3].wait()
        starts.append(clock.time)

    assert starts[0] == 1000.0
    assert all(later - first >= 1.0 for first, later in zip(starts, starts[3:], strict=False))


def test_a_worker_that_comes_later_need_not_wait(dynamodb: DynamoDBClient) -> None:
    clock = Clock()
    pace = OptionPace(dynamodb, "state", now=clock, sleep=clock.sleep)
    pace.wait()
    clock.time = 1005.0

    pace.wait()

    assert clock.time == 1005.0


class Pim:
    """Answers with the attributes asked for and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.options: tuple[AttributeOption, ...] = ()

    def __call__(self, codes: Collection[str] | None) -> Structure:
        codes = ["all"] if codes is None else codes
        self.asked.append(sorted(codes))
        return Structure(
            attributes=tuple(Attribute(code=c, type="pim_catalog_simpleselect") for c in codes),
            attribute_options=self.options,
        )


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> str:
    boto3.client("s3").create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return "bucket"


def cache(pim: Pim, clock: Clock) -> StructureCache:
    return StructureCache(Bucket(boto3.client("s3"), "bucket"), pim, now=clock)


def test_the_pim_is_asked_once_for_all_workers(bucket: str) -> None:
    pim, clock = Pim(), Clock()
    one, other = cache(pim, clock), cache(pim, clock)

    assert one.structure(["color"]).attribute("color") is not None
    assert one.structure(["color"]).attribute("color") is not None
    assert other.structure(["color"]).attribute("color") is not None

    assert pim.asked == [["color"]]


def test_what_all_workers_share_is_looked_for_once_by_one_that_begins(bucket: str) -> None:
    client, asked = boto3.client("s3"), []
    hooks: Any = client.meta.events
    hooks.register("before-call.s3", lambda model, **_: asked.append(model.name))

    StructureCache(Bucket(client, bucket), Pim(), now=Clock()).structure(["color"])

    assert asked == ["GetObject", "PutObject"]


def test_another_mapping_s_attributes_are_fetched_with_those_known(bucket: str) -> None:
    pim, clock = Pim(), Clock()
    cache(pim, clock).structure(["color"])

    grown = cache(pim, clock).structure(["size"])

    assert pim.asked == [["color"], ["color", "size"]]
    assert grown.attribute("color") is not None


def test_a_mapping_that_may_name_any_attribute_has_all_of_them_fetched(bucket: str) -> None:
    pim, clock = Pim(), Clock()
    cache(pim, clock).structure(["color"])

    cache(pim, clock).structure(None)
    cache(pim, clock).structure(["size"])

    assert pim.asked == [["color"], ["all"]]


def test_an_old_structure_is_fetched_again(bucket: str) -> None:
    pim, clock = Pim(), Clock()
    kept = cache(pim, clock)
    kept.structure(["color"])
    clock.sleep(3601)

    kept.structure(["color"])

    assert len(pim.asked) == 2


def test_before_a_rejection_the_structure_is_fresh_but_the_pim_is_asked_once_a_minute(
    bucket: str,
) -> None:
    pim, clock = Pim(), Clock()
    kept = cache(pim, clock)
    kept.structure(["color"])
    clock.sleep(61)
    pim.options = (AttributeOption(code="red", attribute="color"),)

    assert kept.fresh(["color"]).option("color", "red") is not None
    clock.sleep(59)
    kept.fresh(["color"])

    assert len(pim.asked) == 2


def test_an_option_just_created_is_known_to_all_workers_without_asking_the_pim(
    bucket: str,
) -> None:
    pim, clock = Pim(), Clock()
    one, other = cache(pim, clock), cache(pim, clock)
    one.structure(["color"])

    one.add_options([AttributeOption(code="Teal", attribute="color", labels={"en_US": "Teal"})])

    assert one.structure(["color"]).options("color") == frozenset({"Teal"})
    assert other.structure(["color"]).option("color", "teal") is not None
    assert pim.asked == [["color"]]


def test_a_damaged_cache_is_replaced(bucket: str) -> None:
    pim, clock = Pim(), Clock()
    boto3.client("s3").put_object(Bucket="bucket", Key="cache/structure.json", Body=b"{nonsense")

    assert cache(pim, clock).structure(["color"]).attribute("color") is not None
