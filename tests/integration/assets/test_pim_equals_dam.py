"""Whatever a DAM does while it is walked, the PIM ends up with what the DAM has.

A seed for each way to walk, and as many more as wanted: `make simulate`, or
`DAM_SEEDS=1000-1300 python -m pytest` on this file.
"""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from pim_connector.dam.polling import Poll
from pim_connector.sync.messages import AssetMessage, Change
from simulators.akeneo.pim import Pim
from simulators.dam.library import Event
from tests.integration.assets.world import World
from tests.unit.dam.test_nothing_is_lost import WALKS, world_of
from tests.unit.dam.world import World as DamWorld

ASSETS = {
    "family": "packshots",
    "locale": "en_US",
    "on_delete": {"action": "delete"},
    "attributes": {
        "title": "title",
        "sku": {"from": "name", "steps": [{"extract": "^(SKU-[0-9]+)_"}]},
        "stars": "version",
        "tags": "tags",
    },
}


class DamOnTheWire:
    """The simulated DAM where the asset mapper looks for one."""

    def __init__(self, simulated: DamWorld) -> None:
        self._simulated = simulated

    def answer(self, request: httpx.Request) -> httpx.Response:
        return self._simulated._answer(request)


class Joined(World):
    """The asset mapper's world around a simulated DAM, with one clock for both."""

    simulated: DamWorld

    @property
    def time(self) -> float:
        return self.simulated.time

    @time.setter
    def time(self, value: float) -> None:
        self.simulated.time = max(value, self.simulated.time)

    def join(self) -> None:
        self.dam = DamOnTheWire(self.simulated)  # type: ignore[assignment]  # answers alike
        self.addresses = {}
        described = msgspec.to_builtins(self.simulated.source) | {"assets": ASSETS}
        text = json.dumps(described)
        self.s3.put_object(Bucket="bucket", Key="config/dam/sim.yaml", Body=text.encode())
        self.restart()

    def poll_once(self, seconds: float) -> bool:
        until = self.time + seconds
        with self.simulated.client(lambda: 1e9) as client:
            report = Poll(
                client=client,
                cursors=self.simulated,
                send=self.queue_message,
                groups=2,
                time_left=lambda: until - self.time,
            ).run()
        return report.finished

    def queue_message(self, message: AssetMessage) -> None:
        self.asset_queue.send(message.source, message.changes)

    def announce_some(self, random: Random) -> None:
        """Have the DAM send events: some are lost, some come twice."""

        def watch(event: Event) -> None:
            for _ in range(random.choice([0, 1, 1, 2])):
                kind: Any = "deleted" if event.kind == "deleted" else "changed"
                changes = [
                    Change(id=one, kind=kind, origin="event", not_before=self.time + 3)
                    for one in event.ids
                ]
                self.asset_queue.send("sim", changes)

        self.simulated.dam.library.watchers.append(watch)

    def held(self) -> dict[str, dict[str, Any]]:
        codes = [asset.code for asset in self.pim.assets.all_of("packshots")]
        return {code: self.asset(code) or {} for code in codes}

    def truth(self) -> dict[str, dict[str, Any]]:
        return {
            asset_id: {
                "title": held["title"],
                "sku": held["name"].partition("_")[0],
                "stars": str(held["version"]),
                "tags": held["tags"],
            }
            for asset_id, held in self.simulated.dam.library.living().items()
        }


def seeds() -> range:
    """A few, unless the environment names more."""
    first, _, last = os.environ.get("DAM_SEEDS", "0-4").partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("seed", seeds())
def test_after_the_writes_stop_and_two_more_polls_the_pim_equals_the_dam(
    emptied: tuple[Pim, str], seed: int
) -> None:
    joined = Joined.__new__(Joined)
    joined.simulated = world_of(*WALKS[seed % len(WALKS)], seed)
    joined.simulated.dam.habits.expiring_urls = seed % 3 == 0
    Joined.__init__(joined, *emptied)
    joined.join()
    random = Random(seed + 1000)  # noqa: S311
    joined.announce_some(random)
    for _ in range(3):
        for _ in range(8):
            joined.simulated.dam.library.add()
        joined.poll_once(random.choice([0.5, 5, 200]))
        joined.simulated.dam.live()
        joined.invoke(batch=random.choice([1, 3, 10]))
        joined.time += random.choice([1, 20, 300])
    joined.simulated.dam.habits.churn = False
    for _ in range(8):
        joined.simulated.dam.library.add()
    joined.time += 60
    for _ in range(2):
        assert joined.poll_once(1e9)
        joined.drain(rounds=200)

    assert len(joined.truth()) >= 5
    assert joined.held() == joined.truth()
    joined.close()
