"""The one way a converter says no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from html.parser import HTMLParser

from pim_connector.mapping.language import BooleanFormat, CodeFormat

WRITTEN_OTHERWISE = (
    "correct it in the ERP; if the ERP always writes it so, have the mapping read it so"
)


class Refusal(ValueError):  # noqa: N818 - a value that is refused is no error of the program
    """A value is not what was asked for: the message says why in words, `value` is what came.

    `advice` says what to do about it, and who, where more is known than "correct it".
    """

    def __init__(self, message: str, value: object = None, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.value = None if value is None else str(value)
        self.advice = advice


# Yes and no in any words.


def read_boolean(text: str, words: BooleanFormat) -> bool:
    """True or false by the words of the format, without regard to case. Raises Refusal."""
    return boolean_reader(words)(text)


def boolean_reader(words: BooleanFormat) -> Callable[[str], bool]:
    """`read_boolean` for many texts: the words are looked at once."""
    meanings = {_word(word): False for word in words.false}
    meanings |= {_word(word): True for word in words.true}

    def read(text: str) -> bool:
        meaning = meanings.get(text.strip().casefold())
        if meaning is None:
            raise _refused(text, words)
        return meaning

    return read


def _refused(text: str, words: BooleanFormat) -> Refusal:
    yes = ", ".join(_word(word) for word in words.true)
    no = ", ".join(_word(word) for word in words.false)
    return Refusal(f"not a yes or no: expected {yes} / {no}", text)


def _word(word: str | int | bool) -> str:
    return str(word).casefold()


# Codes from text: stable, readable, within what Akeneo accepts.


_SPECIAL = {
        "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l",
        "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i",
}  # fmt: skip
_RAISED_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[¹²³⁰-⁹₀-₉¼-¾⅐-⅞])")


@lru_cache(maxsize=4096)
def to_code(text: str, style: CodeFormat) -> str:
    """Letters without accents, digits and `_`
    (https://api.akeneo.com/concepts/catalog-structure.html).

    Depends on nothing but the text and the style, so the same text is the same code for ever
    (docs/decisions/0050). Letters of other scripts are written in Latin ones. A letter that has
    none, and text that is too long, becomes a hash (in part), never an empty or cut code.
    Raises Refusal for text without letter or digit.
    """
    spelled = text if text.isascii() else _spelled(text)
    keep = re.escape(style.keep)
    code = re.sub(rf"[^A-Za-z0-9_{keep}]+", "_", spelled).strip("_")
    if style.lower:
        code = code.lower()
    lost = any(c.isalnum() and not c.isascii() for c in (spelled if code else text))
    if not code and not lost:
        raise Refusal("no letter or digit to make a code of", text)
    changed = style.distinct and code != text
    if lost or changed or len(code) > style.max_length:
        digest = blake2b(text.encode(), digest_size=4).hexdigest()[:7]
        code = f"{code[: style.max_length - 8]}_{digest}".lstrip("_")
    return code


def _spelled(text: str) -> str:
    """Text in Latin letters as far as they go; `37½` is not `371/2`."""
    apart = _RAISED_AFTER_DIGIT.sub("_", text)
    return "".join(map(_in_latin, unicodedata.normalize("NFKC", apart)))


@lru_cache(maxsize=4096)
def _in_latin(character: str) -> str:
    """A character without its accent, or the letters it is read as; itself where none are known.

    The library is imported by the first text that needs it: 30 ms that no other cold start pays.
    """
    if character.isascii():
        return character
    plain = unicodedata.normalize("NFKD", _SPECIAL.get(character, character))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    if plain.isascii() or not character.isalnum():
        return plain
    from anyascii import anyascii

    read = anyascii(character)
    return re.sub(r"[^A-Za-z0-9]", "", read) if read else character


# Dates as ERPs write them, by patterns of letters, read exactly or refused.


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


# Plain text out of HTML.


_BREAKS = frozenset(
    {
        "br",
        "div",
        "dd",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    }
)
_SILENT = frozenset({"script", "style", "head", "title"})


class _TextCollector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def without_tags(html: str) -> str:
    """The text of an HTML fragment, one line per block, without scripts and styles."""
    collector = _TextCollector()
    collector.feed(html)
    collector.close()
    lines = (
        re.sub(r"[ \t\r\f\v\u00a0]+", " ", line).strip()
        for line in "".join(collector.parts).split("\n")
    )
    return "\n".join(line for line in lines if line)
