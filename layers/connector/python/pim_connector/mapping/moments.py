"""When an export was made: the text of `source.order` as a moment that can be compared."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pim_connector.mapping.converters import Refusal, read_date

ADVICE: Final = (
    "say how it is written, for instance source: {order: {from: ..., steps: [{date: dd.MM.yyyy}]}}"
)
_FORMATS: Final = ("iso", "yyyyMMdd", "yyyyMMddHHmmss", "yyyyMMdd'T'HHmmss", "yyyyMMdd'T'HHmmssZ")
"""What is read without being told: no text of these can be meant in another way."""
_EPOCH_SECONDS: Final = re.compile(r"[0-9]{9,11}")


def time_zone(name: str | None) -> tzinfo:
    """Return the zone of a name of the IANA database; UTC for none. Raises Refusal."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refusal("no time zone of the IANA database, such as Europe/Berlin", name) from error


def export_moment(text: str, zone: tzinfo) -> datetime:
    """Return the moment that an export names, in UTC; `zone` is where a time without one was read.

    Takes ISO 8601, yyyyMMdd, yyyyMMddHHmmss and epoch seconds; other formats have become ISO 8601
    by a `date` step. A local time that a clock shows twice, in the hour in which summer time ends,
    is the moment at which the clock is set back: all such times are equal, and the order of the
    uploads decides. Raises Refusal for what names no moment.
    """
    local = _read(text.strip())
    if not isinstance(local, datetime):
        local = datetime(local.year, local.month, local.day)
    if local.tzinfo is None:
        local = _placed(local, zone)
    try:
        return local.astimezone(UTC)
    except OverflowError as error:
        raise Refusal("no such time: out of range", text) from error


def moment_text(moment: datetime) -> str:
    """Write a moment so that texts compare as moments do: UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read(text: str) -> date | datetime:
    if _EPOCH_SECONDS.fullmatch(text):
        return read_date(text, "epoch_seconds")
    try:
        return read_date(text, _FORMATS)
    except Refusal as refusal:
        message = (
            "this time cannot be ordered: it is none of ISO 8601 (2024-01-31T22:00:00), yyyyMMdd, "
            "yyyyMMddHHmmss and epoch seconds"
        )
        raise Refusal(message, text, advice=ADVICE) from refusal


def _placed(local: datetime, zone: tzinfo) -> datetime:
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second <= first:  # one moment, or an hour that the clock leaves out
        return first
    return _set_back(first, second, zone)


def _set_back(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the second at which the clock is set back, between two moments it shows alike."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    start = before.replace(microsecond=0)
    while low < high:
        middle = (low + high) // 2
        if (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle + 1
        else:
            high = middle
    return start + timedelta(seconds=low)
