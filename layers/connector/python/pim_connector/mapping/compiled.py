"""A mapping's records, tables and head values, compiled."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pim_connector.erp.paths import ElementPath
from pim_connector.mapping.compiling import Reader
from pim_connector.mapping.fields import CompiledField
from pim_connector.mapping.language import RecordRule
from pim_connector.mapping.pivots import CompiledPivot
from pim_connector.mapping.rules import CompiledRule, Policy
from pim_connector.mapping.view import Evaluate
from pim_connector.mapping.xpaths import XPathExpression


class Contents(Struct, frozen=True, kw_only=True):
    """What a record gives beside its identity."""

    fields: tuple[CompiledField, ...]
    values: tuple[CompiledRule, ...]
    pivots: tuple[CompiledPivot, ...]


class CompiledRecord(Struct, frozen=True, kw_only=True):
    """One record rule, compiled, with what must travel with its records.

    `asking` is the part of its contents that looks rows up in tables.
    """

    name: str
    rule: RecordRule
    path: ElementPath
    within: ElementPath | None
    when: XPathExpression | None
    let: Mapping[str, Evaluate]
    identifier: Reader | None
    uuid: Reader | None
    root_model: Reader | None
    parent: tuple[Reader, Policy] | None
    contents: Contents
    asking: Contents
    head_names: frozenset[str]
    table_names: frozenset[str]
    sees_ancestors: bool


class CompiledTable(Struct, frozen=True, kw_only=True):
    """A look-up table: where its rows are and how key and columns are read."""

    name: str
    file: str | None
    path: ElementPath
    each: XPathExpression | None
    key: Reader
    columns: Mapping[str, Reader]
    sees_ancestors: bool


class HeadValue(Struct, frozen=True, kw_only=True):
    """A value of the file's head: the elements it is read from, and how."""

    name: str
    anchors: tuple[ElementPath, ...]
    reader: Reader
