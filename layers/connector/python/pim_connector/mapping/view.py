"""What an expression can see while one record is evaluated: values, variables, look-up rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from pim_connector.erp.record import Row
from pim_connector.mapping.converters.dates import iso
from pim_connector.mapping.converters.numbers import plain
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.selection import Node

Value: TypeAlias = str | Decimal | bool | date
"""One value on its way; text until a step or the attribute's type reads it. "" means: empty."""

RowsOf: TypeAlias = Callable[[str, str], list[Row]]
Evaluate: TypeAlias = "Callable[[View, Node], list[Value]]"


class Dropped(str):
    """An empty value that the mapping dropped on purpose (`unknown: drop`)."""

    __slots__ = ()


DROPPED = Dropped()


class View(dict[str, str]):
    """The variables of one record: head values, and `let` values worked out when first used.

    Handed to XPath as its variables; `rows` gives the rows of a look-up table under a key; `notes`
    takes what is to be told about the record although it does no harm to it. `children` are the
    record's child elements by name: most rules ask for those and nothing else.
    """

    __slots__ = ("_let", "children", "notes", "record", "rows")

    def __init__(
        self, head: Mapping[str, str], let: Mapping[str, Evaluate], record: Node, rows: RowsOf
    ) -> None:
        super().__init__(head)
        self._let = let
        self.record = record
        self.rows = rows
        self.notes: list[str] = []
        self.children: dict[str, list[Node]] = {}
        for child in record:
            name = child.tag
            if name in self.children:
                self.children[name].append(child)
            else:
                self.children[name] = [child]

    def __missing__(self, name: str) -> str:
        evaluate = self._let.get(name)
        text = "" if evaluate is None else single_text(evaluate(self, self.record))
        self[name] = text
        return text


def to_text(value: Value) -> str:
    """A value as text: digits, true/false, ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value)


def present(values: list[Value]) -> list[Value]:
    """The values that are not empty; zero and false are values."""
    if len(values) == 1:
        return values if values[0] or values[0] != "" else []
    return [value for value in values if value != ""]


def single(values: list[Value]) -> Value | None:
    """The one value, or None where there is none. Raises Refusal for several different ones."""
    if len(values) == 1:
        return values[0] if values[0] or values[0] != "" else None
    found = present(values)
    if not found:
        return None
    if len(found) > 1 and any(value != found[0] for value in found):
        shown = ", ".join(to_text(value)[:40] for value in found[:4])
        raise Refusal(
            f"found {len(found)} values where one is expected; choose with an XPath predicate, "
            "or the steps first, last, index or join",
            shown,
        )
    return found[0]


def single_text(values: list[Value]) -> str:
    """The one value as text, "" where there is none. Raises Refusal for several different ones."""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0] or ""
    value = single(values)
    return "" if value is None else to_text(value)
