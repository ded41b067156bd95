"""Undoes a run: what it set is set back to what the PIM held before.

The mapper kept that, message by message, before it sent anything (for sources that are
`reversible`). Undoing never goes over what is newer: products that a newer file held, or that a
newer run has set, stay as they are, and so do values that somebody has edited in the PIM since.
Products that the run created are disabled, not deleted; files and new select options stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.errors import ConfigurationError
from pim_connector.sync.chunks import identity_hash, manifests_of
from pim_connector.sync.jobs import (
    JobParts,
    ProductUpdate,
    begin,
    job_name,
    refuse_while_busy,
    send_value_updates,
)
from pim_connector.sync.messages import UpdatedSlot, ValueUpdate
from pim_connector.sync.runs import Run
from pim_connector.sync.sameness import UNKNOWN, Kind, kind_of, same, value_of

CREATED = "the run created this product: it is disabled, the connector deletes nothing"


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent of one record, and what the PIM held before; None: it had no such product.

    `kinds` says by attribute how its values compare; what older releases kept lacks it.
    """

    number: int = msgspec.field(name="n")
    identifier: str
    resource: str
    family_key: str
    uuid: bool
    slots: list[tuple[tuple[str, ...], Any]]
    before: dict[str, Any] | None
    kinds: dict[str, Kind] = {}

    def kind(self, key: Sequence[str]) -> Kind:
        """Return how the data of a slot compares."""
        if key[0] == "values":
            return self.kinds.get(key[1], UNKNOWN)
        return kind_of(key, None)


class _Kept(msgspec.Struct, frozen=True):
    records: list[Previous]


class RevertPlan(Struct, frozen=True, kw_only=True):
    """What a revert would do: products and values to be set back, and what stays and why."""

    products: tuple[ProductUpdate, ...]
    superseded: int
    models_created: int
    values: Counter[str]

    @property
    def disabled(self) -> int:
        """The number of products that the run created, and that are disabled therefore."""
        return sum(bool(product.value_update.note) for product in self.products)


def plan_revert(run: Run, parts: JobParts) -> RevertPlan:
    """Work out what undoing a run means; nothing is sent, and the PIM is not asked.

    ConfigurationError where nothing was kept: the source was not `reversible`, or it is too long
    ago.
    """
    newer = manifests_of(parts.registry.newer_split(run), parts.bucket)
    superseded = models = 0
    products: list[ProductUpdate] = []
    values: Counter[str] = Counter()
    changed = _changed(run, parts.bucket)
    for who, one in changed.items():
        if any(identity_hash(*who) in manifest for manifest in newer):
            superseded += 1
        elif one.before is None and one.resource == "product_model":
            models += 1
        elif slots := tuple(_undone(one)):
            products.append(_product(one, slots))
            values.update(_name(slot.key) for slot in slots)
    if not changed:
        raise ConfigurationError(
            f"nothing was kept of run {run.id} to undo it by: it wrote nothing, or its mapping did "
            "not say `source: {reversible: true}`, or it is so long ago that it has expired"
        )
    return RevertPlan(
        products=tuple(products),
        superseded=superseded,
        models_created=models,
        values=values,
    )


def revert(run: Run, plan: RevertPlan, parts: JobParts) -> Run:
    """Do what the plan says, as a run of its own. ConfigurationError while the source is busy."""
    if run.finished_at is None:
        raise ConfigurationError(f"run {run.id} is not finished; wait for it and say this again")
    refuse_while_busy(run, parts.registry)
    job = begin(run, "revert", job_name(run, "revert", parts.clock()), parts)
    return send_value_updates(job, "revert", plan.products, parts, superseded=plan.superseded)


def _changed(run: Run, bucket: Bucket) -> dict[tuple[str, str], Previous]:
    """Return each product once: as it was before the run, with what the run sent last.

    A message sorts before those that it made of its parked records.
    """
    found: dict[tuple[str, str], Previous] = {}
    keys = (key.removesuffix(".json") for key in bucket.keys(f"revert/{run.id}/"))
    for key in sorted(keys):
        for one in msgspec.json.decode(bucket.get(f"{key}.json"), type=_Kept).records:
            who = (one.resource, one.identifier)
            first = found.get(who, one)
            slots = list((dict(first.slots) | dict(one.slots)).items())
            kinds = first.kinds | one.kinds
            found[who] = msgspec.structs.replace(first, slots=slots, kinds=kinds)
    return found


def _product(one: Previous, slots: tuple[UpdatedSlot, ...]) -> ProductUpdate:
    return ProductUpdate(
        resource=one.resource,
        family_key=one.family_key,
        value_update=ValueUpdate(
            number=one.number,
            identifier=one.identifier,
            uuid=one.uuid,
            slots=slots,
            note=CREATED if one.before is None else "",
        ),
    )


def _undone(one: Previous) -> Iterator[UpdatedSlot]:
    """Return the slots that set back what was sent; what was sent and held before alike is left."""
    if one.before is None:
        yield UpdatedSlot(key=("enabled",), data=False)
        return
    for key, sent in one.slots:
        held = value_of(one.before, key)
        expected = sent
        if key[0] == "add_categories":
            expected = sorted({*(held or ()), *sent})
        if same(held, expected, one.kind(key)):
            continue
        target = ("categories",) if key[0] == "add_categories" else tuple(key)
        empty: Any = [] if isinstance(sent, list) and key[0] != "values" else None
        yield UpdatedSlot(
            key=target, data=empty if held is None else held, expected=expected, guarded=True
        )


def _name(key: tuple[str, ...]) -> str:
    return key[1] if key[0] == "values" else key[0]
