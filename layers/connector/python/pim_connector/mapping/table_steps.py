"""Steps that read look-up tables."""

from __future__ import annotations

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.selection import Node
from pim_connector.mapping.sources import Step
from pim_connector.mapping.step_kinds import RunStep, unknown_value
from pim_connector.mapping.view import Value, View, present, to_text

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
                found.append(unknown_value(step, key, "reject", f"is not in the table {table}"))
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
                    unknown_value(step, to_text(value), "reject", f"is not in the table {table}")
                ]
            found.extend(keys)
        return found

    return run
