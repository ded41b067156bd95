"""What the PIM and the run's books really hold, compared with what the sample says.

Every difference becomes one sentence; no difference at all is what `make demo` succeeds on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.demo.expectation import Entity, Expectation, Values

if TYPE_CHECKING:
    from pim_connector.akeneo.client import AkeneoClient
    from pim_connector.outcomes import RecordOutcome, State

IDENTIFIER = "sku"
NOT_OF_THE_FILE = (IDENTIFIER, "pictures")
"""Attributes that the export does not fill: the DAM's pictures are looked at by pictures.py."""
MAX_IN = 100
"""https://api.akeneo.com/documentation/filter.html"""
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00\S*")


def read_pim(client: AkeneoClient, identifiers: Iterable[str]) -> dict[str, Entity]:
    """Those products and product models that the PIM has, by identifier or code."""
    found: dict[str, Entity] = {}
    for some in _hundreds(sorted(identifiers)):
        search = {"identifier": [{"operator": "IN", "value": some}]}
        found |= {item["identifier"]: _product(item) for item in client.list_products(search)}
        found |= {item["code"]: _model(item) for item in client.list_product_models(search)}
    return found


def strangers(expected: Expectation, client: AkeneoClient) -> list[str]:
    """Name what a PIM that was empty before holds besides what the file says."""
    products = {item["identifier"] for item in client.list_products()}
    models = {item["code"] for item in client.list_product_models()}
    extra = (products | models) - expected.accepted.keys()
    return [f"{identifier} is in the PIM but not in the file" for identifier in sorted(extra)]


def differences(expected: Expectation, found: Mapping[str, Entity]) -> list[str]:
    """Say what is missing, what should not be there, and every value that is not as in the file."""
    told = list(_value_differences(expected.accepted, found))
    for rejection in expected.rejected.values():
        if rejection.identifier in found:
            told.append(f"{rejection.identifier} is in the PIM although it must be rejected")
    return told


def count_differences(expected: Expectation, counts: Mapping[State, int]) -> list[str]:
    """Compare the run's counts; a repeated file is updated or unchanged instead of created."""
    arrived = sum(counts[state] for state in ("created", "updated", "unchanged", "superseded"))
    pairs = (
        ("in the PIM", len(expected.accepted), arrived),
        ("filtered", expected.filtered, counts["filtered"]),
        ("rejected", len(expected.rejected), counts["rejected"]),
        ("parked", 0, counts["parked"]),
    )
    return [
        f"{wanted} records should be {name}, the run says {got}"
        for name, wanted, got in pairs
        if wanted != got
    ]


def rejection_differences(expected: Expectation, told: Iterable[RecordOutcome]) -> list[str]:
    """Compare the rejections: each by number, line and identifier, with a reason that fits."""
    reported = {outcome.number: outcome for outcome in told if outcome.state == "rejected"}
    found = []
    for number, wanted in expected.rejected.items():
        outcome = reported.pop(number, None)
        if outcome is None:
            found.append(f"record {number} ({wanted.identifier}) is not among the rejections")
            continue
        if (outcome.line, outcome.identifier or "") != (wanted.line, wanted.identifier):
            found.append(
                f"record {number} is reported as {outcome.identifier!r}, line {outcome.line}; it "
                f"is {wanted.identifier!r}, line {wanted.line}"
            )
        reasons = " ".join(f"{p.attribute} {p.reason}" for p in outcome.problems)
        if wanted.blamed not in reasons:
            found.append(f"record {number}: {wanted.blamed!r} is not in its reason: {reasons!r}")
    return found + [f"record {number} is rejected but is good" for number in reported]


def _hundreds(identifiers: list[str]) -> Iterator[list[str]]:
    return (identifiers[n : n + MAX_IN] for n in range(0, len(identifiers), MAX_IN))


def _value_differences(
    expected: Mapping[str, Entity], found: Mapping[str, Entity]
) -> Iterator[str]:
    for identifier, wanted in expected.items():
        got = found.get(identifier)
        if got is None:
            yield f"{identifier} is not in the PIM"
            continue
        for name in ("resource", "family", "parent", "family_variant", "enabled", "categories"):
            if getattr(wanted, name) != getattr(got, name):
                yield _difference(identifier, name, getattr(wanted, name), getattr(got, name))
        for key in sorted(wanted.values.keys() | got.values.keys(), key=str):
            if wanted.values.get(key) != got.values.get(key):
                name = " ".join(part for part in key if part)
                yield _difference(identifier, name, wanted.values.get(key), got.values.get(key))


def _difference(identifier: str, name: str, wanted: object, got: object) -> str:
    return f"{identifier}, {name}: the file says {wanted!r}, the PIM has {got!r}"


def _product(item: dict[str, Any]) -> Entity:
    return Entity(
        resource="product",
        family=item["family"],
        parent=item.get("parent"),
        family_variant=None,
        enabled=item["enabled"],
        categories=tuple(sorted(item["categories"])),
        values=_values(item["values"]),
    )


def _model(item: dict[str, Any]) -> Entity:
    return Entity(
        resource="product_model",
        family=item["family"],
        parent=item.get("parent"),
        family_variant=item["family_variant"],
        enabled=None,
        categories=tuple(sorted(item["categories"])),
        values=_values(item["values"]),
    )


def _values(values: Mapping[str, list[dict[str, Any]]]) -> Values:
    return {
        (attribute, value["locale"], value["scope"]): plain(value["data"])
        for attribute, rows in values.items()
        if attribute not in NOT_OF_THE_FILE
        for value in rows
    }


def plain(data: Any) -> Any:
    """Write a value as the expectation does: numbers as Decimal, lists sorted, days as days."""
    match data:
        case {"amount": amount, "unit": unit}:
            return (Decimal(str(amount)), unit)
        case [{"currency": _}, *_]:
            return sorted((price["currency"], Decimal(str(price["amount"]))) for price in data)
        case list():
            return sorted(data)
        case bool():
            return data
        case int() | float():
            return Decimal(str(data))
        case str() if day := _MIDNIGHT.fullmatch(data):
            return day[1]
    return data
