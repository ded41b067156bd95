"""Dates as ERPs write them, by patterns of letters, read exactly or refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from pim_connector.mapping.converters.refusal import WRITTEN_OTHERWISE, Refusal

_FIELDS = {
    "yyyy": r"(?P<year>[0-9]{4})",
    "yy": r"(?P<short_year>[0-9]{2})",
    "MMMM": r"(?P<month_name>[^\W\d_]+)",
    "MMM": r"(?P<month_name>[^\W\d_]+)\.?",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "dd": r"(?P<day>[0-9]{2})",
    "d": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{2})",
    "H": r"(?P<hour>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2})",
    "S": r"(?P<fraction>[0-9]{1,9})",
    "Z": r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})",
}
_LETTERS = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dd|d|HH|H|mm|ss|S+|Z|'[^']*'|[A-Za-z]+|.", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
    r"\s?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCH = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000}
_WHOLE = re.compile(r"-?[0-9]{1,17}")


def check_pattern(pattern: str) -> None:
    """Raises Refusal for a pattern with letters that mean nothing, or without a year."""
    if pattern not in _EPOCH:
        _compiled(pattern)


def read_date(text: str, patterns: str | Iterable[str]) -> date | datetime:
    """The date (or the time, where the text says one) in the first pattern that fits.

    Patterns: yyyy yy MM M MMM dd d HH H mm ss S Z and other characters as they are ('…' quotes
    letters), or `iso`, `epoch_seconds`, `epoch_milliseconds`. Two-digit years are 1970–2069. What
    a pattern does not say is the first: month 1, day 1. Raises Refusal.
    """
    tried = [patterns] if isinstance(patterns, str) else list(patterns)
    for pattern in tried:
        if pattern in _EPOCH:
            if _WHOLE.fullmatch(text):
                return _since_epoch(text, _EPOCH[pattern])
            continue
        found = _compiled(pattern).fullmatch(text)
        if found:
            return _build(found.groupdict(), text)
    raise Refusal(f"not a date written like {' or '.join(tried)}", text, advice=WRITTEN_OTHERWISE)


def iso(value: date | datetime) -> str:
    """ISO 8601; a time without zone stays without one."""
    return value.isoformat()


def day_of(value: date | datetime) -> str:
    """The calendar day as the source wrote it, yyyy-mm-dd, whatever its time zone."""
    return value.isoformat()[:10]


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern == "iso":
        return _ISO
    parts: list[str] = []
    for token in _LETTERS.findall(pattern):
        if token in _FIELDS:
            parts.append(_FIELDS[token])
        elif token.startswith("S") and not token.strip("S"):
            parts.append(rf"(?P<fraction>[0-9]{{{len(token)}}})")
        elif token.startswith("'"):
            parts.append(re.escape(token[1:-1]))
        elif token.isalpha():
            raise Refusal(
                f"\"{token}\" means nothing in a date pattern; quote it as '{token}'", pattern
            )
        else:
            parts.append(re.escape(token))
    try:
        compiled = re.compile("".join(parts))
    except re.error as error:
        raise Refusal("the same part of the date is there twice", pattern) from error
    if not {"year", "short_year"} & set(compiled.groupindex):
        raise Refusal("a date pattern needs a year (yyyy or yy)", pattern)
    return compiled


def _build(found: dict[str, str | None], text: str) -> date | datetime:
    long_year = found.get("year")
    year = int(long_year) if long_year else _full_year(int(found["short_year"] or 0))
    name = found.get("month_name")
    month = _month(name, text) if name else int(found.get("month") or 1)
    day = int(found.get("day") or 1)
    try:
        if found.get("hour") is None:
            return date(year, month, day)
        fraction = (found.get("fraction") or "").ljust(6, "0")[:6]
        return datetime(
            year,
            month,
            day,
            int(found["hour"] or 0),
            int(found.get("minute") or 0),
            int(found.get("second") or 0),
            int(fraction),
            tzinfo=_zone(found.get("zone")),
        )
    except ValueError as error:
        raise Refusal(f"no such date: {error}", text, advice="correct it in the ERP") from error


def _full_year(short: int) -> int:
    return 2000 + short if short < 70 else 1900 + short


def _month(name: str, text: str) -> int:
    try:
        return _MONTHS.index(name[:3].lower()) + 1
    except ValueError as error:
        raise Refusal(f'"{name}" is not an English month; use `map` first', text) from error


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _since_epoch(text: str, microseconds: int) -> datetime:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(text) * microseconds)
    except OverflowError as error:
        raise Refusal("no such date: out of range", text) from error
