"""Creating and updating structure: one way to write all of its resources."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.akeneo import structure_fields as fields
from simulators.akeneo.catalog import DEFAULTS, Catalog, Row
from simulators.akeneo.labels import label_violations
from simulators.akeneo.phpjson import to_text
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import (
    PropertyError,
    Refusal,
    Violation,
    documented,
    invalid,
    violation,
)
from simulators.akeneo.structure_fields import Field
from simulators.akeneo.value_updates import unknown_property

Check = Callable[[Catalog, Row], list[Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How one resource is written."""

    resource: str
    anchor: str
    code_message: str
    fields: dict[str, Field]
    anchor_end: str = ""
    immutable: tuple[str, ...] = ()
    pattern: re.Pattern[str] = re.compile(r"^[a-zA-Z0-9_]+\Z")
    complete: Callable[[Catalog, Row], None] | None = None
    check: Check | None = None


def write_structure(
    pim: Pim, writing: Writing, code: str | None, body: Row, fixed: Row | None = None
) -> int:
    """Create or update one row; returns 201 or 204, raises `Refusal`.

    `code` is the one in the URL, None for a POST; `fixed` are fields that the URL decides.
    """
    catalog = pim.catalog
    stored = catalog.find(writing.resource, code)
    if stored is None and code is not None and body.get("code", code) != code:
        raise Refusal(
            422,
            f'The code "{to_text(body["code"])}" provided in the request body '
            f'must match the code "{code}" provided in the url.',
        )
    base = stored or {"code": code, **DEFAULTS.get(writing.resource, {}), **(fixed or {})}
    try:
        row = _updated(catalog, writing, base, body)
    except PropertyError as error:
        anchor = writing.anchor if code is None else f"{writing.anchor}__code_"
        anchor = f"{'post' if code is None else 'patch'}_{anchor}"
        raise documented(str(error), anchor + writing.anchor_end) from None
    violations = _violations(catalog, writing, stored, row, code)
    if violations:
        raise invalid(violations)
    if stored is not None:
        row["code"] = stored["code"]
    if writing.complete is not None:
        writing.complete(catalog, row)
    if row != stored:
        row["updated"] = pim.stamp()
    catalog.rows[writing.resource][row["code"].lower()] = row
    catalog.refresh()
    return 201 if stored is None else 204


def _updated(catalog: Catalog, writing: Writing, base: Row, body: Row) -> Row:
    row = dict(base)
    for name, data in body.items():
        if name == "code":
            row["code"] = to_text(fields.scalar(catalog, name, None, data))
            continue
        take = writing.fields.get(name)
        if take is None:
            raise unknown_property(name)
        row[name] = take(catalog, name, base.get(name), data)
    return row


def _violations(
    catalog: Catalog, writing: Writing, stored: Row | None, row: Row, code: str | None
) -> list[Violation]:
    found = writing.check(catalog, row) if writing.check is not None else []
    given = row["code"]
    if not given:
        found.append(violation("code", "This value should not be blank."))
    elif stored is not None and given.lower() != stored["code"].lower():
        found.append(violation("code", "This property cannot be changed."))
    elif stored is None and writing.pattern.match(given) is None:
        found.append(violation("code", writing.code_message))
    elif code is None and catalog.find(writing.resource, given) is not None:
        found.append(violation("code", "This value is already used."))
    for name in writing.immutable:
        if stored is not None and _differs(stored.get(name), row.get(name)):
            found.append(violation(name, "This property cannot be changed."))
    return found + label_violations(catalog, row.get("labels") or {})


def _differs(old: Any, new: Any) -> bool:
    return bool((old or None) != (new or None))
