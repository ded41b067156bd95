"""Numbers, dates, booleans and codes: the same value, or a refusal with its reason."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pim_connector.mapping.converters import (
    Refusal,
    day_of,
    read_boolean,
    read_date,
    to_code,
    without_tags,
)
from pim_connector.mapping.language import BooleanFormat, CodeFormat, NumberFormat
from pim_connector.mapping.numbers import divide, multiply, plain, read_number, round_half_up

POINT = NumberFormat()
COMMA = NumberFormat(decimal=",", thousands=".")
NUMBERS = st.decimals(
    min_value=Decimal("-1e15"),
    max_value=Decimal("1e15"),
    allow_nan=False,
    allow_infinity=False,
    places=6,
)


def written(number: Decimal, number_format: NumberFormat) -> str:
    """A number as somebody with this format writes it, groups of three included."""
    text = f"{number:,f}" if number_format.thousands else f"{number:f}"
    names = {",": number_format.thousands, ".": number_format.decimal}
    return "".join(names.get(character, character) for character in text)


@given(
    NUMBERS,
    st.sampled_from(
        [POINT, COMMA, NumberFormat(decimal=",", thousands=" "), NumberFormat(thousands="'")]
    ),
)
def test_any_number_comes_out_as_the_same_number(number: Decimal, style: NumberFormat) -> None:
    assert read_number(written(number, style), style) == number
    assert Decimal(plain(number)) == number
    assert not re.search(r"[eE]|\.0*$|^-0$", plain(number))


@given(st.text(max_size=20), st.sampled_from([POINT, COMMA]))
def test_any_text_is_a_number_of_the_format_or_refused(text: str, style: NumberFormat) -> None:
    try:
        number = read_number(text, style)
    except Refusal:
        return
    digits = re.sub(r"\D", "", re.sub(r"[eE].*", "", text))
    assert re.sub(r"\D", "", f"{number:f}").strip("0") == digits.strip("0")


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("17,23", COMMA, "17.23"),
        (",8", COMMA, "0.8"),
        ("1.900.000", COMMA, "1900000"),
        ("1\u00a0234,5", NumberFormat(decimal=",", thousands=" "), "1234.5"),
        ("\u22125", POINT, "-5"),
        ("+7.10", POINT, "7.1"),
        ("3307.0", POINT, "3307"),
        ("1.5E3", POINT, "1500"),
        ("-0", POINT, "0"),
        ("500,00 Kč", NumberFormat(decimal=",", decoration=True), "500"),
        ("374990 KZT", NumberFormat(decoration=True), "374990"),
        ("EUR 1,234.50.", NumberFormat(thousands=",", decoration=True), "1234.5"),
    ],
)
def test_numbers_as_erps_write_them(text: str, style: NumberFormat, value: str) -> None:
    assert plain(read_number(text, style)) == value


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", POINT),
        ("12,5", POINT),
        ("1.23.4", COMMA),
        ("12.34,5", COMMA),
        ("0x10", POINT),
        ("NaN", POINT),
        ("1e999", POINT),
        ("1 2", POINT),
        ("٣", POINT),
        ("10-20 mm", NumberFormat(decoration=True)),
        ("9" * 70, POINT),
    ],
)
def test_what_is_no_number_of_the_format_is_refused(text: str, style: NumberFormat) -> None:
    with pytest.raises(Refusal):
        read_number(text, style)


def test_formats_that_disagree_are_ambiguous() -> None:
    formats = [COMMA, NumberFormat(thousands=",")]
    assert read_number("1.234,5", formats) == Decimal("1234.5")
    with pytest.raises(Refusal, match=r"ambiguous number: 1\.234 or 1234"):
        read_number("1,234", formats)


def test_arithmetic_is_decimal() -> None:
    assert plain(multiply([Decimal("0.1"), Decimal(3)])) == "0.3"
    assert plain(divide(Decimal(1), Decimal(3)))[:6] == "0.3333"
    assert plain(round_half_up(Decimal("2.675"), 2)) == "2.68"
    with pytest.raises(Refusal, match="division by zero"):
        divide(Decimal(1), Decimal(0))


@given(
    st.dates(), st.sampled_from(["yyyy-MM-dd", "yyyyMMdd", "dd.MM.yyyy", "d/M/yyyy", "MM/dd/yyyy"])
)
def test_any_date_comes_out_as_the_same_day(day: date, pattern: str) -> None:
    parts = {"yyyy": f"{day.year:04d}", "MM": f"{day.month:02d}", "dd": f"{day.day:02d}"}
    parts |= {"M": str(day.month), "d": str(day.day)}
    text = re.sub("yyyy|MM|dd|M|d", lambda found: parts[found[0]], pattern)
    assert read_date(text, pattern) == day
    assert day_of(read_date(text, ["iso", pattern])) == day.isoformat()


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        found = read_date(text, ["iso", "yyyyMMdd"])
    except Refusal:
        return
    assume(not isinstance(found, datetime))
    assert day_of(found) in (text, f"{text[:4]}-{text[4:6]}-{text[6:]}")


@pytest.mark.parametrize(
    ("text", "pattern", "value"),
    [
        ("2012-02-23T14:48:18", "iso", datetime(2012, 2, 23, 14, 48, 18)),
        ("2013-07-04 23:45:43.7", "iso", datetime(2013, 7, 4, 23, 45, 43, 700_000)),
        (
            "2014-05-20T08:38:36.844+01:00",
            "iso",
            datetime(2014, 5, 20, 8, 38, 36, 844_000, timezone(timedelta(hours=1))),
        ),
        ("31/12/2023 23:59:59", "dd/MM/yyyy HH:mm:ss", datetime(2023, 12, 31, 23, 59, 59)),
        ("5 Mar 99", "d MMM yy", date(1999, 3, 5)),
        ("2024", "yyyy", date(2024, 1, 1)),
        ("KW 2024", "'KW' yyyy", date(2024, 1, 1)),
    ],
)
def test_dates_as_erps_write_them(text: str, pattern: str, value: date) -> None:
    assert read_date(text, pattern) == value


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2023-02-29", "iso"),
        ("00000000", "yyyyMMdd"),
        ("20231301", "yyyyMMdd"),
        ("1.2.24", "dd.MM.yy"),
    ],
)
def test_what_is_no_date_is_refused(text: str, pattern: str) -> None:
    with pytest.raises(Refusal):
        read_date(text, pattern)


@pytest.mark.parametrize("pattern", ["dd.MM", "DD.MM.YYYY", "yyyy-yyyy", "tomorrow"])
def test_patterns_that_mean_nothing_are_refused(pattern: str) -> None:
    with pytest.raises(Refusal):
        read_date("1", pattern)


def test_booleans_in_any_words() -> None:
    words = BooleanFormat(true=["J", "ja", 1], false=["N", 0])
    assert [read_boolean(text, words) for text in ("j", "JA", "1", "n", "0")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(Refusal, match=r"expected j, ja, 1 / n, 0"):
        read_boolean("yes", words)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Dark red", "dark_red"),
        ("Größe 3/4", "grosse_3_4"),
        ("Łódź", "lodz"),
        ("A-B", "a_b"),
        ("½ Zoll", "1_2_zoll"),
        ("37½", "37_1_2"),
        ("m²", "m2"),
        ("Тёмно-синий", "temno_siniy"),
        ("Больше объём", "bolshe_obem"),
        ("Київ", "kiiv"),
        ("Ελληνικά", "ellinika"),
        ("Ά\u03c3\u03c0\u03c1\u03bf 2", "aspro_2"),
        ("サイズ", "saizu"),
        ("ｻｲｽﾞ", "saizu"),
        ("深圳", "shenzhen"),
        ("и\u0306", "y"),
    ],
)
def test_codes_are_readable(text: str, code: str) -> None:
    assert to_code(text, CodeFormat()) == code


@given(st.text(max_size=300))
def test_any_text_becomes_a_code_the_pim_takes_or_is_refused(text: str) -> None:
    try:
        code = to_code(text, CodeFormat())
    except Refusal:
        assert not any(c.isalnum() for c in text)
        return
    assert re.fullmatch(r"[a-z0-9_]{1,100}", code)
    assert to_code(text, CodeFormat()) == code


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_distinct_codes_of_distinct_texts_are_distinct(one: str, other: str) -> None:
    style = CodeFormat(distinct=True, lower=False)
    try:
        codes = to_code(one, style), to_code(other, style)
    except Refusal:
        return
    assert (codes[0] == codes[1]) == (one == other)


OLD_SCRIPTS = [
    (0x80, 0x600), (0xE00, 0xE80), (0x10A0, 0x1100), (0x3041, 0x3100), (0x4E00, 0xA000),
    (0xAC00, 0xD7A4),
]  # fmt: skip
"""Latin to Arabic, Thai, Georgian, Japanese, Chinese, Korean: no Python has other letters there."""


def test_the_code_of_a_letter_is_for_ever() -> None:
    """Another code would be another option in the PIM (docs/decisions/0050)."""
    letters = [letter for first, end in OLD_SCRIPTS for letter in map(chr, range(first, end))]
    codes = [to_code(letter, CodeFormat()) for letter in letters if letter.isalnum()]
    assert blake2b("\n".join(codes).encode(), digest_size=8).hexdigest() == "de2c91a288a4376a"


def test_a_letter_without_latin_form_becomes_a_hash() -> None:
    assert re.fullmatch(r"[0-9a-f]{7}", to_code("ا", CodeFormat()))
    assert to_code("ь", CodeFormat()) != to_code("ъ", CodeFormat())


def test_texts_of_other_scripts_do_not_fall_into_one_code() -> None:
    assert to_code("белый", CodeFormat()) != to_code("черный", CodeFormat())
    with pytest.raises(Refusal, match="no letter or digit"):
        to_code("---", CodeFormat())


def test_plain_text_of_html_has_a_line_per_block_and_no_scripts() -> None:
    html = "<h1>A &amp; B</h1><script>evil()</script><p>one<br>two <b>three</b></p>"
    assert without_tags(html) == "A & B\none\ntwo three"
