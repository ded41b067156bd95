"""Decides how much of a mapped record the PIM must hear of: nothing, some slots, or all of it.

Pure: the sync state's entry and, where the mapping makes it necessary, what the PIM holds now go
in, a decision comes out. A slot is the smallest thing that is sent or left: one value of one
attribute in one locale and channel, or one field such as the family.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pim_connector.records import hasher

if TYPE_CHECKING:
    from pim_connector.mapping.results import Mapped, Slot
    from pim_connector.sync.state import StateEntry

KEY_BYTES = 5
VALUE_BYTES = 7
"""5 + 7 bytes a slot: two of 1,000 slots of one product share a key hash once in two million
products, and a changed value looks unchanged once in 7 * 10**16 changes."""
MOST_KEYS = 10_000
"""Keys of slots whose hashes are remembered: every product of a file has the same ones."""


class Current(Struct, frozen=True, kw_only=True):
    """What the PIM holds of a product now, as the list endpoint gives it; None: it has none."""

    product: Mapping[str, Any] | None

    @property
    def exists(self) -> bool:
        return self.product is not None

    def holds(self, key: Sequence[str]) -> bool:
        """Say whether the slot has a value in the PIM (its own or, for a variant, its model's)."""
        if self.product is None:
            return False
        if key[0] in ("values", "media"):
            _, attribute, locale, scope = key
            return any(
                (value["locale"] or "") == locale and (value["scope"] or "") == scope
                for value in self.product.get("values", {}).get(attribute, ())
            )
        found: Any = self.product
        for part in key:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found not in (None, "", [], {})


class Send(Struct, frozen=True, kw_only=True):
    """The slots to send. `whole`: they are all that a product needs that is not there yet."""

    slots: tuple[Slot, ...]
    whole: bool


class Unchanged(Struct, frozen=True, kw_only=True):
    """The PIM has accepted all of this before; only the sync state's order may have to move."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """The mapping's record mode says that this record is not to be sent."""

    reason: str


Decision = Send | Unchanged | LeftOut


def is_superseded(entry: StateEntry | None, *, order: str, record: int) -> bool:
    """Say whether the PIM already holds a newer version of the record.

    Newer is a later file, or a later record of the same file (last wins). An order names one file,
    whose records a replay sends under the same order and numbers.
    """
    if entry is None:
        return False
    if entry.order == order:
        return entry.record > record
    return entry.order > order


def slot_hashes(slots: Collection[Slot]) -> bytes:
    """Pack the slots' hashes for the sync state: 12 bytes each, sorted."""
    return b"".join(sorted(_slot_hash(slot) for slot in slots))


def without(hashes: bytes, keys: Collection[tuple[str, ...]]) -> bytes:
    """Give packed hashes without those of some slots: their values will count as changed."""
    gone = {_key_hash(key) for key in keys}
    size = KEY_BYTES + VALUE_BYTES
    parts = (hashes[i : i + size] for i in range(0, len(hashes), size))
    return b"".join(part for part in parts if part[:KEY_BYTES] not in gone)


def changed_slots(slots: Sequence[Slot], hashes: bytes) -> tuple[Slot, ...]:
    """Return the slots that are new or differ from those whose hashes the sync state holds."""
    size = KEY_BYTES + VALUE_BYTES
    known = {hashes[i : i + size] for i in range(0, len(hashes), size)}
    return tuple(slot for slot in slots if _slot_hash(slot) not in known)


def needs_current(mapped: Mapped, entry: StateEntry | None, *, forced: bool = False) -> bool:
    """Say whether a decision needs what the PIM holds now: one read more for the whole message.

    Only the owners `create_only` and `if_empty` and the record modes ask for it, and only when
    something of the record has changed.
    """
    changed = mapped.slots if entry is None or forced else changed_slots(mapped.slots, entry.slots)
    if entry is not None and not changed and not forced:
        return False
    if mapped.mode == "update_only" or (mapped.mode == "create_only" and entry is None):
        return True
    return any(
        slot.owner == "if_empty" or (slot.owner == "create_only" and entry is None)
        for slot in changed
    )


def decide(
    mapped: Mapped, entry: StateEntry | None, current: Current | None, *, forced: bool = False
) -> Decision:
    """Decide what to send of a record that is not superseded.

    `current` is None where `needs_current` said no; a product with a sync state entry is then taken
    to exist, one without is sent whole. `forced` sends all that the ERP owns, changed or not.
    """
    exists = entry is not None if current is None else current.exists
    whole = entry is None or forced or not exists
    changed = mapped.slots if whole else changed_slots(mapped.slots, entry.slots if entry else b"")
    if not changed and not whole:
        return Unchanged()
    if mapped.mode == "update_only" and not exists:
        return LeftOut(reason="the PIM has no such product and the mapping says update_only")
    if mapped.mode == "create_only" and exists:
        return LeftOut(reason="the PIM has this product already and the mapping says create_only")
    chosen = _chosen(mapped.slots, frozenset(slot.key for slot in changed), current, exists)
    if not chosen and exists:
        return Unchanged()
    return Send(slots=chosen, whole=whole)


def _chosen(
    slots: Sequence[Slot],
    changed: frozenset[tuple[str, ...]],
    current: Current | None,
    exists: bool,
) -> tuple[Slot, ...]:
    def is_due(slot: Slot) -> bool:
        if slot.owner == "create_only":
            return not exists
        if slot.owner == "if_empty" and exists:
            return slot.key in changed and current is not None and not current.holds(slot.key)
        return slot.key in changed

    return with_always(slots, {slot.key for slot in slots if is_due(slot)})


def with_always(slots: Sequence[Slot], due: Collection[tuple[str, ...]]) -> tuple[Slot, ...]:
    """Return the slots that are due, and with any of them those that are the ERP's always."""
    return tuple(slot for slot in slots if slot.key in due or (due and slot.owner == "always"))


def _slot_hash(slot: Slot) -> bytes:
    return _key_hash(slot.key) + _VALUE_HASH(_ENCODER.encode(slot.data).encode())


@lru_cache(maxsize=MOST_KEYS)
def _key_hash(key: tuple[str, ...]) -> bytes:
    return _KEY_HASH(_ENCODER.encode(key).encode())


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_KEY_HASH: Final = hasher(KEY_BYTES)
_VALUE_HASH: Final = hasher(VALUE_BYTES)


# Says whether a value that was sent and the one that the PIM shows now are the same.
#
# The PIM shows values in another dress than it takes them: amounts as texts with four decimals,
# dates with a time, lists in an order of its own
# (https://api.akeneo.com/concepts/products.html#focus-on-the-products-values).


_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(\+00:00|Z)?")
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


def same(one: Any, other: Any) -> bool:
    """Compare two values of a slot; nothing, an empty text and an empty list are the same."""
    return bool(_plain(one) == _plain(other))


def value_of(product: Mapping[str, Any] | None, key: Sequence[str]) -> Any:
    """Return what a product of the REST API holds in a slot; None where it holds nothing.

    `add_categories` is read from `categories`, which it adds to.
    """
    if product is None:
        return None
    if key[0] == "values":
        _, attribute, locale, scope = key
        for value in (product.get("values") or {}).get(attribute, ()):
            if ((value.get("locale") or ""), (value.get("scope") or "")) == (locale, scope):
                return value.get("data")
        return None
    found: Any = product
    for part in ("categories",) if key[0] == "add_categories" else key:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if value in _EMPTY:
        return None
    if isinstance(value, int | float):
        return ("number", Decimal(str(value)).normalize())
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_plain(each) for each in value), key=_sorting)
    return value


def _plain_text(text: str) -> Any:
    if _NUMBER.fullmatch(text):
        return ("number", Decimal(text).normalize())
    day = _DAY.fullmatch(text)
    return day[1] if day else text


def _sorting(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
