"""Compiled value rules: what a record gives for an attribute, before it is shaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lxml import etree
from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.mapping.context import Dropped, Value, View, present, single_text
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.expressions import Compiler, Reader
from pim_connector.mapping.language import (
    AttributeType,
    Column,
    FieldRule,
    Missing,
    OptionPolicy,
    Owner,
    Pivot,
    PivotRule,
    Resource,
    Source,
    TableRows,
    ValueRule,
)
from pim_connector.mapping.loading import Path
from pim_connector.mapping.results import FieldError
from pim_connector.mapping.xpath import Node


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


class _Sink(Protocol):
    """Takes what rules give, and reasons why there is nothing."""

    def add(self, rule: CompiledRule, values: list[Value], beside: Beside) -> None:
        """A rule gave this in one row; the values are still as read."""

    def refuse(self, error: FieldError) -> None:
        """A rule could not be evaluated."""


def silence(policy: Policy, found: bool) -> Missing:
    """What to do when there is no value: it was found empty, or not found at all."""
    return policy.empty if found else policy.absent


def evaluate_rule(rule: CompiledRule, view: View, node: Node, sink: _Sink) -> None:
    """Gives the sink what a rule gives for a record, row by row, or why there is none."""
    if rule.rows is None:
        _evaluate_row(rule, view, node, sink)
        return
    try:
        rows = rule.rows(view, node)
    except Refusal as refusal:
        sink.refuse(field_error(rule.attribute, rule.reader.label, refusal))
        return
    for row in rows:
        _evaluate_row(rule, view, row, sink)
    if not rows and all(r is None or r.constant is not None for r in (rule.locale, rule.scope)):
        locale = rule.locale.constant if rule.locale else None
        scope = rule.scope.constant if rule.scope else None
        sink.add(rule, [], Beside(locale=locale, scope=scope))


def _evaluate_row(rule: CompiledRule, view: View, node: Node, sink: _Sink) -> None:
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


# Compiles the value rules of a mapping.


def compile_policy(rule: FieldRule | None, compiler: Compiler) -> Policy:
    """The rule's own policies, or the mapping's defaults."""
    defaults = compiler.mapping.file.defaults
    said = rule or FieldRule()
    return Policy(
        owner=said.owner or defaults.owner,
        absent=said.absent or defaults.absent,
        empty=said.empty or defaults.empty,
    )


def compile_rule(
    attribute: str, rule: str | ValueRule, path: Path, compiler: Compiler
) -> CompiledRule:
    """Compiles one rule; problems go to the compiler."""
    each = rule.each if isinstance(rule, ValueRule) else None
    rows = None if each is None else compile_rows(each, (*path, "each"), compiler)
    table = each.table if isinstance(each, TableRows) else None
    with compiler.row_of(table):
        return replace(_compile_values(attribute, rule, path, compiler), rows=rows)


def _compile_values(
    attribute: str, rule: str | ValueRule, path: Path, compiler: Compiler
) -> CompiledRule:
    if isinstance(rule, str):
        rule, reader = ValueRule(from_=rule), compiler.source(rule, path)
    elif rule.columns and rule.from_ is None:
        reader = Reader(lambda *_: [], "columns")
    else:
        reader = compiler.source(rule, path)
    policy = compile_policy(rule, compiler)

    def code(name: str) -> Reader | None:
        source = getattr(rule, name)
        return None if source is None else compiler.code(source, (*path, name))

    locale, scope, unit, currency = code("locale"), code("scope"), code("unit"), code("currency")
    if "clear" in (policy.absent, policy.empty) and any(
        part is not None and part.constant is None for part in (locale, scope)
    ):
        compiler.problem(
            path, "absent/empty: clear needs a constant locale and scope to know what to clear"
        )
    return CompiledRule(
        attribute=attribute,
        path=path,
        policy=policy,
        reader=reader,
        type=rule.type,
        options=rule.options or compiler.mapping.file.defaults.options,
        link=rule.link,
        rows=None,
        locale=locale,
        scope=scope,
        unit=unit,
        currency=currency,
        labels={
            code: compiler.source(source, (*path, "labels", code))
            for code, source in rule.labels.items()
        },
        columns=tuple(
            _compile_column(code, column, (*path, "columns", code), compiler)
            for code, column in rule.columns.items()
        ),
        beside=None
        if rule.labels or rule.columns
        else _always_beside(locale, scope, unit, currency),
    )


def _always_beside(
    locale: Reader | None, scope: Reader | None, unit: Reader | None, currency: Reader | None
) -> Beside | None:
    """What goes with the values of every row, where the mapping says it and not the file."""
    readers = [reader for reader in (locale, scope, unit, currency) if reader is not None]
    if not readers:
        return NOTHING
    if any(not reader.constant for reader in readers):
        return None
    return Beside(
        locale=locale.constant if locale else None,
        scope=scope.constant if scope else None,
        unit=unit.constant if unit else None,
        currency=currency.constant if currency else None,
    )


def _compile_column(
    code: str, column: str | Column, path: Path, compiler: Compiler
) -> CompiledColumn:
    said = Column(from_=column) if isinstance(column, str) else column
    return CompiledColumn(
        code=code,
        type=said.type,
        reader=compiler.source(column, path),
        unit=None if said.unit is None else compiler.code(said.unit, (*path, "unit")),
    )


def compile_rows(
    each: str | TableRows, path: Path, compiler: Compiler
) -> Callable[[View, Node], list[Node]]:
    """The rows a rule runs over: elements of the record, or rows of a table as elements."""
    if isinstance(each, str):
        select = compiler.expression(each, path).select

        def elements(view: View, node: Node) -> list[Node]:
            found = select(node, view)
            rows = [item for item in found if not isinstance(item, str)]
            if len(rows) < len(found):
                raise Refusal("`each` must select elements, not text or attributes", each)
            return rows

        return elements
    compiler.table_column(each.table, None, path)
    key = compiler.source(each.key, (*path, "key"))

    def table_rows(view: View, node: Node) -> list[Node]:
        keys = present(key.evaluate(view, node))
        return [_row_element(row) for k in keys for row in view.rows(each.table, single_text([k]))]

    return table_rows


def _row_element(row: dict[str, str]) -> Node:
    element = etree.Element("row")
    for name, value in row.items():
        etree.SubElement(element, name).text = value
    return element


# Key/value rows: the key of each row chooses the attribute and the rule that reads it.


MOST_KEYS = 10_000
"""Rules kept for keys of the file; it could name any number of them."""


class CompiledPivot(Struct, frozen=True, kw_only=True):
    """Key/value rows: the key of each row chooses the rule that reads it."""

    rows: Callable[[View, Node], list[Node]]
    key: Reader
    rules: dict[str, CompiledRule]
    unlisted: str
    template: CompiledRule
    _by_key: dict[str, CompiledRule] = {}

    def evaluate(self, view: View, node: Node, sink: _Sink) -> list[FieldError]:
        """Gives the sink what the rows give; returns warnings of keys that are not listed."""
        warnings: list[FieldError] = []
        together: dict[str, tuple[CompiledRule, list[Node]]] = {}
        try:
            for row in self.rows(view, node):
                key = single_text(self.key.evaluate(view, row))
                rule = self.rules.get(key)
                if rule is None and self.unlisted == "use_key" and key:
                    rule = self._named(key)
                if rule is not None and rule.reader.over_rows and rule.beside is not None:
                    together.setdefault(key, (rule, []))[1].append(row)
                elif rule is not None:
                    _evaluate_row(rule, view, row, sink)
                elif self.unlisted == "warn":
                    warnings.append(self._unlisted(key))
                elif self.unlisted == "reject":
                    sink.refuse(self._unlisted(key))
            for rule, rows in together.values():
                _evaluate_row(_over(rule, rows), view, rows[-1], sink)
        except Refusal as refusal:
            sink.refuse(field_error(None, self.key.label, refusal))
        return warnings

    def _named(self, key: str) -> CompiledRule:
        """The rule of a key that is the attribute's code, too; remembered as far as fits are."""
        rule = self._by_key.get(key)
        if rule is None:
            if len(self._by_key) >= MOST_KEYS:
                self._by_key.clear()
            rule = self._by_key[key] = replace(self.template, attribute=key)
        return rule

    def _unlisted(self, key: str) -> FieldError:
        message = f'the key "{key}" is not listed under `attributes`'
        return FieldError(attribute=None, source=self.key.label, message=message, value=key)


def _over(rule: CompiledRule, rows: list[Node]) -> CompiledRule:
    """A rule whose steps put all rows of a key together, such as `join`, `last` and `sum`."""
    over_rows = rule.reader.over_rows
    assert over_rows is not None  # noqa: S101 - its callers have looked

    def evaluate(view: View, node: Node) -> list[Value]:
        return over_rows(view, node, rows)

    return replace(rule, reader=Reader(evaluate, rule.reader.label))


def compile_pivot(pivot: Pivot, path: Path, compiler: Compiler) -> CompiledPivot:
    """Compiles a pivot; rules of keys take from it what they do not say themselves."""
    if pivot.each is None:
        compiler.problem(path, "the key is missing: `each`, the rows of the pivot")
    rows = compile_rows(pivot.each or ".", (*path, "each"), compiler)
    table = pivot.each.table if isinstance(pivot.each, TableRows) else None
    with compiler.row_of(table):
        rules: dict[str, CompiledRule] = {}
        for key, target in pivot.attributes.items():
            place = (*path, "attributes", key)
            attribute = target if isinstance(target, str) else target.attribute
            own = PivotRule(attribute=target) if isinstance(target, str) else target
            rules[key] = compile_rule(attribute, _inherit(own, pivot), place, compiler)
        return CompiledPivot(
            rows=rows,
            key=compiler.source(pivot.key, (*path, "key")),
            rules=rules,
            unlisted=pivot.unlisted,
            template=compile_rule("", _inherit(ValueRule(), pivot), path, compiler),
        )


def _inherit(own: ValueRule, pivot: Pivot) -> ValueRule:
    """The rule of a key; what it does not say is the pivot's, a source as a whole."""
    blank = ValueRule()
    said = {
        name: getattr(own, name)
        for name in ValueRule.__struct_fields__
        if getattr(own, name) != getattr(blank, name)
    }
    given = {
        name: getattr(pivot, name)
        for name in ValueRule.__struct_fields__
        if getattr(pivot, name) != getattr(blank, name)
    }
    if {"from_", "value", "first", "all"} & set(said):
        for name in Source.__struct_fields__:
            given.pop(name, None)
    return ValueRule(**{**given, **said, "each": None})
