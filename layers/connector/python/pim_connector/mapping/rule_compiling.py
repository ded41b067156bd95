"""Compiles the value rules of a mapping."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from pim_connector.mapping.compiling import Compiler, Reader
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import Column, FieldRule, TableRows, ValueRule
from pim_connector.mapping.places import Path
from pim_connector.mapping.rules import NOTHING, Beside, CompiledColumn, CompiledRule, Policy
from pim_connector.mapping.selection import Node
from pim_connector.mapping.view import View, present, single_text


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
        rows=None if rule.each is None else compile_rows(rule.each, (*path, "each"), compiler),
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
