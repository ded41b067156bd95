"""One product: where its values come from, and what the PIM shows now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pim_connector.console.exchange import Call, Reply
from pim_connector.console.rendering import page
from pim_connector.errors import ConnectorError
from pim_connector.sync.comparison import without
from pim_connector.sync.state import StateEntry, state_key

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts
    from pim_connector.sync.message_results import ParkedGroup

LONGEST: Final = 255
MOST_VALUES: Final = 400
MOST_CHARACTERS: Final = 300
RESOURCES: Final = ("product", "product_model")
FIELDS: Final = ("family", "parent", "enabled", "categories")


class Value(Struct, frozen=True, kw_only=True):
    """One value as the PIM shows it, and the entry of the source that has set it, if one has."""

    attribute: str
    locale: str
    scope: str
    data: str
    entry: StateEntry | None


class Product(Struct, frozen=True, kw_only=True):
    """What is known of one identifier."""

    identifier: str
    resource: str
    entries: list[StateEntry]
    in_pim: Mapping[str, Any] | None
    values: list[Value]
    waiting: list[ParkedGroup]
    problem: str = ""


def products(parts: Parts, call: Call) -> Reply:
    """Search by identifier, and show what was found."""
    identifier = call.query.get("identifier", "").strip()[:LONGEST]
    product = look_up(parts, identifier) if identifier else None
    runs = {}
    if product is not None:
        names = {entry.run for entry in product.entries}
        runs = {run.id: run for run in parts.registry.each(sorted(names))}
    return page("product.html", call, parts, identifier=identifier, product=product, runs=runs)


def look_up(parts: Parts, identifier: str) -> Product:
    """Read all that is known of an identifier; a PIM that does not answer is said, not raised."""
    from pim_connector.sync.message_results import Parking

    entries = provenance(parts, identifier)
    problem, shown, resource = "", None, "product"
    try:
        with parts.pim() as pim:
            shown = pim.get_product(identifier)
            if shown is None:
                shown = pim.get_product_model(identifier)
                resource = "product_model" if shown else resource
    except ConnectorError as error:
        problem = str(error)
    return Product(
        identifier=identifier,
        resource=resource,
        entries=entries,
        in_pim=shown,
        values=list(islice(_values(shown or {}, entries), MOST_VALUES)),
        waiting=Parking(parts.runs).waiting_for(identifier),
        problem=problem,
    )


def provenance(parts: Parts, identifier: str) -> list[StateEntry]:
    """Return what each source last had accepted of a product; the one place that reads it."""
    keys = [
        state_key(source, resource, identifier)
        for source in parts.sources()
        for resource in RESOURCES
    ]
    return sorted(
        parts.sync_state.entries(keys).values(), key=lambda entry: entry.order, reverse=True
    )


def _values(product: Mapping[str, Any], entries: Sequence[StateEntry]) -> Iterator[Value]:
    for field in FIELDS:
        if product.get(field) not in (None, [], ""):
            yield _value((field,), field, "", "", product[field], entries)
    for attribute, values in sorted(product.get("values", {}).items()):
        for one in values:
            locale, scope = one["locale"] or "", one["scope"] or ""
            key = ("values", attribute, locale, scope)
            yield _value(key, attribute, locale, scope, one["data"], entries)


def _value(
    key: tuple[str, ...],
    attribute: str,
    locale: str,
    scope: str,
    data: object,
    entries: Sequence[StateEntry],
) -> Value:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return Value(
        attribute=attribute,
        locale=locale,
        scope=scope,
        data=text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…",
        entry=next((entry for entry in entries if _has_set(entry, key)), None),
    )


def _has_set(entry: StateEntry, key: tuple[str, ...]) -> bool:
    media = ("media", *key[1:])
    return len(without(entry.slots, [key, media])) < len(entry.slots)
