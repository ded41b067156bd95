"""A job whose command was stopped at any call: it is sent by housekeeping, or given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pim_connector.errors import ConfigurationError
from pim_connector.products.replaying import ReplayParts, Selection, replay
from pim_connector.sync.jobs import GIVEN_UP, refuse_while_busy
from pim_connector.sync.messages import Force
from pim_connector.sync.runs import Run
from pim_connector.sync.state import SyncState
from simulators.akeneo.pim import Pim
from tests.integration import shop
from tests.integration.nightly import Nights
from tests.integration.shop import serving, shop_nights

MAPPING = shop.MAPPING.replace(", code: code", "")
EXPORT = "<items><item><sku>p1</sku><name>Boot</name></item></items>"
LONG_AGO = timedelta(hours=2)


class StoppedError(BaseException):
    """The command was stopped."""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def nights(server: tuple[Pim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    with shop_nights(server, monkeypatch, MAPPING) as nights:
        yield nights


@contextmanager
def stopped_at(nights: Nights, number: int) -> Iterator[None]:
    """Stop whatever runs before its call to AWS of this number, 1 for the first."""
    clients = (nights.stack.s3, nights.stack.dynamodb, nights.stack.sqs, nights.stack.events)
    calls = 0

    def count(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise StoppedError

    for client in clients:
        client.meta.events.register_first("before-call", count)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", count)


def send_again(nights: Nights, run: Run, *, ago: timedelta = LONG_AGO) -> None:
    """Replay a run as a command does that began a while ago."""
    jobs = replace(nights.jobs(), clock=lambda: datetime.now(UTC) - ago)
    sync_state = SyncState(nights.stack.dynamodb, "SyncStateTable")
    parts = ReplayParts(jobs=jobs, deliveries=nights.stack.deliveries, sync_state=sync_state)
    replay(run, Selection(), parts, force=Force())


def test_a_replay_stopped_at_any_call_is_brought_to_an_end_without_its_command(
    nights: Nights,
) -> None:
    run = nights.night("a.xml", EXPORT)
    ends: list[str] = []
    for number in range(1, 60):
        known = {each.id for each in nights.stack.runs()}
        with stopped_at(nights, number):
            try:
                send_again(nights, run)
            except StoppedError:
                stopped = True
            else:
                stopped = False
        nights.rest()
        nights.rest()
        for job in (each for each in nights.stack.runs() if each.id not in known):
            ends.append(end_of(job))
        refuse_while_busy(run, nights.stack.registry)
        if not stopped:
            break
    assert not stopped, "the replay makes more calls than were tried"
    assert set(ends) == {"given up", "sent"}
    assert ends == sorted(ends), "what is sent once is never given up"


def end_of(job: Run) -> str:
    """Say how a job ended, after its counts were seen to be right."""
    if job.problem:
        assert (job.phase, job.problem) == ("failed", GIVEN_UP)
        assert (job.records, job.sent, job.accounted) == (0, 0, 0)
        return "given up"
    assert job.phase == "finished"
    assert (job.records, job.counts["updated"]) == (1, 1)
    return "sent"


def test_a_command_that_still_writes_is_left_alone(nights: Nights) -> None:
    run = nights.night("a.xml", EXPORT)
    with pytest.raises(StoppedError), stopped_at(nights, 12):
        send_again(nights, run, ago=timedelta(minutes=50))
    nights.rest()
    [job] = [each for each in nights.stack.runs() if each.kind == "replay"]
    assert job.phase == "preparing"


def test_a_command_that_goes_on_after_it_was_given_up_is_told(nights: Nights) -> None:
    run = nights.night("a.xml", EXPORT)
    registry = nights.stack.registry

    def late(**_: Any) -> None:
        for job in nights.stack.runs():
            if job.phase == "preparing":
                registry.give_up(job, GIVEN_UP, nights.jobs().now())

    nights.stack.s3.meta.events.register_first("before-call.s3.PutObject", late)
    with pytest.raises(ConfigurationError, match="given up"):
        send_again(nights, run)
    nights.stack.s3.meta.events.unregister("before-call.s3.PutObject", late)
    nights.rest()
    [job] = [each for each in nights.stack.runs() if each.kind == "replay"]
    assert end_of(job) == "given up"
