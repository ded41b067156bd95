"""Workers and the PIM are killed (SIGKILL) in the middle of an import into the local stack."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli.imports import ended, put_mapping, upload
from cli.runs import rejections
from cli.target import Target, connect_local
from local.demo import arrival
from local.demo.assortment import assortment
from local.demo.expectation import expectation
from local.demo.export import export
from local.stack import lifecycle
from local.stack.servers import Server, is_running, stop, wait_until_ready
from pim_connector.akeneo.client import AkeneoClient
from pim_connector.sync.runs import Registry, Run

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("default::ResourceWarning")]

MAPPING = Path(lifecycle.CATALOG).with_name("mapping.yaml")
GOODS = assortment(4)
EXPECTED = expectation(GOODS)
RECEIVED_AGAIN_SECONDS = 20
"""Instead of the half hour after which the queue gives out what a dead worker held."""
LINE_MILLISECONDS = 30
RETRY_POLICY_SECONDS = 300
KILLS = 5
FIELDS = ("family", "family_variant", "parent", "groups", "categories", "enabled", "values")
OWN = ("identifier", "code", *FIELDS)


@dataclass
class Night:
    """A stack of its own, whose PIM can be killed and keeps what it had, as a database does."""

    target: Target
    aws: Server
    akeneo: Server
    directory: Path

    @property
    def pim(self) -> lifecycle.Pim:
        return lifecycle.simulated_pim({"akeneo": self.akeneo})

    def run(self, name: str) -> Run | None:
        return Registry(self.target.run_table()).get(name)

    def steer(self, method: str, path: str, body: object = None) -> Any:
        """Ask the simulator what no client may ask."""
        request = urllib.request.Request(  # noqa: S310  our own http://127.0.0.1
            f"{self.akeneo.url}/_simulator{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def kill_workers(self) -> int:
        """Kill every process that runs a function's code."""
        workers = descendants(self.aws.pid)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        return len(workers)

    def kill_pim(self) -> dict[str, Any]:
        """Kill the PIM's process between two calls; give what its database holds."""
        self.steer("PUT", "/faults", {"down": 503})
        until(lambda: self.steer("GET", "/counters")["concurrent_calls"]["now"] == 0)
        state: dict[str, Any] = self.steer("GET", "/state")
        os.kill(self.akeneo.pid, signal.SIGKILL)
        until(lambda: not is_running(self.akeneo))
        return state

    def start_pim(self, state: dict[str, Any]) -> None:
        """Start it anew at its old place, with what its database held."""
        port = urlsplit(self.akeneo.url).port or 0
        self.akeneo = lifecycle.start_akeneo(self.directory, port=port, tied=True)
        wait_until_ready(self.akeneo, "/")
        catalog = json.loads(lifecycle.CATALOG.read_bytes())
        kept = {name: [own(row) for row in state[name]] for name in ("products", "product_models")}
        options = {"attribute_options": state["attribute_options"]}
        self.steer("PUT", "/catalog", catalog | options | kept)
        self.steer("PUT", "/faults", {"latency_ms": LINE_MILLISECONDS})


def own(row: dict[str, Any]) -> dict[str, Any]:
    """Give what a client would write of a product or model."""
    return {name: row[name] for name in OWN if row.get(name) not in (None, [])}


def descendants(pid: int) -> list[int]:
    """Give the processes that a process has started, and those that they have."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def until(holds: Callable[[], object], *, seconds: float = RETRY_POLICY_SECONDS) -> None:
    """Wait for something that has to come about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    directory = tmp_path / "stack"
    with lifecycle.temporary(directory=directory, tell=lambda _: None) as running:
        target = connect_local(running)
        target.client("sqs").set_queue_attributes(
            QueueUrl=target.output("ProductQueue"),
            Attributes={"VisibilityTimeout": str(RECEIVED_AGAIN_SECONDS)},
        )
        servers = running.servers
        night = Night(
            target=target, aws=servers["aws"], akeneo=servers["akeneo"], directory=directory
        )
        night.steer("PUT", "/faults", {"latency_ms": LINE_MILLISECONDS})
        yield night
        stop(night.akeneo)


def test_workers_and_the_pim_are_killed_during_an_import_and_the_end_is_right(
    night: Night, tmp_path: Path
) -> None:
    put_mapping(night.target, "shop", MAPPING)
    file = tmp_path / "monday.xml"
    file.write_bytes(export(GOODS))
    name = upload(night.target, "shop", file)

    def progress() -> int:
        run = night.run(name)
        return run.recorded if run and run.phase == "delivering" else -1

    def _has_gone_on(before: int) -> bool:
        return progress() > before or finished(night, name)

    until(lambda: progress() >= 0)
    killed = 0
    for _ in range(KILLS):
        before = progress()
        killed += night.kill_workers()
        until(partial(_has_gone_on, before))
    assert not finished(night, name), "it was over before the PIM was killed"
    state = night.kill_pim()
    time.sleep(5)
    night.start_pim(state)

    run = ended(night.target, name, quiet=True)

    assert killed >= KILLS
    assert run.phase == "finished"
    assert run.accounted == run.records
    assert arrival.count_differences(EXPECTED, run.counts) == []
    assert arrival.rejection_differences(EXPECTED, rejections(night.target, run.id)) == []
    with AkeneoClient(night.pim.url, night.pim.credentials) as client:
        assert arrival.differences(EXPECTED, arrival.read_pim(client, EXPECTED.accepted)) == []
        assert arrival.strangers(EXPECTED, client) == []


def finished(night: Night, name: str) -> bool:
    run = night.run(name)
    return run is not None and run.finished_at is not None
