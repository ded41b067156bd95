"""The steps of the language: each turns a list of values into the next one."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from decimal import Decimal

from pim_connector.mapping.converters.booleans import boolean_reader
from pim_connector.mapping.converters.codes import to_code
from pim_connector.mapping.converters.dates import check_pattern, read_date
from pim_connector.mapping.converters.numbers import add, multiply
from pim_connector.mapping.converters.plain_text import without_tags
from pim_connector.mapping.language import Defaults
from pim_connector.mapping.selection import Node
from pim_connector.mapping.sources import BooleanFormat, CodeFormat, PlainStep, Scalar, Step
from pim_connector.mapping.step_kinds import (
    NumberFormats,
    RunStep,
    as_number,
    constant,
    on_all,
    on_text,
    one_by_one,
    unknown_value,
)
from pim_connector.mapping.texts import collapse
from pim_connector.mapping.view import DROPPED, Evaluate, Value, View, present, single_text, to_text

OPTIONS_OF = {
    "map": {"default", "unknown", "ignore_case"},
    "lookup": {"column", "default", "unknown"},
    "ancestors": {"column", "default", "unknown"},
    "extract": {"unknown"},
    "regex": {"with_"},
    "replace": {"with_"},
    "pad": {"pad_with", "pad_side"},
}
VERBS = frozenset(Step.__struct_fields__) - {
    "column", "with_", "pad_with", "pad_side", "default", "unknown", "ignore_case",
}  # fmt: skip
MOST_CODES = 50_000
"""Codes whose texts are remembered, to find two texts with one code."""


def plain_step(name: PlainStep, defaults: Defaults) -> RunStep:
    """A step without options."""
    number = as_number(defaults.number)
    simple: dict[str, RunStep] = {
        "strip": on_text(str.strip),
        "collapse": on_text(collapse),
        "lower": on_text(str.lower),
        "upper": on_text(str.upper),
        "strip_zeros": on_text(lambda text: text.lstrip("0") or text[-1:]),
        "strip_tags": on_text(without_tags),
        "unescape": on_text(html.unescape),
        "first": on_all(lambda values: values[0]),
        "last": on_all(lambda values: values[-1]),
        "sum": on_all(lambda values: add(map(number, values))),
        "product": on_all(lambda values: multiply(map(number, values))),
        "distinct": lambda values, _, __: [*dict.fromkeys(values)],
        "sort": lambda values, _, __: sorted(values, key=to_text),
        "count": lambda values, _, __: [Decimal(len(present(values)))],
        "code": code_step(CodeFormat()),
        "number": number_step(defaults.number),
        "boolean": boolean_step(defaults.boolean),
        "date": date_step(defaults.date),
    }
    return simple[name]


def number_step(formats: NumberFormats) -> RunStep:
    """Reads numbers; text becomes a number."""
    return one_by_one(as_number(formats))


def boolean_step(words: BooleanFormat) -> RunStep:
    """Reads yes and no; text becomes true or false."""
    read = boolean_reader(words)
    return one_by_one(lambda value: value if isinstance(value, bool) else read(to_text(value)))


def date_step(patterns: str | list[str]) -> RunStep:
    """Reads dates by fixed patterns. Raises Refusal for a pattern that means nothing."""
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        check_pattern(pattern)
    return one_by_one(lambda value: read_date(value, patterns) if isinstance(value, str) else value)


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
        return "" if text == "" else unknown_value(step, text, "reject", "is not in the map")

    exact = {} if step.ignore_case else table
    return lambda values, _, __: [exact.get(value) or convert(value) for value in values]


def extract_step(step: Step) -> RunStep:
    """The first group of the first match; without a match no value, unless said otherwise."""
    pattern = re.compile(step.extract or "")

    def convert(value: Value) -> Value:
        text = to_text(value)
        found = pattern.search(text)
        if not found:
            return unknown_value(step, text, "drop", f"does not match {pattern.pattern}")
        return (found.group(1) if pattern.groups else found.group()) or ""

    return one_by_one(convert)


def text_step(verb: str, step: Step) -> RunStep:
    """The steps on text and on the list that need an option."""
    replacement = step.with_ or ""
    if verb == "regex":
        pattern = re.compile(step.regex or "")
        _check_replacement(pattern, replacement)
        return on_text(lambda text: pattern.sub(replacement, text))
    if verb == "pad":
        width = step.pad or 0
        fill = str.rjust if step.pad_side == "left" else str.ljust
        return on_text(lambda text: fill(text, width, step.pad_with))
    if verb == "slice":
        start, end = ([*(step.slice or []), None])[:2]
        return on_text(lambda text: text[start:end])
    if verb == "split":
        return _split_step(step.split or " ")
    if verb == "index":
        place = step.index or 0
        return on_all(lambda values: values[place] if -len(values) <= place < len(values) else None)
    if verb == "join":
        separator = step.join or ""
        return on_all(lambda values: separator.join(map(to_text, values)))
    if verb == "replace":
        literal = step.replace or ""
        return on_text(lambda text: text.replace(literal, replacement))
    return on_text(lambda text: f"{step.prefix or ''}{text}{step.suffix or ''}")


def _check_replacement(pattern: re.Pattern[str], replacement: str) -> None:
    named = [int(group) for group in re.findall(r"\\(\d{1,2})", replacement)]
    if any(group > pattern.groups for group in named):
        raise re.error(f"`with` names group {max(named)}, the pattern has {pattern.groups}")


def _split_step(separator: str) -> RunStep:
    def run(values: list[Value], _: View, __: Node) -> list[Value]:
        parts: list[Value] = []
        for value in values:
            parts.extend(part.strip() for part in to_text(value).split(separator))
        return present(parts) or values[:1]

    return run
