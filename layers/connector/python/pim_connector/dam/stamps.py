"""A DAM's time stamps as whole numbers, so that they can be compared, floored and kept exactly.

A stamp is microseconds since 1970 in UTC, or for `serial` the number itself. Two stamps in one
step of the DAM's index (the granule) say nothing about which was first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

from pim_connector.dam.source import Since
from pim_connector.errors import ConfigurationError, RejectedError

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = ("iso", "iso_z", "iso_ms_z")
_COMPACT = re.compile(r"\d{9}")
_NUMBERS = {"epoch": SECOND, "epoch_ms": 1000, "serial": 1}


class Stamps:
    """Reads and writes the stamps of one list. ConfigurationError for a zone nobody knows."""

    def __init__(self, since: Since) -> None:
        self._since = since
        self._parse = since.parse or ("iso" if since.format in _ISO else since.format)
        self._zone = _zone(since.tz) if since.tz else None
        patterns = [p for p in (since.format, self._parse) if p not in _ISO and p not in _NUMBERS]
        for pattern in patterns:
            if "%" not in pattern:
                raise ConfigurationError(
                    f"since: {pattern!r} is neither {', '.join((*_ISO, *_NUMBERS))} nor a "
                    "pattern such as %Y-%m-%d %H:%M:%S"
                )
            if "%z" not in pattern and "%Z" not in pattern and self._zone is None:
                raise ConfigurationError(
                    f"since.tz: the stamps {pattern!r} name no time zone; say which one is meant "
                    "(tz: UTC, tz: Europe/Berlin)"
                )

    @property
    def is_serial(self) -> bool:
        """Say whether stamps are numbers without a clock."""
        return self._since.format == "serial"

    @property
    def exclusive(self) -> bool:
        """Say whether the DAM gives only what is later than `{{since}}`, not what is equal."""
        return self._since.exclusive

    @cached_property
    def granule(self) -> int:
        """The step of the DAM's index, in the unit of stamps."""
        if self.is_serial:
            return 1
        return max(1, round(self._since.granularity_s * SECOND))

    def floor(self, stamp: int) -> int:
        """Give the start of the step of the DAM's index that `stamp` lies in."""
        return stamp - stamp % self.granule

    def read(self, printed: object) -> int | None:
        """Read a stamp as the DAM prints it; None for no stamp.

        RejectedError when it is none; ConfigurationError when it names no zone and none is given.
        """
        if printed is None or printed == "":
            return None
        try:
            if self._parse in _NUMBERS:
                return _whole(printed, _NUMBERS[self._parse])
            return self._microseconds(self._moment(str(printed)))
        except (ValueError, OverflowError, TypeError) as error:
            raise RejectedError(
                f"time stamp {str(printed)[:60]!r} is not {self._parse}: see since.parse"
            ) from error

    def write(self, stamp: int) -> str | int:
        """Write a stamp as `{{since}}` wants it."""
        format_ = self._since.format
        if format_ in _NUMBERS:
            return stamp // _NUMBERS[format_]
        moment = (_EPOCH + timedelta(microseconds=stamp)).astimezone(self._zone or UTC)
        match format_:
            case "iso":
                return moment.isoformat(timespec="milliseconds")
            case "iso_z":
                return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "iso_ms_z":
                milliseconds = moment.microsecond // 1000
                return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
        return moment.strftime(format_)

    def rewind(self, stamp: int) -> int:
        """Go back before the hour that comes twice when clocks are set back.

        A stamp without a zone in it may be of the first or of the second such hour: what is
        stamped in the second one can look older than what was already read in the first.
        """
        if self._zone is None or self.is_serial:
            return stamp
        local = (_EPOCH + timedelta(microseconds=stamp)).astimezone(self._zone)
        first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
        if first is None or second is None or first <= second:
            return stamp
        return stamp - (first - second) // timedelta(microseconds=1)

    def _moment(self, printed: str) -> datetime:
        if self._parse == "iso":
            if _COMPACT.match(printed.strip()):  # fromisoformat takes the 9th digit for a separator
                raise ValueError(printed)
            moment = datetime.fromisoformat(printed.strip())
        else:
            moment = datetime.strptime(printed.strip(), self._parse)
        if moment.tzinfo is None and self._zone is None:
            raise ConfigurationError(
                f"since.tz: the time stamp {printed[:60]!r} names no time zone; say which one is "
                "meant (tz: UTC, tz: Europe/Berlin)"
            )
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)

    @staticmethod
    def _microseconds(moment: datetime) -> int:
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # few DAMs need one

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"since.tz: {name!r} is no time zone; write one as Europe/Berlin or UTC"
        ) from error


def _whole(printed: object, unit: int) -> int:
    """Read a number of `unit`s without the error of binary fractions."""
    text = str(printed).strip()
    whole, _, fraction = text.partition(".")
    if not fraction:
        return int(whole) * unit
    if not fraction.isdigit():
        raise ValueError(text)
    sign = -1 if whole.startswith("-") else 1
    return int(whole or 0) * unit + sign * int(fraction[:6].ljust(6, "0")) * unit // SECOND
