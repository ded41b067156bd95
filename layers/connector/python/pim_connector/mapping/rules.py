"""Compiled value rules: what a record gives for an attribute, before it is shaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct, field

from pim_connector.mapping.compiling import Reader
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import AttributeType, Missing, OptionPolicy, Owner, Resource
from pim_connector.mapping.places import Path
from pim_connector.mapping.result import FieldError
from pim_connector.mapping.selection import Node
from pim_connector.mapping.view import Dropped, Value, View, present, single_text


class Policy(Struct, frozen=True, kw_only=True):
    """Who owns a value, and what happens when the file has none."""

    owner: Owner
    absent: Missing
    empty: Missing


class CompiledColumn(Struct, frozen=True, kw_only=True):
    """One cell of a table attribute's row."""

    code: str
    type: str | None
    reader: Reader
    unit: Reader | None


class Beside(Struct, frozen=True, kw_only=True):
    """What goes with the values of one row."""

    locale: str | None = None
    scope: str | None = None
    unit: str | None = None
    currency: str | None = None
    labels: dict[str, list[Value]] = {}
    columns: dict[str, tuple[list[Value], str | None]] = {}


NOTHING = Beside()


class CompiledRule(Struct, frozen=True, kw_only=True, eq=False):
    """One rule of one attribute, compiled; equal to itself only.

    `beside` is set where what goes with the values is the same for every row.
    """

    attribute: str
    path: Path
    policy: Policy
    reader: Reader
    type: AttributeType | None
    options: OptionPolicy
    link: Resource
    rows: Callable[[View, Node], list[Node]] | None
    locale: Reader | None
    scope: Reader | None
    unit: Reader | None
    currency: Reader | None
    labels: dict[str, Reader] = field(default_factory=dict)
    columns: tuple[CompiledColumn, ...] = ()
    beside: Beside | None = None


class Sink(Protocol):
    """Takes what rules give, and reasons why there is nothing."""

    def add(self, rule: CompiledRule, values: list[Value], beside: Beside) -> None:
        """A rule gave this in one row; the values are still as read."""

    def refuse(self, error: FieldError) -> None:
        """A rule could not be evaluated."""


def silence(policy: Policy, found: bool) -> Missing:
    """What to do when there is no value: it was found empty, or not found at all."""
    return policy.empty if found else policy.absent


def evaluate_rule(rule: CompiledRule, view: View, node: Node, sink: Sink) -> None:
    """Gives the sink what a rule gives for a record, row by row, or why there is none."""
    if rule.rows is None:
        evaluate_row(rule, view, node, sink)
        return
    try:
        rows = rule.rows(view, node)
    except Refusal as refusal:
        sink.refuse(field_error(rule.attribute, rule.reader.label, refusal))
        return
    for row in rows:
        evaluate_row(rule, view, row, sink)
    if not rows and all(r is None or r.constant is not None for r in (rule.locale, rule.scope)):
        locale = rule.locale.constant if rule.locale else None
        scope = rule.scope.constant if rule.scope else None
        sink.add(rule, [], Beside(locale=locale, scope=scope))


def evaluate_row(rule: CompiledRule, view: View, node: Node, sink: Sink) -> None:
    """Gives the sink what a rule gives in one row."""
    beside = rule.beside
    try:
        values = rule.reader.evaluate(view, node)
        if beside is not NOTHING:
            has_value = bool(present(values))
            if not has_value and not rule.columns and silence(rule.policy, bool(values)) == "leave":
                return  # nothing is sent: it does not matter what language or unit it is in
            beside = beside or _read_beside(rule, has_value, view, node)
            if beside is None:
                return
    except Refusal as refusal:
        sink.refuse(field_error(rule.attribute, rule.reader.label, refusal))
        return
    sink.add(rule, values, beside)


def _read_beside(rule: CompiledRule, has_value: bool, view: View, node: Node) -> Beside | None:
    """Reads what goes with the values; None for a row whose locale or channel was dropped."""
    locale = scope = unit = currency = None
    if rule.locale is not None:
        locale = _code(rule.locale, view, node, "locale")
        if isinstance(locale, Dropped):
            return None
    if rule.scope is not None:
        scope = _code(rule.scope, view, node, "channel")
        if isinstance(scope, Dropped):
            return None
    if rule.unit is not None and has_value:
        unit = _code(rule.unit, view, node, "unit")
    if rule.currency is not None and has_value:
        currency = _code(rule.currency, view, node, "currency")
    if not (rule.labels or rule.columns):
        return Beside(locale=locale, scope=scope, unit=unit, currency=currency)
    return Beside(
        locale=locale,
        scope=scope,
        unit=unit,
        currency=currency,
        labels={code: r.evaluate(view, node) for code, r in rule.labels.items()},
        columns={
            column.code: (
                column.reader.evaluate(view, node),
                None if column.unit is None else _code(column.unit, view, node, "unit"),
            )
            for column in rule.columns
        },
    )


def _code(reader: Reader, view: View, node: Node, what: str) -> str:
    """A locale, channel, unit or currency; an empty one was dropped by the mapping."""
    if reader.constant is not None:
        return reader.constant
    values = reader.evaluate(view, node)
    text = single_text(values)
    if not text:
        if any(isinstance(value, Dropped) for value in values):
            return Dropped()
        raise Refusal(f"the {what} is missing: {reader.label} gives nothing here")
    return text


def field_error(
    attribute: str | None, label: str | None, refusal: Refusal, place: str = ""
) -> FieldError:
    """A refusal as a reason that names attribute, source and value, and its locale and channel."""
    return FieldError(
        attribute=attribute,
        source=label,
        message=f"{refusal} ({place})" if place else str(refusal),
        value=refusal.value,
        advice=refusal.advice,
    )
