"""A DAM, a clock, a queue and a cursor for the tests of polling, around the real code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from pim_connector.dam.client import DamClient, Gone
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import load_source
from pim_connector.dam.polling import Poll, PollReport, SourceCursor
from pim_connector.errors import TransientError
from pim_connector.sync.messages import (
    AssetMessage,
    asset_group,
    decode_asset_message,
    encode_asset_message,
)
from simulators.dam.dam import Dam
from simulators.dam.habits import Habits

START = 1_700_000_000.0


class World:
    """Polls a simulated DAM with a source file, into a queue that is a dictionary.

    `handed` is what the asset mapper would know: the latest content of each asset, a deletion
    believed only after asking for the asset by its id, as the mapper does.
    """

    def __init__(
        self, source: str, habits: Habits | None = None, *, seed: int = 1, step: float = 0.05
    ) -> None:
        self.time = START
        self.step = step
        self.dam = Dam(habits=habits, clock=lambda: self.time, seed=seed)
        self.source = load_source(source.encode(), name="test.yaml")
        self.cursor = SourceCursor()
        self.handed: dict[str, dict[str, Any]] = {}
        self.messages: list[AssetMessage] = []
        self.fail_after: int | None = None
        self.before_each_list: Callable[[], object] = lambda: None

    def client(self, time_left: Callable[[], float] = lambda: 600.0) -> DamClient:
        clocks = Clocks(
            now=lambda: self.time, sleep=self.wait, jitter=lambda: 0.5, time_left=time_left
        )
        return DamClient(self.source, transport=httpx.MockTransport(self._answer), clocks=clocks)

    def poll(self, *, seconds: float = 1e9, reserve: float = 0.0) -> PollReport:
        until = self.time + seconds

        def time_left() -> float:
            return until - self.time

        with self.client(lambda: 1e9) as client:
            return Poll(
                client=client,
                cursors=self,
                send=self.send,
                groups=3,
                time_left=time_left,
                reserve=reserve,
            ).run()

    def wait(self, seconds: float) -> None:
        self.time += seconds

    def load(self, source: str) -> SourceCursor:
        return self.cursor

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        assert cursor.version == self.cursor.version
        text = json.loads(json.dumps({"v": cursor.version + 1}))
        self.cursor = SourceCursor(
            changes=cursor.changes, deletions=cursor.deletions, version=text["v"]
        )
        return self.cursor

    def send(self, message: AssetMessage) -> None:
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after < 0:
                raise TransientError("the queue takes nothing")
        read = decode_asset_message(encode_asset_message(message))
        assert read == message
        assert len(message.changes) <= 100
        self.messages.append(message)
        for change in message.changes:
            assert asset_group(message.source, change.id, 3) == message.group
            if change.kind == "deleted":
                with self.client() as client:
                    found = client.asset(change.id)
                if isinstance(found, Gone):
                    self.handed.pop(change.id, None)
            elif change.properties is not None:
                self.handed[change.id] = change.properties

    def versions(self) -> dict[str, int]:
        """What the queue was given last: the version of each asset."""
        return {asset_id: properties["version"] for asset_id, properties in self.handed.items()}

    def truth(self) -> dict[str, int]:
        """What is in the DAM: the version of each asset."""
        living = self.dam.library.living()
        return {asset_id: properties["version"] for asset_id, properties in living.items()}

    def reconcile(self) -> None:
        """What a reconciliation does about assets whose deletion nothing told of."""
        with self.client() as client:
            for asset_id in set(self.handed) - set(self.truth()):
                if isinstance(client.asset(asset_id), Gone):
                    self.handed.pop(asset_id)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.time += self.step
        assert self.dam.requests["all"] < 3_000, "the walk does not end"
        if request.url.path.endswith("/assets"):
            self.before_each_list()
        return self.dam.transport(request)
