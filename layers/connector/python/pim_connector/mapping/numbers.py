"""Numbers as ERPs write them, read exactly or refused; decimal arithmetic only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache
from typing import Final, NamedTuple

from pim_connector.mapping.converters import WRITTEN_OTHERWISE, Refusal
from pim_connector.mapping.language import NumberFormat

MAX_DIGITS = 60
"""Digits a number may have: far more than any PIM keeps, and little enough to compute with."""

EXACT = Context(prec=140, traps=[InvalidOperation, DivisionByZero, Overflow])
DIVISION = Context(
    prec=28, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow]
)

_SPACES = "\u0020\u00a0\u2007\u2009\u202f"
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DASHES = "\\-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
"""Hyphen-minus, and what typography makes of it."""
SIGNS: Final = "+-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
TOLERANCES: Final = "\u00b1\u2213<>\u2264\u2265\u2248~"
DEBIT: Final = ("DR", "S")
_NUMBER = r"(?P<number>[0-9.,' \u00a0\u2009\u202f]*[0-9])"
MINUS: Final = {
    "trailing": (re.compile(rf"{_NUMBER}\s?[{_DASHES}]"), True),
    "leading": (re.compile(rf"[{_DASHES}]\s+{_NUMBER}"), True),
    "brackets": (re.compile(rf"\(\s*{_NUMBER}\s*\)"), True),
    "credit": (re.compile(rf"{_NUMBER}\s*(?P<word>CR|DR|H|S)", re.IGNORECASE), True),
}
"""How ERPs write negative amounts: SAP and COBOL put the minus behind, bookkeepers use brackets or
CR (credit) and DR (debit), in German H and S."""
_CURRENCY = r"(?:[A-Z]{3}|[\u00a3\u00a5\u20ac$\u20b9\u20bd\u20ba]|K\u010d|z\u0142|kr\.?|Fr\.?)"
_HYPHEN = re.compile(rf"(?<=[^\W\d_])[{_DASHES}](?=[^\W\d_])")
_SIGN_BEFORE = re.compile(
    rf"(?:^|(?<=[\s:(])|(?<=[A-Z]{{3}}))(?P<sign>[+{_DASHES}])\s*{_CURRENCY}?\s*$"
)
_BRACKET_BEFORE = re.compile(rf"{_CURRENCY}?\s*\(\s*{_CURRENCY}?\s*")
_BRACKET_BEHIND = re.compile(rf"\s*{_CURRENCY}?\s*\)\s*{_CURRENCY}?")


def plain(number: Decimal) -> str:
    """A number in digits: no exponent, no zeros at the end of the decimals, no minus zero."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def read_number(text: str, formats: NumberFormat | Iterable[NumberFormat]) -> Decimal:
    """The number a text says in one of the formats.

    Where several formats fit they must agree: "1,234" is refused when both 1.234 and 1234 are
    possible. Raises Refusal.
    """
    return number_reader(formats)(text)


def number_reader(formats: NumberFormat | Iterable[NumberFormat]) -> Callable[[str], Decimal]:
    """`read_number` for many texts: the formats are looked at once."""
    if isinstance(formats, NumberFormat):
        return _reader(formats)
    readers = [_reader(number_format) for number_format in formats]

    def read(text: str) -> Decimal:
        found: set[Decimal] = set()
        refusals: list[str] = []
        for read_one in readers:
            try:
                found.add(read_one(text))
            except Refusal as refusal:
                refusals.append(str(refusal))
        if len(found) > 1:
            readings = " or ".join(sorted(plain(number) for number in found))
            raise Refusal(f"ambiguous number: {readings}", text)
        if not found:
            raise Refusal(
                "; ".join(dict.fromkeys(refusals)) or "no number format given",
                text,
                advice=WRITTEN_OTHERWISE,
            )
        return found.pop()

    return read


def _reader(number_format: NumberFormat) -> Callable[[str], Decimal]:
    grammar = _grammar(number_format)

    def read(text: str) -> Decimal:
        if grammar.is_usual and _PLAIN.fullmatch(text):
            return _to_decimal(text, text)
        written = text.strip()
        is_negative = False
        if number_format.decoration:
            written, is_negative = _undecorated(written, grammar, text)
        elif not grammar.signed.fullmatch(written):
            written, is_negative = _unsigned(written, number_format, text)
        if not grammar.signed.fullmatch(written) or (is_negative and written[0] in SIGNS):
            raise _refusal(text, number_format)
        return _to_decimal(grammar.digits_of(written, is_negative), text)

    return read


def _unsigned(written: str, number_format: NumberFormat, text: str) -> tuple[str, bool]:
    """Take off a minus that does not stand right before the digits, where the format allows it."""
    style = next((one for one, (shape, _) in MINUS.items() if shape.fullmatch(written)), None)
    if style is None or number_format.minus not in (style, "any"):
        raise _refusal(text, number_format)
    shape, is_negative = MINUS[style]
    found = shape.fullmatch(written)
    assert found is not None  # noqa: S101 - it has just matched
    word = (found.groupdict().get("word") or "").upper()
    return found["number"], is_negative and word not in DEBIT


def _undecorated(written: str, grammar: _Grammar, text: str) -> tuple[str, bool]:
    """Take the only number out of a text, and say whether a sign around it makes it negative.

    A sign that cannot be told from a hyphen or that means a tolerance is refused: dropped, it
    would turn -12.50 into 12.50 without a word.
    """
    found = list(grammar.inside.finditer(written))
    if len(found) != 1:
        raise Refusal(f"expected exactly one number, found {len(found)}", text)
    before, after = written[: found[0].start()], written[found[0].end() :]
    if before.endswith(grammar.decimal) or any(sign in before + after for sign in TOLERANCES):
        raise Refusal("a sign that is neither plus nor minus", text)
    signs = [*_sign_before(before, text), *_sign_behind(after, grammar.decimal, text)]
    if _BRACKET_BEFORE.fullmatch(before) and _BRACKET_BEHIND.fullmatch(after):
        signs.append("-")
    if len(signs) > 1:
        raise Refusal("more than one sign", text)
    return found[0].group(), signs == ["-"]


def _sign_before(before: str, text: str) -> list[str]:
    rest = _HYPHEN.sub("", before)
    if not any(sign in rest for sign in SIGNS):
        return []
    found = _SIGN_BEFORE.search(rest)
    if not found or any(sign in rest[: found.start()] for sign in SIGNS):
        raise Refusal("a sign that may be a hyphen", text)
    return ["+" if found["sign"] == "+" else "-"]


def _sign_behind(after: str, decimal: str, text: str) -> list[str]:
    if re.search(r"\b(DR|CR)\b", after, re.IGNORECASE):
        raise Refusal("debit or credit", text, advice="say `number: {minus: credit}`")
    rest = re.sub(rf"^{re.escape(decimal)}[{_DASHES}]+", "", after)  # "12,-" is 12.00
    rest = _HYPHEN.sub("", re.sub(rf"^[{_DASHES}](?=[^\W\d_])", "", rest))
    if not any(sign in rest for sign in SIGNS):
        return []
    found = re.match(rf"\s?(?P<sign>[+{_DASHES}])(?=\s|$)", rest)
    if not found or any(sign in rest[found.end() :] for sign in SIGNS):
        raise Refusal("a sign that may be a hyphen", text)
    return ["+" if found["sign"] == "+" else "-"]


def _refusal(text: str, number_format: NumberFormat) -> Refusal:
    """Say how numbers are read, and which option reads this one."""
    way_out = _way_out(text.strip(), number_format)
    message = f"not a number written like {_example(number_format)}"
    if way_out:
        return Refusal(f"{message}; {way_out}", text)
    return Refusal(message, text, advice=WRITTEN_OTHERWISE)


def _way_out(written: str, number_format: NumberFormat) -> str:
    for style, (shape, _) in MINUS.items():
        found = shape.fullmatch(written)
        if found:
            separators = set(re.findall(r"[,. '](?=[0-9]{3})", found["number"]))
            thousands = separators - {number_format.decimal}
            more = f', thousands: "{min(thousands)}"' if len(thousands) == 1 else ""
            return f"`number: {{minus: {style}{more}}}` reads it"
    return ""


def _to_decimal(written: str, text: str) -> Decimal:
    if len(written) > MAX_DIGITS:
        raise Refusal(f"a number of more than {MAX_DIGITS} characters", text[:80])
    number = Decimal(written)
    has_exponent = "e" in written or "E" in written
    if has_exponent and len(plain(number)) > MAX_DIGITS:
        raise Refusal(f"a number of more than {MAX_DIGITS} digits", text)
    return number


def _separators(thousands: str) -> str:
    return _SPACES if thousands in _SPACES and thousands else thousands


class _Grammar(NamedTuple):
    """A number format as regular expressions."""

    signed: re.Pattern[str]
    inside: re.Pattern[str]
    decimal: str
    separators: str

    @property
    def is_usual(self) -> bool:
        return self.decimal == "." and not self.separators

    def digits_of(self, written: str, is_negative: bool) -> str:
        """Return a number as Python writes it."""
        for separator in self.separators:
            written = written.replace(separator, "")
        written = written.replace(self.decimal, ".")
        if written[0] in SIGNS:
            written = ("+" if written[0] == "+" else "-") + written[1:]
        return f"-{written}" if is_negative else written


@lru_cache(maxsize=64)
def _grammar(number_format: NumberFormat) -> _Grammar:
    decimal = re.escape(number_format.decimal)
    whole = "[0-9]+"
    if number_format.thousands:
        separators = re.escape(_separators(number_format.thousands))
        whole = rf"(?:[0-9]{{1,3}}(?:[{separators}][0-9]{{3}})+|[0-9]+)"
    digits = rf"(?:{whole}(?:{decimal}[0-9]*)?|{decimal}[0-9]+)"
    exponent = "(?:[eE][+-]?[0-9]{1,3})?"
    # Inside a decoration a final separator belongs to the sentence ("5, to be painted").
    inside = rf"(?:{whole}(?:{decimal}[0-9]+)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}}(?!\w))?"
    return _Grammar(
        signed=re.compile(rf"[{re.escape(SIGNS)}]?{digits}{exponent}"),
        inside=re.compile(inside),
        decimal=number_format.decimal,
        separators=_separators(number_format.thousands),
    )


def _example(number_format: NumberFormat) -> str:
    thousands = number_format.thousands or ""
    return f'"1{thousands}234{number_format.decimal}5"'


def add(numbers: Iterable[Decimal]) -> Decimal:
    """The exact sum. Raises Refusal when it has too many digits."""
    total = Decimal(0)
    for number in numbers:
        total = EXACT.add(total, number)
    return _bounded(total)


def multiply(numbers: Iterable[Decimal]) -> Decimal:
    """The exact product. Raises Refusal when it has too many digits."""
    result = Decimal(1)
    for number in numbers:
        result = _bounded(EXACT.multiply(result, number))
    return result


def divide(number: Decimal, divisor: Decimal) -> Decimal:
    """The quotient to 28 digits. Raises Refusal for zero."""
    if divisor == 0:
        raise Refusal("division by zero", plain(number))
    return _bounded(DIVISION.divide(number, divisor))


def round_half_up(number: Decimal, decimals: int) -> Decimal:
    """Commercial rounding to a number of decimals."""
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=EXACT)


def _bounded(number: Decimal) -> Decimal:
    if len(plain(number)) > 2 * MAX_DIGITS:
        raise Refusal("the result has too many digits", plain(number)[:80])
    return number
