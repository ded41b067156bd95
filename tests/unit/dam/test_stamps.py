"""Time stamps as DAMs print them."""

from __future__ import annotations

import pytest

from pim_connector.dam.pages import Stamps
from pim_connector.dam.source import Since
from pim_connector.errors import ConfigurationError, RejectedError

TEN = 1_767_261_600_000_000  # 2026-01-01T10:00:00Z
MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("since", "printed", "microseconds", "written"),
    [
        (Since(), "2026-01-01T10:00:00Z", TEN, "2026-01-01T10:00:00Z"),
        (Since(), "2026-01-01T11:00:00.5+01:00", TEN + 500_000, "2026-01-01T10:00:00Z"),
        (Since(format="iso_ms_z"), "2026-01-01T10:00:00.25Z", TEN + 250_000, "…T10:00:00.250Z"),
        (Since(format="epoch"), 1767261600, TEN, 1767261600),
        (Since(format="epoch"), "1767261600.25", TEN + 250_000, 1767261600),
        (Since(format="epoch_ms"), 1767261600001, TEN + 1000, 1767261600001),
        (
            Since(format="%Y-%m-%d %H:%M:%S", tz="America/New_York"),
            "2026-01-01 05:00:00",
            TEN,
            "2026-01-01 05:00:00",
        ),
        (
            Since(format="iso_z", parse="%Y%m%d%H%M%S%f", tz="Europe/Berlin"),
            "20260101110000250",
            TEN + 250_000,
            "2026-01-01T10:00:00Z",
        ),
        (Since(format="iso", tz="Asia/Kolkata"), "2026-01-01T15:30", TEN, "2026-01-01T15:30…"),
        (Since(format="serial"), 17, 17, 17),
    ],
)
def test_a_stamp_is_read_and_written_as_the_dam_does(
    since: Since, printed: object, microseconds: int, written: str | int
) -> None:
    stamps = Stamps(since)
    assert stamps.read(printed) == microseconds
    begin, _, end = str(written).partition("…")
    found = stamps.write(microseconds)
    assert type(found) is type(written)
    assert str(found).startswith(begin)
    assert str(found).endswith(end)


def test_a_stamp_without_a_zone_is_refused_unless_the_source_says_which() -> None:
    with pytest.raises(ConfigurationError, match=r"since\.tz.*2026-01-01 10:00:00"):
        Stamps(Since()).read("2026-01-01 10:00:00")
    with pytest.raises(ConfigurationError, match=r"since\.tz"):
        Stamps(Since(format="%Y-%m-%d %H:%M:%S"))


@pytest.mark.parametrize("printed", ["yesterday", "2026-13-01T00:00:00Z", True, {"a": 1}])
def test_what_is_no_stamp_is_rejected_with_its_text(printed: object) -> None:
    with pytest.raises(RejectedError, match=r"since\.parse"):
        Stamps(Since()).read(printed)


def test_no_stamp_is_none() -> None:
    assert Stamps(Since()).read(None) is None
    assert Stamps(Since()).read("") is None


def test_a_zone_nobody_knows_is_named() -> None:
    with pytest.raises(ConfigurationError, match="Europe/Atlantis"):
        Stamps(Since(tz="Europe/Atlantis"))


def test_the_hour_that_comes_twice_is_begun_anew() -> None:
    stamps = Stamps(Since(format="%Y-%m-%d %H:%M:%S", tz="Europe/Berlin"))
    twice = stamps.read("2026-10-25 02:30:00")
    assert twice is not None
    assert stamps.write(stamps.revert(twice)) == "2026-10-25 01:30:00"
    once = stamps.read("2026-10-25 03:30:00")
    assert once is not None
    assert stamps.revert(once) == once


def test_the_step_of_the_index_is_what_counts_not_what_is_printed() -> None:
    stamps = Stamps(Since(granularity_s=60))
    assert stamps.floor(TEN + MINUTE + 59_999_999) == TEN + MINUTE
