"""When an export was made: what is read, and that moments compare as they followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.moments import export_moment, moment_text, time_zone

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"])


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T22:00:00Z",
        "2024-01-31 22:00",
        "2024-01-31T23:00:00+01:00",
        "20240131220000",
        "20240131T220000",
        "1706738400",
    ],
)
def test_what_needs_no_format(text: str) -> None:
    assert export_moment(text, UTC) == datetime(2024, 1, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["31.01.2024", "01/02/2024", "Jan 31, 2024", "1706738400000", "20241331", "0", "soon"]
)
def test_what_can_be_meant_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        export_moment(text, UTC)


def test_offsets_are_compared_as_moments() -> None:
    first = export_moment("2024-10-27T02:30:00+02:00", UTC)
    assert first < export_moment("2024-10-27T02:10:00+01:00", UTC)


def test_the_hour_that_a_clock_shows_twice_is_one_moment() -> None:
    doubled = [f"2024-10-27T02:{minute:02}:00" for minute in (0, 10, 59)]
    turned_back = datetime(2024, 10, 27, 1, tzinfo=UTC)
    assert {export_moment(text, BERLIN) for text in doubled} == {turned_back}
    assert export_moment("2024-10-27T01:59:59", BERLIN) < turned_back
    assert export_moment("2024-10-27T03:00:00", BERLIN) > turned_back


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1)), st.integers(1, 10**7), ZONES
)  # fmt: skip
def test_a_later_local_time_is_never_an_older_moment(
    written: datetime, seconds: int, zone: str
) -> None:
    one = written.replace(tzinfo=UTC).astimezone(time_zone(zone))
    other = (written.replace(tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(time_zone(zone))
    texts = [each.replace(tzinfo=None).isoformat() for each in (one, other)]
    first, second = (export_moment(text, time_zone(zone)) for text in texts)
    if one.utcoffset() == other.utcoffset() or one.replace(tzinfo=None) < other.replace(
        tzinfo=None
    ):
        assert first <= second
        assert moment_text(first) <= moment_text(second)


@given(st.datetimes(), st.datetimes())
def test_texts_of_moments_compare_as_the_moments_do(one: datetime, other: datetime) -> None:
    first, second = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    assert (first < second) == (moment_text(first) < moment_text(second))
