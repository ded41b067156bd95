"""`dam_poller` from the schedule's event to the asset queue, against a DAM behind a real socket."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

import telemetry
from cli import assets_reconcile
from cli.target import Target
from functions.dam_poller import handler
from pim_connector.assets.reconcile import approve
from pim_connector.assets.state import AssetEntry, AssetSyncState
from pim_connector.aws.table import Table
from pim_connector.errors import ConfigurationError
from pim_connector.sync.messages import AssetMessage, decode_asset_message
from simulators.dam.dam import Dam
from simulators.dam.server import application
from tests.integration.assets.world import SYNC_STATE_INDEX
from tests.integration.dam_server import served
from tests.template_metrics import emitted, looked_at

EVENTS = Path(__file__).parents[2] / "events" / "dam_poller"
SOURCE = """
source: {name}
base_url: {url}
secret: dam-secret
auth: {{kind: bearer, token: "{{{{secret.token}}}}"}}
list:
  path: /offset/assets
  params: {{"filter[updated_at][_gte]": "{{{{since}}}}", sort: {sort}, limit: "{{{{limit}}}}",
            offset: "{{{{offset}}}}"}}
  items: data
  pagination: {{kind: offset, size: 20}}
updated: updated_at
since: {{format: iso_ms_z}}
rate: {{timeout_s: 5, longest_wait_s: 0}}
"""


class Context(LambdaContext):
    """A Lambda context with so many seconds left, less one each time somebody asks."""

    def __init__(self, seconds: float = 900, request: str = "r-1") -> None:
        self._aws_request_id = request
        self._function_name = "dam_poller"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:dam_poller"
        self._left = seconds

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # static there
        self._left -= 1
        return int(self._left * 1000)


@dataclass
class Stack:
    """The poller's surroundings, and what arrived in the asset queue."""

    dam: Dam
    url: str
    queue: str
    versions: dict[str, int] = field(default_factory=dict)

    def put_source(self, name: str, more: str = "", **changed: str) -> None:
        values = {"name": name, "url": self.url, "sort": "updated_at", **changed}
        text = SOURCE.format(**values) + more
        boto3.client("s3").put_object(
            Bucket="stack", Key=f"config/dam/{name}.yaml", Body=text.encode()
        )
        handler.polls.cache_clear()

    def poll(self, event: dict[str, Any], **context: Any) -> list[dict[str, Any]]:
        handler.polls.cache_clear()
        polls: list[dict[str, Any]] = handler.lambda_handler(event, Context(**context))["polls"]
        return polls

    def receive(self) -> list[AssetMessage]:
        sqs, found = boto3.client("sqs"), []
        while answer := sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            for message in answer:
                read = decode_asset_message(message["Body"])
                assert message["Attributes"]["MessageGroupId"] == f"asset-group-{read.group}"
                found.append(read)
                for change in read.changes:
                    if change.properties is None:
                        continue
                    self.versions[change.id] = change.properties["version"]
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def truth(self) -> dict[str, int]:
        return {key: found["version"] for key, found in self.dam.library.living().items()}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "BUCKET": "stack",
        "STATE_TABLE": "state",
        "SYNC_STATE_TABLE": "sync_state",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(telemetry.metrics.provider, "namespace", "PimConnector")
    dam = Dam(token="only-for-tests")
    with mock_aws(), served(application(dam)) as url:
        boto3.client("s3").create_bucket(
            Bucket="stack", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        queue = boto3.client("sqs").create_queue(
            QueueName="asset.fifo", Attributes={"FifoQueue": "true"}
        )["QueueUrl"]
        monkeypatch.setenv("ASSET_QUEUE_URL", queue)
        boto3.client("dynamodb").create_table(
            TableName="state",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("dynamodb").create_table(
            TableName="sync_state",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "in_use", "waits")
            ],
            BillingMode="PAY_PER_REQUEST",
            **SYNC_STATE_INDEX,
        )
        boto3.client("secretsmanager").create_secret(
            Name="dam-secret", SecretString=json.dumps({"token": "only-for-tests"})
        )
        handler.polls.cache_clear()
        stack = Stack(dam=dam, url=url, queue=queue)
        stack.put_source("sim")
        yield stack
        handler.polls.cache_clear()


@pytest.mark.parametrize("event", sorted(EVENTS.glob("*polled.json")), ids=lambda path: path.stem)
def test_the_first_poll_is_a_full_load_in_messages_of_at_most_100(
    stack: Stack, event: Path
) -> None:
    for _ in range(230):
        stack.dam.library.add()
    [outcome] = stack.poll(json.loads(event.read_text()))
    messages = stack.receive()
    assert (outcome["outcome"], outcome["assets"]) == ("finished", 230)
    assert max(len(message.changes) for message in messages) <= 100
    assert len(messages) <= 4
    assert stack.versions == stack.truth()


def test_the_next_poll_brings_what_changed_since(stack: Stack) -> None:
    ids = [stack.dam.library.add() for _ in range(30)]
    stack.poll({})
    stack.receive()
    stack.dam.library.advance(3600)
    stack.dam.library.change(ids[3])
    stack.dam.library.add()
    stack.poll({}, request="r-2")
    changed = {change.id for message in stack.receive() for change in message.changes}
    assert {ids[3], "a000031"} <= changed
    assert stack.versions == stack.truth()
    stack.poll({}, request="r-3")
    repeated = {change.id for message in stack.receive() for change in message.changes}
    assert repeated <= {ids[3], "a000031"}


def test_a_poll_stops_in_time_and_the_next_one_goes_on_from_there(stack: Stack) -> None:
    for _ in range(200):
        stack.dam.library.add()
        stack.dam.library.advance(5)
    [first] = stack.poll({}, seconds=36)
    assert first["outcome"] == "goes on"
    assert 0 < first["assets"] < 200
    [second] = stack.poll({}, request="r-2")
    assert second["outcome"] == "finished"
    assert second["assets"] < 200
    stack.receive()
    assert stack.versions == stack.truth()


def test_two_polls_of_one_source_never_run_at_once(stack: Stack) -> None:
    stack.dam.library.add()
    polling = handler.polls().of("the other one", lambda: 900.0).polling
    leases = polling.leases
    leases.acquire("dam-sim", "the other one", polling.clocks.now())
    assert stack.poll({}) == [{"source": "sim", "outcome": "busy"}]
    assert stack.receive() == []
    leases.release("dam-sim", "the other one")
    assert stack.poll({})[0]["outcome"] == "finished"


def test_a_source_that_is_wrong_does_not_keep_the_others_from_their_turn(stack: Stack) -> None:
    stack.dam.library.add()
    stack.put_source("another", sort="no_such_field")
    with pytest.raises(ConfigurationError, match="no_such_field"):
        stack.poll({})
    stack.receive()
    assert stack.versions == stack.truth()


def test_a_dam_that_is_down_is_asked_again_at_the_next_tick(stack: Stack) -> None:
    stack.dam.library.add()
    stack.dam.habits.error_every = 1
    assert stack.poll({}, seconds=30)[0]["outcome"] == "postponed"
    stack.dam.habits.error_every = None
    assert stack.poll({}, request="r-2")[0]["outcome"] == "finished"
    stack.receive()
    assert stack.versions == stack.truth()


def test_no_secret_is_logged(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.dam.token = "another-token-than-ours"
    with pytest.raises(ConfigurationError, match="401"):
        stack.poll({})
    said = capsys.readouterr()
    assert "only-for-tests" not in said.out + said.err


RECONCILED = """
item: {get: "/assets/{{id}}", item: data}
deleted: {absent: reconcile}
assets:
  family: packshots
  attributes: {title: title}
  on_delete: {action: delete, max_share: 20}
"""


@dataclass
class Reconciling:
    """A source that is reconciled, and a PIM that has all of its assets."""

    stack: Stack
    ids: list[str]

    def run(self, event: dict[str, Any], **context: Any) -> dict[str, Any]:
        handler.polls.cache_clear()
        answer: dict[str, Any] = handler.lambda_handler(event, Context(**context))
        return answer

    def announced(self, kind: str = "deleted") -> set[str]:
        return {
            change.id
            for message in self.stack.receive()
            for change in message.changes
            if change.kind == kind
        }


@pytest.fixture
def reconciling(stack: Stack) -> Reconciling:
    ids = [stack.dam.library.add() for _ in range(60)]
    stack.put_source("sim", RECONCILED)
    entries = [
        AssetEntry(
            source="sim",
            dam_id=asset_id,
            family="packshots",
            code=asset_id,
            hashes=b"h",
            waiting=("product|SHOE1|pictures||",) if asset_id == ids[7] else (),
        )
        for asset_id in ids
    ]
    AssetSyncState(boto3.client("dynamodb"), "sync_state").accept(entries)
    found = Reconciling(stack, ids)
    found.run({})
    stack.receive()
    return found


def test_a_deletion_nobody_announced_is_found_by_the_reconciliations_schedule(
    reconciling: Reconciling,
) -> None:
    stack = reconciling.stack
    stack.dam.library.delete(reconciling.ids[3])
    assert reconciling.run({}, request="r-2")["reconciled"] == []
    assert reconciling.announced() == set()
    event = json.loads((EVENTS / "a-reconciliation-is-begun.json").read_text())
    [outcome] = reconciling.run(event, request="r-3")["reconciled"]
    assert (outcome["outcome"], outcome["known"], outcome["missing"]) == ("done", 60, 1)
    assert reconciling.announced() == {reconciling.ids[3]}
    assert reconciling.run({}, request="r-4")["reconciled"] == []


def test_a_reconciliation_that_runs_out_of_time_goes_on_with_the_next_ticks(
    reconciling: Reconciling,
) -> None:
    reconciling.stack.dam.library.delete(reconciling.ids[3])
    [began] = reconciling.run({"reconcile": True}, seconds=78, request="r-2")["reconciled"]
    assert began["outcome"] == "goes on"
    assert 0 < began["listed"] < 59
    before = reconciling.stack.dam.requests["list"]
    [ended] = reconciling.run({}, request="r-3")["reconciled"]
    assert (ended["outcome"], ended["listed"], ended["missing"]) == ("done", 59, 1)
    assert reconciling.stack.dam.requests["list"] - before < 8
    assert reconciling.announced() == {reconciling.ids[3]}


def test_more_than_the_set_share_waits_for_an_operator(reconciling: Reconciling) -> None:
    for asset_id in reconciling.ids[:20]:
        reconciling.stack.dam.library.delete(asset_id)
    [outcome] = reconciling.run({"reconcile": True}, request="r-2")["reconciled"]
    assert outcome["outcome"] == "refused"
    assert "pim-connector assets approve sim" in outcome["refused"]
    assert reconciling.announced() == set()
    assert approve(Table(boto3.client("dynamodb"), "state"), "sim") == 20
    [outcome] = reconciling.run({"reconcile": True}, request="r-3")["reconciled"]
    assert (outcome["outcome"], outcome["announced"]) == ("done", 20)
    assert reconciling.announced() == set(reconciling.ids[:20])


def test_links_that_wait_are_tried_when_a_run_of_products_has_ended(
    reconciling: Reconciling,
) -> None:
    event = json.loads((EVENTS / "links-are-tried-after-a-run.json").read_text())
    assert reconciling.run(event) == {"links_tried": 1}
    [message] = reconciling.stack.receive()
    assert [(c.id, c.origin) for c in message.changes] == [(reconciling.ids[7], "links")]


def test_the_poller_emits_what_alarms_and_dashboard_look_at(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.dam.library.add()
    stack.put_source("bynder")
    stack.poll({})

    assert emitted(capsys.readouterr().out) >= looked_at()["dam_poller"]


def test_the_lag_is_the_time_since_a_source_was_read_to_its_end(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.dam.library.add()
    stack.put_source("bynder")
    stack.poll({})
    ended = int(time.time()) - 7200
    boto3.client("dynamodb").update_item(
        TableName="state",
        Key={"pk": {"S": "cursor#bynder"}},
        UpdateExpression="SET finished_at = :then",
        ExpressionAttributeValues={":then": {"N": str(ended)}},
    )
    stack.put_source("bynder", url="http://127.0.0.1:9")
    capsys.readouterr()
    stack.poll({})

    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert 7200 <= said[-1]["DamLagSeconds"][0] < 7300


def test_an_operators_approval_is_carried_out_at_the_next_tick(
    reconciling: Reconciling, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = {"Bucket": "stack", "StateTable": "state"}
    target = Target(name="s", session=boto3.Session(), endpoint=None, outputs=outputs)
    monkeypatch.setattr(assets_reconcile, "connect_stack", lambda *_: target)
    for asset_id in reconciling.ids[:20]:
        reconciling.stack.dam.library.delete(asset_id)
    with pytest.raises(ConfigurationError, match="no reconciliation of sim waits"):
        assets_reconcile.approve("sim")
    assets_reconcile.reconcile("sim")
    [outcome] = reconciling.run({}, request="r-2")["reconciled"]
    assert outcome["outcome"] == "refused"
    assert reconciling.run({}, request="r-3")["reconciled"] == []

    assets_reconcile.approve("sim")

    [outcome] = reconciling.run({}, request="r-4")["reconciled"]
    assert (outcome["outcome"], outcome["announced"]) == ("done", 20)
    with pytest.raises(ConfigurationError, match="nobody"):
        assets_reconcile.reconcile("nobody")
