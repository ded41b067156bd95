"""Following a run from the upload to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cli.findings import standstill
from cli.following import START_SECONDS, follow
from cli.summary import as_json, outcome_line
from pim_connector.akeneo.pim import Outage
from pim_connector.aws.bucket import StoredObject
from pim_connector.errors import ConnectorError
from pim_connector.products.splitting import new_run
from pim_connector.sync.runs import Phase, Run


def run(phase: Phase, *, records: int = 0, **counts: int) -> Run:
    file = StoredObject(
        key="incoming/erp/x.xml", version="1", size=1, modified=datetime(2026, 11, 20, tzinfo=UTC)
    )
    new = new_run("bucket", "erp", file, phase=phase, now=datetime(2026, 11, 20, 22, tzinfo=UTC))
    return replace(
        new,
        id="r",
        records=records,
        counts=new.counts | counts,
        finished_at="2026-11-20T22:00:07.500000+00:00" if phase == "finished" else None,
    )


def answers(*found: Run | None) -> Callable[[], Run | None]:
    waiting: Iterator[Run | None] = iter(found)
    return lambda: next(waiting)


def ticks() -> Callable[[], float]:
    now: Iterator[int] = iter(range(1_000_000))
    return lambda: float(next(now))


def ignore(_: float) -> None:
    return


def test_a_run_is_followed_from_before_it_exists_to_its_end() -> None:
    ended = run("finished", records=2, created=2)
    get = answers(None, run("waiting"), run("waiting"), run("splitting"), ended)

    phases = [seen.phase for seen in follow(get, clock=ticks(), sleep=ignore)]

    assert phases == ["waiting", "splitting", "finished"]


@pytest.mark.parametrize("phase", ["failed", "noted"])
def test_a_run_that_goes_no_further_is_not_waited_for(phase: Phase) -> None:
    seen = list(follow(answers(run(phase)), clock=ticks(), sleep=ignore))

    assert [one.phase for one in seen] == [phase]


def test_an_upload_that_starts_no_run_says_where_to_look() -> None:
    with pytest.raises(ConnectorError, match="splitter's log"):
        list(follow(lambda: None, clock=ticks(), sleep=ignore))
    assert START_SECONDS == 60


def test_the_line_that_ends_the_demo_has_every_state_the_duration_and_nothing_else() -> None:
    ended = run("finished", records=4, created=2, updated=1, rejected=1)

    assert outcome_line(ended) == {
        "run": "r",
        "records": 4,
        "created": 2,
        "updated": 1,
        "unchanged": 0,
        "superseded": 0,
        "filtered": 0,
        "rejected": 1,
        "seconds": 7.5,
    }
    assert outcome_line(ended).items() <= as_json(ended).items()
    assert as_json(ended)["phase"] == "finished"


def test_that_the_pim_is_down_is_said_once_and_so_is_that_it_is_back() -> None:
    going = [run("delivering") for _ in range(12)]
    stopped = iter(["down since 10:00", "down since 10:00", None])
    said: list[str] = []

    list(
        follow(
            answers(*going, run("finished")),
            clock=ticks(),
            sleep=ignore,
            stopped=lambda: next(stopped, None),
            say=said.append,
        )
    )

    assert said == ["down since 10:00", "The PIM answers again: delivery goes on."]


def test_a_standstill_says_why_since_when_when_the_next_try_is_and_what_to_do() -> None:
    told = standstill(
        Outage(reason="unreachable", why="HTTP 503.", since=1_795_428_000, next_try=1_795_428_060)
    )

    assert told is not None
    assert "the PIM cannot be reached (HTTP 503), since 2026-11-23 10:00:00 UTC" in told
    assert "next try at 2026-11-23 10:01:00 UTC" in told
    assert "delivered by themselves" in told
    assert standstill(None) is None
