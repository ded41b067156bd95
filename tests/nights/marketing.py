"""People who edit products in the PIM itself, and which of their edits must still be there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.nights.aws.faults import Clock
from tests.nights.oracle import FileRun, Key, Values, mapped
from tests.nights.traces import Traces

if TYPE_CHECKING:
    from simulators.akeneo.pim import Product
    from tests.nights.account import Account
    from tests.nights.pim import PimWorld, Write

FIRST_STOCK = 100
"""No file has as much: an edit is known by its value."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One value that somebody set in the PIM at a time."""

    time: float
    code: str
    place: str
    text: str

    @property
    def key(self) -> Key:
        return "product", self.code


class Marketing:
    """Edits single values of a few products, in the PIM's own pages."""

    def __init__(self, pim: PimWorld, clock: Clock, trace: Traces, chance: Random) -> None:
        self._pim, self._clock, self._trace, self._chance = pim.pim, clock, trace, chance
        self.edits: list[Edit] = []

    def edit(self) -> None:
        """Set the stock of some products, or the title of those that have their own."""
        products = {self._pim.identifier_of(p) or "": p for p in self._pim.products.values()}
        for code in self._chance.sample(sorted(products), min(3, len(products))):
            self._set(code, products[code])

    def _set(self, code: str, product: Product) -> None:
        number = FIRST_STOCK + len(self.edits)
        place = "stock" if product.parent else self._chance.choice(("stock", "title"))
        data = number if place == "stock" else f"edited {number}"
        product.values[place, None, None] = data
        self.edits.append(Edit(time=self._clock.now, code=code, place=place, text=str(data)))
        self._trace.note(f"somebody sets {place} of {code} to {data}")


def updated(
    account: Account, runs: Sequence[FileRun], values: dict[Key, dict[str, set[str]]]
) -> None:
    """Add to what must be in the PIM what people have set there since.

    Nothing of it is left where a file has brought another value, or any where the ERP always has
    the last word; but a value that did not change in the ERP is not sent again with others.
    """
    last = {(edit.key, edit.place): edit for edit in account.marketing.edits}
    for (key, place), edit in last.items():
        if key not in values:
            continue
        later = [w for w in _writes(account, runs, key) if w.time >= edit.time]
        if not later or _left_alone(account, runs, edit):
            values[key][place] = {edit.text}
        elif not (place == "stock" and account.plan.always):
            values[key][place] = values[key].get(place, {""}) | {edit.text}


def _writes(account: Account, runs: Sequence[FileRun], key: Key) -> list[Write]:
    """Give the writes of a product that bring what files say of it."""
    updating_values = {run.id for run in runs if run.withdraws or run.undoes}
    writes = (w for w in account.pim.pim.writes if (w.kind, w.code) == key)
    return [write for write in writes if write.run not in updating_values]


def _left_alone(account: Account, runs: Sequence[FileRun], edit: Edit) -> bool:
    """Say whether all that was written since held what the ERP had sent before.

    Not where what did not change may have been sent once more: after a doubt or a revert, by force.
    """
    if edit.place == "stock" and account.plan.always:
        return False
    if account.weather.is_doubtful or account.plan.poisoned:
        return False
    by_id = {run.id: run for run in runs}
    asked = account.operator.asked
    if any(run.undoes and edit.code in {item.no for item in run.items} for run in runs):
        return False
    writes = _writes(account, runs, edit.key)
    since = [write.run for write in writes if write.time >= edit.time]
    if any(run in asked and asked[run].forced for run in since):
        return False
    before = [write.run for write in writes if write.time < edit.time]
    brought = [set(_brought(by_id[run], edit)) for run in {*before[-1:], *since}]
    return len(set().union(*brought)) == 1


def _brought(run: FileRun, edit: Edit) -> Iterator[str]:
    for number, item in enumerate(run.items, start=1):
        stored = run.stored.get(number)
        if item.key == edit.key and stored is not None and stored.state != "filtered":
            values: Values = mapped(item, run.mapping)
            yield values.get(edit.place, "")
