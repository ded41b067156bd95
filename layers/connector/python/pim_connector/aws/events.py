"""What is told to other programs on EventBridge: a run settled, a run finished, a split goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pim_connector.aws.errors import translated
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

EVENT_SOURCE: Final = "pim-connector"
RUN_SETTLED: Final = "RunSettled"
RUN_FINISHED: Final = "RunFinished"
SPLIT_CONTINUES: Final = "SplitContinues"


class Announcements:
    """Events of source `pim-connector` on one bus; each may be told more than once.

    Each carries the name of its `stack`, because all stacks of a region share the default bus.
    """

    def __init__(self, client: EventBridgeClient, bus: str, stack: str) -> None:
        self._client = client
        self._bus = bus
        self._stack = stack

    def run_settled(self, run: str) -> None:
        """Tell the housekeeping that every record of the run has its end state."""
        self._put(RUN_SETTLED, {"run": run})

    def run_finished(self, run: str, summary: dict[str, object]) -> None:
        """Tell whoever listens that the run's report is written and its file moved."""
        self._put(RUN_FINISHED, {"run": run, **summary})

    def split_continues(self, run: str) -> None:
        """Have a new splitter go on with the run.

        By way of EventBridge and not of Lambda's Invoke, so that the function needs no right to
        call itself, which one CloudFormation stack cannot express without a circle.
        """
        self._put(SPLIT_CONTINUES, {"run": run})

    def _put(self, kind: str, detail: dict[str, object]) -> None:
        entry = {
            "Source": EVENT_SOURCE,
            "DetailType": kind,
            "Detail": json.dumps({"stack": self._stack, **detail}),
            "EventBusName": self._bus,
        }
        with translated(f"event {kind} was not put on bus {self._bus}"):
            answer = self._client.put_events(Entries=[entry])  # type: ignore[list-item]  # TypedDict
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode")
            raise TransientError(f"event {kind} was refused by bus {self._bus}: {code}")
