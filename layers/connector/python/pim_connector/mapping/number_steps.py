"""Steps on numbers: exact arithmetic, and numbers that mean "nothing"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from pim_connector.mapping.converters.numbers import (
    add,
    divide,
    multiply,
    plain,
    read_number,
    round_half_up,
)
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.sources import NumberFormat, Scalar, Step
from pim_connector.mapping.step_kinds import (
    NumberFormats,
    RunStep,
    as_number,
    one_by_one,
    scalar_text,
)
from pim_connector.mapping.view import DROPPED, Value, to_text


def no_value_step(marks: Iterable[Scalar], formats: NumberFormats) -> RunStep:
    """Turns the source's words for "nothing" into nothing."""
    exact = {scalar_text(mark) for mark in marks}
    tests = [test for mark in sorted(exact) if (test := _comparison(mark))]
    number = as_number(formats)

    def is_nothing(value: Value) -> bool:
        if to_text(value) in exact:
            return True
        if not tests:
            return False
        try:
            read = number(value)
        except Refusal:
            return False
        return any(test(read) for test in tests)

    return one_by_one(lambda value: DROPPED if is_nothing(value) else value)


def _comparison(mark: str) -> Callable[[Decimal], bool] | None:
    found = re.fullmatch(r"(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)", mark)
    if not found:
        return None
    limit = Decimal(found.group(2))
    tests: dict[str, Callable[[Decimal], bool]] = {
        "<=": lambda number: number <= limit,
        ">=": lambda number: number >= limit,
        "<": lambda number: number < limit,
        ">": lambda number: number > limit,
    }
    return tests[found.group(1)]


def arithmetic_step(step: Step, formats: NumberFormats) -> RunStep:
    """add, multiply, divide and round, in exact decimals."""
    number = as_number(formats)
    if step.round is not None:
        decimals = step.round
        return one_by_one(lambda value: round_half_up(number(value), decimals))
    verbs: tuple[tuple[Scalar | None, Callable[[Decimal, Decimal], Decimal]], ...] = (
        (step.add, lambda left, right: add((left, right))),
        (step.multiply, lambda left, right: multiply((left, right))),
        (step.divide, divide),
    )
    operand, compute = next((o, c) for o, c in verbs if o is not None)
    constant = read_number(scalar_text(operand), NumberFormat())
    if compute is divide and constant == 0:
        raise Refusal("division by zero", plain(constant))
    return one_by_one(lambda value: compute(number(value), constant))
