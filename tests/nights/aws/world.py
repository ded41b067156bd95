"""The account that the handlers see: one client of each kind, one clock, one source of faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.nights.aws.dynamodb import DynamoDB
from tests.nights.aws.faults import Clock, Faults, refusal
from tests.nights.aws.s3 import S3
from tests.nights.aws.sqs import SQS


@dataclass
class EventBridge:
    """Takes events; the harness decides when, how often and in which order they arrive."""

    faults: Faults
    events: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.faults.before("events.put_events")
        self.events += Entries
        self.faults.after("events.put_events")
        return {"FailedEntryCount": 0, "Entries": [{"EventId": str(len(self.events))}]}


@dataclass
class Secrets:
    """Secrets by name or ARN."""

    faults: Faults
    values: dict[str, str] = field(default_factory=dict)

    def get_secret_value(self, *, SecretId: str, **_: Any) -> dict[str, Any]:
        self.faults.before("secretsmanager.get_secret_value")
        if SecretId not in self.values:
            raise refusal("ResourceNotFoundException", "GetSecretValue")
        return {"SecretString": self.values[SecretId], "ARN": SecretId}


class World:
    """All of AWS that the connector touches."""

    def __init__(self, now: float) -> None:
        self.clock = Clock(now)
        self.faults = Faults()
        self.dynamodb = DynamoDB(self.faults)
        self.s3 = S3(self.clock, self.faults)
        self.sqs = SQS(self.clock, self.faults)
        self.events = EventBridge(self.faults)
        self.secretsmanager = Secrets(self.faults)

    def client(self, service: str, **_: Any) -> Any:
        """Stand in for `boto3.client`."""
        return getattr(self, service)
