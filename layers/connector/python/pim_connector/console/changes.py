"""What a run changed in the PIM: product by product, attribute by attribute, old and new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from pim_connector.products.reverting import Previous
from pim_connector.sync.runs import Run
from pim_connector.sync.sameness import same, value_of

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

PER_PAGE: Final = 25
MOST_CHANGES: Final = 60
MOST_MESSAGES: Final = 200
MOST_CHARACTERS: Final = 160


class Changed(Struct, frozen=True, kw_only=True):
    """One value; `before` and `after` are None where only the attribute's name is known."""

    name: str
    before: str | None = None
    after: str | None = None


class ChangedProduct(Struct, frozen=True, kw_only=True):
    """One product or model that the run created or updated; `left` changes are not listed."""

    identifier: str
    resource: str
    created: bool
    changes: tuple[Changed, ...]
    left: int = 0


class _Kept(Struct, frozen=True):
    records: list[Previous]


def changed_products(parts: Parts, run: Run, *, skip: int) -> tuple[list[ChangedProduct], bool]:
    """Return a page of changed products, and whether there are more.

    Old values are known of sources that are `reversible`, new ones too; of others only which
    attributes were sent.
    """
    with_values = _with_values(parts, run)
    first = next(with_values, None)
    every = _by_name(parts, run) if first is None else _chained(first, with_values)
    found = list(islice(every, skip, skip + PER_PAGE + 1))
    return found[:PER_PAGE], len(found) > PER_PAGE


def _chained(first: ChangedProduct, others: Iterator[ChangedProduct]) -> Iterator[ChangedProduct]:
    yield first
    yield from others


def _with_values(parts: Parts, run: Run) -> Iterator[ChangedProduct]:
    for key in parts.bucket.keys(f"revert/{run.id}/"):
        if key.endswith(".json"):
            for one in msgspec.json.decode(parts.bucket.get(key), type=_Kept).records:
                yield _product(one)


def _product(one: Previous) -> ChangedProduct:
    changes = [
        Changed(name=_name(key), before=_short(held), after=_short(sent))
        for key, sent in one.slots
        if not same(held := value_of(one.before, key) if one.before else None, sent, one.kind(key))
    ]
    return ChangedProduct(
        identifier=one.identifier,
        resource=one.resource,
        created=one.before is None,
        changes=tuple(changes[:MOST_CHANGES]),
        left=max(len(changes) - MOST_CHANGES, 0),
    )


def _by_name(parts: Parts, run: Run) -> Iterator[ChangedProduct]:
    for message in islice(parts.deliveries.messages(run.id), MOST_MESSAGES):
        for outcome in message.outcomes:
            if outcome.state in ("created", "updated"):
                yield ChangedProduct(
                    identifier=outcome.identifier or "",
                    resource=outcome.resource or "product",
                    created=outcome.state == "created",
                    changes=tuple(Changed(name=name) for name in outcome.changed[:MOST_CHANGES]),
                    left=max(len(outcome.changed) - MOST_CHANGES, 0),
                )


def _name(key: tuple[str, ...]) -> str:
    if key[0] not in ("values", "media"):
        return key[-1] if key[0] == "associations" else key[0]
    return " ".join(part for part in key[1:] if part)


def _short(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
