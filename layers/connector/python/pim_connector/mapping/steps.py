"""What all steps are made of: lists of values in, lists of values out."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeAlias

from pim_connector.mapping.context import (
    DROPPED,
    Evaluate,
    Value,
    View,
    collapse,
    present,
    single_text,
    to_text,
)
from pim_connector.mapping.converters import (
    Refusal,
    boolean_reader,
    check_pattern,
    read_date,
    to_code,
    without_tags,
)
from pim_connector.mapping.language import (
    BooleanFormat,
    CodeFormat,
    Defaults,
    NumberFormat,
    PlainStep,
    Scalar,
    Step,
)
from pim_connector.mapping.numbers import (
    add,
    divide,
    multiply,
    number_reader,
    plain,
    read_number,
    round_half_up,
)
from pim_connector.mapping.xpath import Node

RunStep: TypeAlias = Callable[[list[Value], View, Node], list[Value]]
NumberFormats: TypeAlias = NumberFormat | list[NumberFormat]


def _one_by_one(convert: Callable[[Value], Value]) -> RunStep:
    """A step that works on each value that is not empty."""

    def run(values: list[Value], _: View, __: Node) -> list[Value]:
        return [convert(value) if value or value != "" else value for value in values]

    return run


def _on_text(convert: Callable[[str], str]) -> RunStep:
    """A step that works on the text of each value that is not empty."""
    return _one_by_one(lambda value: convert(to_text(value)))


def _on_all(convert: Callable[[list[Value]], Value | None]) -> RunStep:
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


def _unknown_value(step: Step, value: str, otherwise: str, what: str) -> Value:
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


# Steps on numbers: exact arithmetic, and numbers that mean "nothing".


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

    return _one_by_one(lambda value: DROPPED if is_nothing(value) else value)


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
        return _one_by_one(lambda value: round_half_up(number(value), decimals))
    verbs: tuple[tuple[Scalar | None, Callable[[Decimal, Decimal], Decimal]], ...] = (
        (step.add, lambda left, right: add((left, right))),
        (step.multiply, lambda left, right: multiply((left, right))),
        (step.divide, divide),
    )
    operand, compute = next((o, c) for o, c in verbs if o is not None)
    constant = read_number(scalar_text(operand), NumberFormat())
    if compute is divide and constant == 0:
        raise Refusal("division by zero", plain(constant))
    return _one_by_one(lambda value: compute(number(value), constant))


# Steps that read look-up tables.


MAX_ANCESTORS = 100


def lookup_step(step: Step) -> RunStep:
    """Keys become the values of a column of the rows under them."""
    table, column = step.lookup or "", step.column or ""

    def run(values: list[Value], view: View, _: Node) -> list[Value]:
        found: list[Value] = []
        for value in present(values):
            key = to_text(value)
            rows = view.rows(table, key)
            if rows:
                found.extend(row[column] for row in rows)
            elif step.default is not None or step.unknown in ("reject", "keep"):
                found.append(_unknown_value(step, key, "reject", f"is not in the table {table}"))
        return found or values[:1] if values and not present(values) else found

    return run


def ancestors_step(step: Step) -> RunStep:
    """A key becomes the keys from its root down to itself, following the column of parents."""
    table, column = step.ancestors or "", step.column or ""

    def chain(key: str, view: View) -> list[Value]:
        up: list[Value] = []
        while key:
            rows = view.rows(table, key)
            if not rows:
                break
            if key in up or len(up) >= MAX_ANCESTORS:
                raise Refusal(f"the parents in the table {table} go in a circle", key)
            up.append(key)
            key = rows[0][column]
        return up[::-1]

    def run(values: list[Value], view: View, _: Node) -> list[Value]:
        found: list[Value] = []
        for value in present(values):
            keys = chain(to_text(value), view)
            if not keys and (step.default is not None or step.unknown in ("reject", "keep")):
                keys = [
                    _unknown_value(step, to_text(value), "reject", f"is not in the table {table}")
                ]
            found.extend(keys)
        return found

    return run


# The steps of the language: each turns a list of values into the next one.


OPTIONS_OF = {
    "map": {"default", "unknown", "ignore_case"},
    "lookup": {"column", "default", "unknown"},
    "ancestors": {"column", "default", "unknown"},
    "extract": {"unknown"},
    "regex": {"with_"},
    "replace": {"with_"},
    "pad": {"pad_with", "pad_side"},
    "split": {"keep_empty"},
}
VERBS = frozenset(Step.__struct_fields__) - {
    "column", "with_", "pad_with", "pad_side", "default", "unknown", "ignore_case", "keep_empty",
}  # fmt: skip
MOST_CODES = 50_000
"""Codes whose texts are remembered, to find two texts with one code."""


def plain_step(name: PlainStep, defaults: Defaults) -> RunStep:
    """A step without options."""
    number = as_number(defaults.number)
    simple: dict[str, RunStep] = {
        "strip": _on_text(str.strip),
        "collapse": _on_text(collapse),
        "lower": _on_text(str.lower),
        "upper": _on_text(str.upper),
        "strip_zeros": _on_text(lambda text: text.lstrip("0") or text[-1:]),
        "strip_tags": _on_text(without_tags),
        "unescape": _on_text(html.unescape),
        "first": _on_all(lambda values: values[0]),
        "last": _on_all(lambda values: values[-1]),
        "sum": _on_all(lambda values: add(map(number, values))),
        "product": _on_all(lambda values: multiply(map(number, values))),
        "distinct": lambda values, _, __: [*dict.fromkeys(values)],
        "sort": lambda values, _, __: in_order(values),
        "min": _on_all(lambda values: in_order(values)[0]),
        "max": _on_all(lambda values: in_order(values)[-1]),
        "count": lambda values, _, __: [Decimal(len(present(values)))],
        "code": code_step(CodeFormat()),
        "number": number_step(defaults.number),
        "boolean": boolean_step(defaults.boolean),
        "date": date_step(defaults.date),
    }
    return simple[name]


def in_order(values: list[Value]) -> list[Value]:
    """Values in their order: numbers by size, everything else (dates too) as text."""
    numbers = [value for value in values if isinstance(value, Decimal)]
    return [*sorted(numbers)] if len(numbers) == len(values) else sorted(values, key=to_text)


def number_step(formats: NumberFormats) -> RunStep:
    """Reads numbers; text becomes a number."""
    return _one_by_one(as_number(formats))


def boolean_step(words: BooleanFormat) -> RunStep:
    """Reads yes and no; text becomes true or false."""
    read = boolean_reader(words)
    return _one_by_one(lambda value: value if isinstance(value, bool) else read(to_text(value)))


def date_step(patterns: str | list[str]) -> RunStep:
    """Reads dates by fixed patterns. Raises Refusal for a pattern that means nothing."""
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        check_pattern(pattern)
    return _one_by_one(
        lambda value: read_date(value, patterns) if isinstance(value, str) else value
    )


def date_step_from(pattern: Evaluate) -> RunStep:
    """Reads dates by the pattern that the file itself names."""

    def run(values: list[Value], view: View, node: Node) -> list[Value]:
        named = single_text(pattern(view, node)) if present(values) else ""
        return [
            read_date(value, named or "iso") if isinstance(value, str) and value else value
            for value in values
        ]

    return run


def code_step(style: CodeFormat) -> RunStep:
    """Text becomes a code. Two texts that become the same code are noted, as far as was seen."""
    texts: dict[str, str] = {}

    def run(values: list[Value], view: View, _: Node) -> list[Value]:
        codes: list[Value] = []
        for value in values:
            text = to_text(value)
            code = to_code(text, style) if text else ""
            first = texts.get(code) if len(texts) >= MOST_CODES else texts.setdefault(code, text)
            if first is not None and first != text and text:
                view.notes.append(f'"{first}" and "{text}" both become the code {code}')
            codes.append(code)
        return codes

    return run


def map_step(pairs: Mapping[str, Scalar | None], step: Step) -> RunStep:
    """Replaces values by a table; None in the table means no value."""
    fold = str.casefold if step.ignore_case else str
    table: dict[Value, Value] = {
        fold(key): DROPPED if value is None else constant(value) for key, value in pairs.items()
    }

    def convert(value: Value) -> Value:
        text = to_text(value)
        found = table.get(fold(text))
        if found is not None:
            return found
        return "" if text == "" else _unknown_value(step, text, "reject", "is not in the map")

    exact = {} if step.ignore_case else table
    return lambda values, _, __: [exact.get(value) or convert(value) for value in values]


def extract_step(step: Step) -> RunStep:
    """The first group of the first match; without a match no value, unless said otherwise."""
    pattern = re.compile(step.extract or "")

    def convert(value: Value) -> Value:
        text = to_text(value)
        found = pattern.search(text)
        if not found:
            return _unknown_value(step, text, "drop", f"does not match {pattern.pattern}")
        return (found.group(1) if pattern.groups else found.group()) or ""

    return _one_by_one(convert)


def text_step(verb: str, step: Step) -> RunStep:
    """The steps on text and on the list that need an option."""
    replacement = step.with_ or ""
    if verb == "regex":
        pattern = re.compile(step.regex or "")
        _check_replacement(pattern, replacement)
        return _on_text(lambda text: pattern.sub(replacement, text))
    if verb == "pad":
        width = step.pad or 0
        fill = str.rjust if step.pad_side == "left" else str.ljust
        return _on_text(lambda text: fill(text, width, step.pad_with))
    if verb == "slice":
        start, end = ([*(step.slice or []), None])[:2]
        return _on_text(lambda text: text[start:end])
    if verb == "split":
        return _split_step(step.split or " ", keep_empty=bool(step.keep_empty))
    if verb == "index":
        return _index_step(step.index or 0)
    if verb == "join":
        separator = step.join or ""
        return _on_all(lambda values: separator.join(map(to_text, values)))
    if verb == "replace":
        literal = step.replace or ""
        return _on_text(lambda text: text.replace(literal, replacement))
    return _on_text(lambda text: f"{step.prefix or ''}{text}{step.suffix or ''}")


def _check_replacement(pattern: re.Pattern[str], replacement: str) -> None:
    named = [int(group) for group in re.findall(r"\\(\d{1,2})", replacement)]
    if any(group > pattern.groups for group in named):
        raise re.error(f"`with` names group {max(named)}, the pattern has {pattern.groups}")


def _split_step(separator: str, *, keep_empty: bool) -> RunStep:
    def run(values: list[Value], _: View, __: Node) -> list[Value]:
        parts: list[Value] = []
        for value in values:
            parts.extend(part.strip() for part in to_text(value).split(separator))
        return parts if keep_empty else present(parts) or values[:1]

    return run


def _index_step(place: int) -> RunStep:
    def run(values: list[Value], _: View, __: Node) -> list[Value]:
        return [values[place]] if -len(values) <= place < len(values) else []

    return run
