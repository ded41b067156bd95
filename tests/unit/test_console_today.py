"""Today: when the inbox is looked through next, in people's words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pim_connector.console.today import in_words, next_time

NOW = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("cron(5 1 * * ? *)", "every day at 01:05"),
        ("rate(5 minutes)", "every 5 minutes"),
        ("cron(0 1 ? * MON-FRI *)", "cron(0 1 ? * MON-FRI *)"),
    ],
)
def test_a_schedule_is_said_as_people_do_where_that_is_known(schedule: str, words: str) -> None:
    assert in_words(schedule) == words


def test_the_next_time_is_in_the_zone_of_the_stack() -> None:
    found = next_time("cron(0 1 * * ? *)", NOW, "Europe/Paris")
    assert found
    assert found.isoformat() == "2026-11-21T01:00:00+01:00"
    assert next_time("cron(0 23 * * ? *)", NOW, "UTC") == datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert next_time("cron(0 1 ? * MON *)", NOW, "UTC") is None
