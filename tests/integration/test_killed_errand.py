"""An errand whose command was stopped at any call: it is sent by housekeeping, or given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pim_connector.consignment import GIVEN_UP
from pim_connector.errands import refuse_while_busy
from pim_connector.errors import ConfigurationError
from pim_connector.ledger import Ledger
from pim_connector.messages import Force
from pim_connector.past_records import Selection
from pim_connector.replaying import ReplayParts, replay
from pim_connector.runs.run import Run
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
    errands = replace(nights.errands(), clock=lambda: datetime.now(UTC) - ago)
    ledger = Ledger(nights.stack.dynamodb, "SyncStateTable")
    parts = ReplayParts(errands=errands, deliveries=nights.stack.deliveries, ledger=ledger)
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
        for errand in (each for each in nights.stack.runs() if each.id not in known):
            ends.append(end_of(errand))
        refuse_while_busy(run, nights.stack.registry)
        if not stopped:
            break
    assert not stopped, "the replay makes more calls than were tried"
    assert set(ends) == {"given up", "sent"}
    assert ends == sorted(ends), "what is sent once is never given up"


def end_of(errand: Run) -> str:
    """Say how an errand ended, after its counts were seen to be right."""
    if errand.problem:
        assert (errand.phase, errand.problem) == ("failed", GIVEN_UP)
        assert (errand.records, errand.sent, errand.accounted) == (0, 0, 0)
        return "given up"
    assert errand.phase == "finished"
    assert (errand.records, errand.counts["updated"]) == (1, 1)
    return "sent"


def test_a_command_that_still_writes_is_left_alone(nights: Nights) -> None:
    run = nights.night("a.xml", EXPORT)
    with pytest.raises(StoppedError), stopped_at(nights, 12):
        send_again(nights, run, ago=timedelta(minutes=50))
    nights.rest()
    [errand] = [each for each in nights.stack.runs() if each.kind == "replay"]
    assert errand.phase == "preparing"


def test_a_command_that_goes_on_after_it_was_given_up_is_told(nights: Nights) -> None:
    run = nights.night("a.xml", EXPORT)
    registry = nights.stack.registry

    def late(**_: Any) -> None:
        for errand in nights.stack.runs():
            if errand.phase == "preparing":
                registry.give_up(errand, GIVEN_UP, nights.errands().now())

    nights.stack.s3.meta.events.register_first("before-call.s3.PutObject", late)
    with pytest.raises(ConfigurationError, match="given up"):
        send_again(nights, run)
    nights.stack.s3.meta.events.unregister("before-call.s3.PutObject", late)
    nights.rest()
    [errand] = [each for each in nights.stack.runs() if each.kind == "replay"]
    assert end_of(errand) == "given up"
