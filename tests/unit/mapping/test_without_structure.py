"""What is done where neither the PIM's structure nor a `type` says what an attribute is."""

from __future__ import annotations

from tests.unit.mapping.mapping_world import errors_by, value_by


def test_a_long_text_is_not_refused_by_a_limit_nobody_named() -> None:
    text = "long " * 100
    assert value_by(f"<a>{text}</a>", "a") == text.strip()


def test_a_type_that_is_said_keeps_its_limit() -> None:
    (error,) = errors_by(f"<a>{'x' * 256}</a>", "values: {a: {from: a, type: text}}")
    assert error == "a: 256 characters, the attribute takes 255"


def test_a_number_that_fits_none_of_several_formats_names_them_all() -> None:
    rule = (
        'values: {a: {from: a, type: number, steps: [{number: [{decimal: "."}, {decimal: ","}]}]}}'
    )
    (error,) = errors_by("<a>1,5,0</a>", rule)
    assert error == 'a: not a number written like "1234.5"; not a number written like "1234,5"'
