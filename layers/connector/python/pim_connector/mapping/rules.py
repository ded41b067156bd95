"""Compiled value rules: what a record gives for an attribute, before it is shaped."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

from lxml import etree
from msgspec import Struct, field

from pim_connector.mapping.compiling import Compiler, Reader
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import (
    AttributeType,
    Column,
    FieldRule,
    Missing,
    OptionPolicy,
    Owner,
    Resource,
    TableRows,
    ValueRule,
)
from pim_connector.mapping.places import Path
from pim_connector.mapping.result import FieldError
from pim_connector.mapping.view import Dropped, Value, View, present, single_text
from pim_connector.mapping.xpaths import Node


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


class CompiledRule(Struct, frozen=True, kw_only=True, dict=True):
    """One rule of one attribute, compiled."""

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

    @cached_property
    def form_key(self) -> str:
        """What the form of the attribute depends on, beside the PIM's structure.

        Text, because it is looked up for every value and a text's hash is worked out once.
        """
        beside = (bool(self.unit), bool(self.currency), bool(self.columns))
        return repr((self.attribute, self.type, *beside))

    @cached_property
    def plain(self) -> bool:
        """Whether nothing goes with the values."""
        beside = (self.locale, self.scope, self.unit, self.currency)
        return not any(beside) and not self.labels and not self.columns


class Cell(Struct):
    """What one rule gives in one row: the values and what goes with them, still as read."""

    rule: CompiledRule
    values: list[Value]
    locale: str | None = None
    scope: str | None = None
    unit: str | None = None
    currency: str | None = None
    labels: dict[str, list[Value]] = {}
    columns: dict[str, tuple[list[Value], str | None]] = {}


class Sink(Protocol):
    """Takes what rules give: cells, and reasons why there is none."""

    def add(self, cell: Cell) -> None:
        """A rule gave this in one row."""

    def refuse(self, error: FieldError) -> None:
        """A rule could not be evaluated."""


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

    locale, scope = code("locale"), code("scope")
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
        rows=None if rule.each is None else compile_rows(rule.each, (*path, "each"), compiler),
        locale=locale,
        scope=scope,
        unit=code("unit"),
        currency=code("currency"),
        labels={
            code: compiler.source(source, (*path, "labels", code))
            for code, source in rule.labels.items()
        },
        columns=tuple(
            _compile_column(code, column, (*path, "columns", code), compiler)
            for code, column in rule.columns.items()
        ),
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
            if not all(isinstance(item, etree._Element) for item in found):
                raise Refusal("`each` must select elements, not text or attributes", each)
            return [item for item in found if not isinstance(item, str)]

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


def silence(policy: Policy, found: bool) -> Missing:
    """What to do when there is no value: it was found empty, or not found at all."""
    return policy.empty if found else policy.absent


def evaluate_rule(rule: CompiledRule, view: View, node: Node, sink: Sink) -> None:
    """Gives the sink what a rule gives for a record: a cell per row, or why there is none."""
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
        sink.add(Cell(rule, [], locale, rule.scope.constant if rule.scope else None))


def evaluate_row(rule: CompiledRule, view: View, node: Node, sink: Sink) -> None:
    """Gives the sink what a rule gives in one row."""
    try:
        cell = Cell(rule, rule.reader.evaluate(view, node))
        if not rule.plain and (_says_nothing(cell) or not _complete(cell, rule, view, node)):
            return
    except Refusal as refusal:
        sink.refuse(field_error(rule.attribute, rule.reader.label, refusal))
        return
    sink.add(cell)


def _says_nothing(cell: Cell) -> bool:
    """Nothing would be sent: then it does not matter what language or unit it is in."""
    if cell.rule.columns or present(cell.values):
        return False
    return silence(cell.rule.policy, bool(cell.values)) == "leave"


def _complete(cell: Cell, rule: CompiledRule, view: View, node: Node) -> bool:
    """Reads what goes with the values; False for a row whose locale or channel was dropped."""
    if rule.locale is not None:
        cell.locale = _code(rule.locale, view, node, "locale")
        if isinstance(cell.locale, Dropped):
            return False
    if rule.scope is not None:
        cell.scope = _code(rule.scope, view, node, "channel")
        if isinstance(cell.scope, Dropped):
            return False
    if rule.unit is not None and present(cell.values):
        cell.unit = _code(rule.unit, view, node, "unit")
    if rule.currency is not None and present(cell.values):
        cell.currency = _code(rule.currency, view, node, "currency")
    if rule.labels:
        cell.labels = {code: r.evaluate(view, node) for code, r in rule.labels.items()}
    if rule.columns:
        cell.columns = {
            column.code: (
                column.reader.evaluate(view, node),
                None if column.unit is None else _code(column.unit, view, node, "unit"),
            )
            for column in rule.columns
        }
    return True


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
