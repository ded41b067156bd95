"""A mapping on its way: rules with what is known, and what is doubted, about each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Rule: TypeAlias = "str | bool | dict[str, Any] | list[dict[str, Any]]"


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """One key of the mapping and its rule; `off` is why it is written as a comment only."""

    key: str
    rule: Rule
    sample: str = ""
    doubts: list[str] = field(default_factory=list)
    off: bool = False
    attribute: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Rows:
    """A pivot on its way: its own keys, and one entry per key of the file."""

    head: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Draft:
    """The whole mapping; each list is in the order of the file it was made from."""

    about: list[str] = field(default_factory=list)
    namespaces: dict[str, str] = field(default_factory=dict)
    file: dict[str, str] = field(default_factory=dict)
    defaults: list[Entry] = field(default_factory=list)
    identifier_attribute: str | None = None
    head: list[Entry] = field(default_factory=list)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    tables: list[Entry] = field(default_factory=list)
    name: str = "product"
    path: str = ""
    fields: list[Entry] = field(default_factory=list)
    values: list[Entry] = field(default_factory=list)
    pivots: list[Rows] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def entries(self) -> list[Entry]:
        """Everything that may turn out wrong when it is tried."""
        rows = [entry for pivot in self.pivots for entry in pivot.entries]
        return [*self.defaults, *self.head, *self.tables, *self.fields, *self.values, *rows]
