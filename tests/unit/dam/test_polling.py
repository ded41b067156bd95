"""A poll and its cursor: nothing is passed over, whatever is cut short."""

from __future__ import annotations

import pytest

from pim_connector.dam.pages import SECOND
from pim_connector.dam.polling import SourceCursor
from pim_connector.errors import RejectedError, TransientError
from pim_connector.sync.messages import (
    MOST_BYTES,
    AssetMessage,
    Change,
    decode_asset_message,
    encode_asset_message,
    pack,
)
from tests.unit.dam.sources import source
from tests.unit.dam.world import World


class Watched(World):
    """Checks at every move of the cursor that the queue has taken all that lies before it."""

    moves = 0

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        passed = cursor.changes.since or cursor.changes.began or 0
        behind = {
            asset.id
            for asset in self.dam.library.assets.values()
            if asset.versions[-1].stamp < passed - passed % SECOND
        }
        assert behind <= set(self.handed)
        self.moves += 1
        return super().save(source, cursor, now)


def watched(assets: int) -> Watched:
    world = Watched(source("offset", size=10))
    for _ in range(assets):
        world.dam.library.add()
        world.time += 1
    return world


def test_the_cursor_moves_only_past_what_the_queue_has_taken() -> None:
    world = watched(900)
    assert world.poll().finished
    assert world.moves >= 3
    assert world.versions() == world.truth()


@pytest.mark.parametrize("taken", [0, 1, 4])
def test_a_queue_that_takes_nothing_more_loses_nothing(taken: int) -> None:
    world = watched(900)
    world.fail_after = taken
    with pytest.raises(TransientError, match="takes nothing"):
        world.poll()
    world.fail_after = None
    assert world.poll().finished
    assert world.versions() == world.truth()


def test_a_poll_goes_on_from_where_the_time_ran_out() -> None:
    world = watched(400)
    polls = 0
    while not world.poll(seconds=0.3).finished:
        polls += 1
        assert polls < 30
    assert polls > 3
    assert world.versions() == world.truth()


def test_a_poll_that_is_no_longer_alone_stops() -> None:
    world = watched(50)
    from pim_connector.dam.polling import Poll

    with world.client() as client:
        poll = Poll(
            client=client,
            cursors=world,
            send=world.send,
            groups=3,
            time_left=lambda: 100.0,
            still_alone=lambda: False,
        )
        with pytest.raises(TransientError, match="took over"):
            poll.run()


def test_what_has_no_id_is_passed_over_and_counted() -> None:
    world = World(source("offset"))
    for number in range(5):
        world.dam.library.add(id_="" if number == 2 else None)
    report = world.poll()
    assert (report.assets, report.unreadable) == (4, 0)
    assert report.without_id


def test_what_comes_twice_in_one_poll_is_sent_once() -> None:
    world = World(source("offset", size=10))
    for _ in range(35):
        world.dam.library.add()
    report = world.poll()
    assert report.repeats > 0
    assert report.assets == 35


def test_a_message_is_never_too_heavy_and_keeps_the_order() -> None:
    heavy = [Change(id=str(n), properties={"text": "ü" * 100_000}) for n in range(12)]
    messages = list(pack("dam", 0, heavy))
    assert all(len(encode_asset_message(message)) <= MOST_BYTES for message in messages)
    assert [change.id for m in messages for change in m.changes] == [c.id for c in heavy]
    assert all(
        decode_asset_message(encode_asset_message(message)) == message for message in messages
    )


def test_an_asset_that_no_message_can_carry_travels_as_its_id() -> None:
    [message] = pack("dam", 0, [Change(id="1", properties={"text": "x" * 600_000})])
    assert message.changes == (Change(id="1"),)


def test_what_is_no_message_is_rejected() -> None:
    later = AssetMessage(v=2, source="dam", group=0, changes=())
    for body in ("{}", "nothing", encode_asset_message(later)):
        with pytest.raises(RejectedError):
            decode_asset_message(body)
