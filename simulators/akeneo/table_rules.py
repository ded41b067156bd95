"""Rows of table attributes and product links: which the PIM takes, and how it keeps them.

Source: https://api.akeneo.com/concepts/products.html and, for the number of rows,
https://api.akeneo.com/rest-api/good-practices.html. A product link (SaaS) is one of
`{"type": "product", "id": UUID}`, `{"type": "product", "identifier": …}` and
`{"type": "product_model", "id": CODE}`. The texts are our own.
"""

from collections.abc import Callable, Iterator
from typing import Any

from simulators.akeneo.catalog import Attribute, Catalog, Row
from simulators.akeneo.phpjson import is_numeric
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Broken, said

MAX_ROWS = 100
FORMS = ({"type", "id"}, {"type", "identifier"})


def check_rows(pim: Pim, attribute: Attribute, rows: list[Row]) -> Iterator[Broken]:
    """Broken rules of a table: its rows together, then each cell."""
    code = attribute.code
    if len(rows) > MAX_ROWS:
        yield said("rows", f"The {code} attribute must not contain more than {MAX_ROWS} rows.")
    if attribute.columns:
        yield from _first_column(attribute, rows)
    columns = _by_code(attribute)
    for number, row in enumerate(rows):
        for name, cell in row.items():
            path = f"[{number}].{name}"
            column = columns.get(name.lower())
            if column is None:
                problem: str | None = f'The "{name}" column does not exist.'
            else:
                problem = _cell_problem(pim, column, cell)
            if problem is not None:
                yield said(f"cell {path}", f"The {code} attribute, {path}: {problem}", path=path)


def _by_code(attribute: Attribute) -> dict[str, Row]:
    return {str(column["code"]).lower(): column for column in attribute.columns}


def _first_column(attribute: Attribute, rows: list[Row]) -> Iterator[Broken]:
    """The first column names the row: it is filled, and no two rows are alike in it.

    Options and records are already spelled as they were created (`spelled_rows`).
    """
    first = str(attribute.columns[0]["code"])
    seen: list[Any] = []
    for number, row in enumerate(rows):
        cell = next((row[name] for name in row if name.lower() == first.lower()), None)
        path = f"[{number}].{first}"
        if cell is None:
            text = f'The {attribute.code} attribute, {path}: the "{first}" column must be filled.'
            yield said(f"filled {path}", text, path=path)
            continue
        if cell in seen:
            text = (
                f'The {attribute.code} attribute, {path}: the value "{cell}" is used in more '
                f'than one row of the "{first}" column.'
            )
            yield said(f"twice {path}", text, path=path)
        seen.append(cell)


def _cell_problem(pim: Pim, column: Row, cell: Any) -> str | None:
    check = _CELLS.get(column.get("data_type", "text"))
    return check(pim, column, cell) if check is not None else None


def _expected(what: str, cell: Any) -> str:
    return f"{what} is expected, {cell!r} was given."


def _text(_: Pim, column: Row, cell: Any) -> str | None:
    if not isinstance(cell, str):
        return _expected("a text", cell)
    limit = (column.get("validations") or {}).get("max_length")
    if limit and len(cell) > int(limit):
        return f"a text of at most {limit} characters is expected."
    return None


def _number(_: Pim, column: Row, cell: Any) -> str | None:
    if not is_numeric(cell):
        return _expected("a number", cell)
    rules = column.get("validations") or {}
    if not rules.get("decimals_allowed") and not float(cell).is_integer():
        return _expected("a number without decimals", cell)
    if rules.get("min") not in (None, "") and float(cell) < float(rules["min"]):
        return _expected(f"a number of {rules['min']} or more", cell)
    if rules.get("max") not in (None, "") and float(cell) > float(rules["max"]):
        return _expected(f"a number of {rules['max']} or less", cell)
    return None


def _boolean(_: Pim, __: Row, cell: Any) -> str | None:
    return None if isinstance(cell, bool) else _expected("true or false", cell)


def _select(_: Pim, column: Row, cell: Any) -> str | None:
    if not isinstance(cell, str):
        return _expected("the code of an option", cell)
    if cell.lower() in _options(column):
        return None
    return f'the "{cell}" option does not exist.'


def _options(column: Row) -> dict[str, str]:
    return {str(row["code"]).lower(): str(row["code"]) for row in column.get("options") or ()}


def _record(pim: Pim, column: Row, cell: Any) -> str | None:
    if not isinstance(cell, str):
        return _expected("the code of a record", cell)
    entity = str(column.get("reference_entity_identifier", ""))
    if cell.lower() in pim.catalog.reference_data.get(entity, {}):
        return None
    return f'the "{cell}" record of the "{entity}" reference entity does not exist.'


def _measurement(pim: Pim, column: Row, cell: Any) -> str | None:
    if not (isinstance(cell, dict) and cell.keys() >= {"amount", "unit"}):
        return _expected("an object with amount and unit", cell)
    if not is_numeric(cell["amount"]) or not isinstance(cell["unit"], str):
        return _expected("a number and the code of a unit", cell)
    family = str(column.get("measurement_family_code", ""))
    if cell["unit"].lower() in pim.catalog.units.get(family, {}):
        return None
    return f'the "{cell["unit"]}" unit of the "{family}" measurement family does not exist.'


def _date(_: Pim, __: Row, cell: Any) -> str | None:
    is_day = isinstance(cell, str) and len(cell) >= 10 and cell[:10].replace("-", "").isdigit()
    return None if is_day else _expected("a date (yyyy-mm-dd)", cell)


_CELLS: dict[str, Callable[[Pim, Row, Any], str | None]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "select": _select,
    "reference_entity": _record,
    "measurement": _measurement,
    "date": _date,
    "product_link": lambda pim, _, cell: link_problem(pim, cell),
}


def spelled_rows(catalog: Catalog, attribute: Attribute, rows: list[Row]) -> list[Row]:
    """The rows with columns, options, records and units spelled as they were created."""
    columns = _by_code(attribute)
    kept = []
    for row in rows:
        spelled = {}
        for name, cell in row.items():
            column = columns.get(name.lower())
            spelled[column["code"] if column else name] = (
                _spelled_cell(catalog, column, cell) if column else cell
            )
        kept.append(spelled)
    return kept


def _spelled_cell(catalog: Catalog, column: Row, cell: Any) -> Any:
    kind = column.get("data_type")
    if isinstance(cell, str) and kind == "select":
        return _options(column).get(cell.lower(), cell)
    if isinstance(cell, str) and kind == "reference_entity":
        entity = str(column.get("reference_entity_identifier", ""))
        return catalog.reference_data.get(entity, {}).get(cell.lower(), cell)
    if isinstance(cell, dict) and kind == "measurement" and isinstance(cell.get("unit"), str):
        units = catalog.units.get(str(column.get("measurement_family_code", "")), {})
        unit = units.get(cell["unit"].lower(), cell["unit"])
        return {"amount": cell.get("amount"), "unit": unit}
    return cell


def is_link(data: Any) -> bool:
    """Whether the data has the look of a link, whatever it points at."""
    if not isinstance(data, dict) or set(data) not in FORMS:
        return False
    if not all(isinstance(part, str) and part for part in data.values()):
        return False
    return data["type"] == "product" or (data["type"] == "product_model" and "id" in data)


def link_problem(pim: Pim, data: Any) -> str | None:
    """What is wrong with a link: its look, or that nothing is at its other end."""
    if not is_link(data):
        return f"a link to a product or a product model is expected, {data!r} was given."
    if data["type"] == "product_model":
        found: object = pim.model(data["id"])
    elif "id" in data:
        found = pim.products.get(data["id"].lower())
    else:
        found = pim.product_by_identifier(data["identifier"])
    if found is not None:
        return None
    kind = "product model" if data["type"] == "product_model" else "product"
    return f'the "{data.get("id", data.get("identifier"))}" {kind} does not exist.'
