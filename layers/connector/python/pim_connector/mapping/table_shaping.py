"""The rows of a table attribute (https://api.akeneo.com/concepts/products.html)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from pim_connector.mapping.converters.booleans import boolean_reader
from pim_connector.mapping.converters.dates import day_of, read_date
from pim_connector.mapping.converters.numbers import plain
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.forms import Form
from pim_connector.mapping.nearest import nearest
from pim_connector.mapping.result import Json
from pim_connector.mapping.rules import Beside, CompiledRule
from pim_connector.mapping.step_kinds import as_number
from pim_connector.mapping.view import Value, single, to_text


def rows_shape(form: Form, rule: CompiledRule) -> Callable[[list[Value], Beside], Json]:
    """How the columns of a rule become a row: a list of one, or of none where all are empty."""
    configured = {
        str(column.get("code")): str(column.get("data_type"))
        for column in (form.attribute.table_configuration if form.attribute else ())
    }
    column_value = _column_value(form)

    def shape(_: list[Value], beside: Beside) -> Json:
        row: dict[str, Json] = {}
        for column in rule.columns:
            values, unit = beside.columns[column.code]
            if configured and column.code not in configured:
                raise Refusal(
                    f"the table has no column {column.code}{nearest(column.code, configured)}"
                )
            value = single(values)
            if value is not None:
                kind = configured.get(column.code) or column.type or "text"
                row[column.code] = column_value(value, kind, unit)
        return [row] if row else []

    return shape


def _column_value(form: Form) -> Callable[[Value, str, str | None], Json]:
    number, boolean = as_number(form.defaults.number), boolean_reader(form.defaults.boolean)

    def shape(value: Value, kind: str, unit: str | None) -> Json:
        if kind == "number":
            return plain(number(value))
        if kind == "measurement":
            if not unit:
                raise Refusal(
                    "the unit of a measurement column is missing: add `unit:` to the column"
                )
            return {"amount": plain(number(value)), "unit": unit}
        if kind == "boolean":
            return value if isinstance(value, bool) else boolean(to_text(value))
        if kind == "date":
            if isinstance(value, date):
                return day_of(value)
            return day_of(read_date(to_text(value), form.defaults.date))
        if kind == "product_link":
            return {"type": "product", "identifier": to_text(value)}
        return to_text(value)

    return shape
