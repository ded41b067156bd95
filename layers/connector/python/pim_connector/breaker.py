"""A circuit breaker that all workers share, so that a PIM that is down is not hammered.

One DynamoDB item. While it is there the circuit is open: messages go back to the queue until the
next probe, and one worker at a time tries. The first success takes the item away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Reason = Literal["unreachable", "credentials", "configuration"]

KEY = "breaker"
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS: dict[Reason, int] = {
    "unreachable": 900,
    "credentials": 300,
    "configuration": 300,
}
"""What a person mends is tried sooner than an outage that ends by itself: somebody watches."""
PROBE_SECONDS = 60
"""How long a prober keeps the others away; it must have its answer by then."""


class Closed(Struct, frozen=True, kw_only=True):
    """The PIM answers as far as anybody knows."""


class Probing(Struct, frozen=True, kw_only=True):
    """The circuit is open and this worker is the one that tries. `until` proves it (epoch s)."""

    until: int
    failures: int
    reason: Reason


class Open(Struct, frozen=True, kw_only=True):
    """The circuit is open: come back in `wait` seconds."""

    wait: int
    reason: Reason


Gate = Closed | Probing | Open


class Breaker:
    """The state of the circuit in the state table. `now` is in epoch seconds everywhere.

    Every method raises TransientError when DynamoDB cannot answer.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def enter(self, now: float) -> Gate:
        """Ask before calling the PIM; of several that come when a probe is due one may try."""
        with _transient("read"):
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": KEY}}, ConsistentRead=True
            )
        item = answer.get("Item")
        if item is None:
            return Closed()
        reason = _reason(item["reason"]["S"])
        due = int(item["probe_at"]["N"])
        if now < due:
            return Open(wait=max(1, due - int(now)), reason=reason)
        until = int(now) + PROBE_SECONDS
        if not self._claim(due, until):
            return Open(wait=PROBE_SECONDS, reason=reason)
        return Probing(until=until, failures=int(item["failures"]["N"]), reason=reason)

    def succeeded(self, gate: Gate) -> None:
        """Close the circuit if this worker was its prober."""
        if not isinstance(gate, Probing):
            return
        with _transient("closed"):
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": KEY}})

    def failed(self, gate: Gate, reason: Reason, now: float, why: str) -> int:
        """Open the circuit, or keep it open for twice as long; give the seconds to the next probe.

        Workers that fail while it is already open do not lengthen the wait, only its prober does.
        `why` is for the operator's eyes and must hold no secret.
        """
        failures = gate.failures + 1 if isinstance(gate, Probing) else 1
        doubled = FIRST_WAIT_SECONDS << min(failures - 1, 10)
        wait = min(LONGEST_WAIT_SECONDS[reason], doubled)
        mine: dict[str, AttributeValueTypeDef] = {}
        if isinstance(gate, Probing):
            mine[":until"] = {"N": str(gate.until)}
        self._set_if(
            "probe_at = :until" if mine else "attribute_not_exists(pk)",
            "SET reason = :r, why = :w, failures = :f, probe_at = :p,"
            " since = if_not_exists(since, :n)",
            mine
            | {
                ":r": {"S": reason},
                ":w": {"S": why[:500]},
                ":f": {"N": str(failures)},
                ":p": {"N": str(int(now) + wait)},
                ":n": {"N": str(int(now))},
            },
        )
        return wait

    def _claim(self, due: int, until: int) -> bool:
        return self._set_if(
            "probe_at = :due",
            "SET probe_at = :until",
            {":due": {"N": str(due)}, ":until": {"N": str(until)}},
        )

    def _set_if(
        self,
        condition: str,
        update: str,
        values: dict[str, AttributeValueTypeDef],
    ) -> bool:
        try:
            with _transient("changed"):
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": KEY}},
                    ConditionExpression=condition,
                    UpdateExpression=update,
                    ExpressionAttributeValues=values,
                )
        except _TakenError:
            return False
        return True


def _reason(text: str) -> Reason:
    return next((known for known in LONGEST_WAIT_SECONDS if known == text), "unreachable")


class _TakenError(Exception):
    """Somebody else was quicker."""


@contextmanager
def _transient(verb: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise _TakenError from error
        raise TransientError(f"the breaker could not be {verb}: {error}") from error
    except BotoCoreError as error:
        raise TransientError(f"the breaker could not be {verb}: {error}") from error
