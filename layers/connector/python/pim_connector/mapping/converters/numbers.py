"""Numbers as ERPs write them, read exactly or refused; decimal arithmetic only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from functools import lru_cache

from pim_connector.mapping.converters.refusal import WRITTEN_OTHERWISE, Refusal
from pim_connector.mapping.language import NumberFormat

MAX_DIGITS = 60
"""Digits a number may have: far more than any PIM keeps, and little enough to compute with."""

EXACT = Context(prec=140, traps=[InvalidOperation, DivisionByZero, Overflow])
DIVISION = Context(
    prec=28, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow]
)

_SPACES = "\u0020\u00a0\u2007\u2009\u202f"
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SIGNS = {"\u2212": "-"}


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
    shape, undecorated = _patterns(number_format)
    decimal, separators = number_format.decimal, _separators(number_format.thousands)
    is_usual = decimal == "." and not separators

    def read(text: str) -> Decimal:
        if is_usual and _PLAIN.fullmatch(text):
            return _to_decimal(text, text)
        written = text.strip()
        if number_format.decoration:
            parts = undecorated.findall(written)
            if len(parts) != 1:
                raise Refusal(f"expected exactly one number, found {len(parts)}", text)
            written = str(parts[0])
        if not shape.fullmatch(written):
            raise Refusal(f"not a number written like {_example(number_format)}", text)
        for separator in separators:
            written = written.replace(separator, "")
        written = written.replace(decimal, ".")
        return _to_decimal(_SIGNS.get(written[0], written[0]) + written[1:], text)

    return read


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


@lru_cache(maxsize=64)
def _patterns(number_format: NumberFormat) -> tuple[re.Pattern[str], re.Pattern[str]]:
    decimal = re.escape(number_format.decimal)
    whole = "[0-9]+"
    if number_format.thousands:
        separators = re.escape(_separators(number_format.thousands))
        whole = rf"(?:[0-9]{{1,3}}(?:[{separators}][0-9]{{3}})+|[0-9]+)"
    digits = rf"(?:{whole}(?:{decimal}[0-9]*)?|{decimal}[0-9]+)"
    exponent = "(?:[eE][+-]?[0-9]{1,3})?"
    # Inside a decoration a final separator belongs to the sentence ("5, to be painted").
    inside = rf"(?:{whole}(?:{decimal}[0-9]+)?|{decimal}[0-9]+)"
    return (
        re.compile(rf"[+\-\u2212]?{digits}{exponent}"),
        re.compile(rf"[+\-\u2212]?{inside}"),
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
