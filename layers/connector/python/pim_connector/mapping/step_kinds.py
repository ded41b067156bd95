"""What all steps are made of: lists of values in, lists of values out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from pim_connector.mapping.converters.numbers import number_reader
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.selection import Node
from pim_connector.mapping.sources import NumberFormat, Scalar, Step
from pim_connector.mapping.view import DROPPED, Value, View, present, to_text

RunStep: TypeAlias = Callable[[list[Value], View, Node], list[Value]]
NumberFormats: TypeAlias = NumberFormat | list[NumberFormat]


def one_by_one(convert: Callable[[Value], Value]) -> RunStep:
    """A step that works on each value that is not empty."""

    def run(values: list[Value], _: View, __: Node) -> list[Value]:
        return [convert(value) if value or value != "" else value for value in values]

    return run


def on_text(convert: Callable[[str], str]) -> RunStep:
    """A step that works on the text of each value that is not empty."""
    return one_by_one(lambda value: convert(to_text(value)))


def on_all(convert: Callable[[list[Value]], Value | None]) -> RunStep:
    """A step that makes one value of all that are not empty; of none, it stays absent or empty."""

    def run(values: list[Value], _: View, __: Node) -> list[Value]:
        found = present(values)
        if not found:
            return values[:1]
        result = convert(found)
        return [] if result is None else [result]

    return run


def as_number(formats: NumberFormats) -> Callable[[Value], Decimal]:
    """Reads a value as a number, unless it is one already."""
    read = number_reader(formats)

    def convert(value: Value) -> Decimal:
        if isinstance(value, str):
            return read(value)
        return value if isinstance(value, Decimal) else read(to_text(value))

    return convert


def unknown_value(step: Step, value: str, otherwise: str, what: str) -> Value:
    """What a step gives for a value it does not know: default, value, nothing, or Refusal."""
    if step.default is not None:
        return constant(step.default)
    policy = step.unknown or otherwise
    if policy == "reject":
        raise Refusal(
            f'"{value}" {what}',
            value,
            advice="add it to the mapping if it is right, otherwise correct it in the ERP",
        )
    return value if policy == "keep" else DROPPED


def constant(value: Scalar | None) -> Value:
    """A constant of the mapping; its true and false are not read by the file's words for them."""
    return value if isinstance(value, bool) else scalar_text(value)


def scalar_text(value: Scalar | None) -> str:
    """A constant of the mapping as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
