"""Brings each asset of a batch of messages to hand as the DAM has it, once.

A poll hands the asset over whole; an event, or one too heavy for a message, only its id, and then
the DAM is asked, not before it has settled. What an event calls deleted is asked for, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.akeneo.pim import asking_the_pim
from pim_connector.assets.mapping import CompiledAssetMapping, to_asset
from pim_connector.assets.removal import (
    SendLinks,
    link_late,
    link_of,
    remove,
    split_links,
    unlinking,
)
from pim_connector.assets.state import AssetEntry, AssetSyncState
from pim_connector.assets.upserting import (
    ASSETS_PER_CALL,
    Send,
    Upserting,
    chosen,
    is_superseded,
    is_unchanged,
    needs_current,
    slots_due,
    upsert,
)
from pim_connector.assets.values import AssetOutcome, MappedAsset, problems_of, rejected
from pim_connector.dam.asset_rules import OnDelete
from pim_connector.dam.client import Gone
from pim_connector.dam.pages import Row
from pim_connector.errors import ConnectorError, RejectedError, TransientError
from pim_connector.mapping.results import Filtered, Rejected, Slot
from pim_connector.products.asset_links import ProductLinks
from pim_connector.sync.messages import AssetMessage, Change

MOST_RECEIVED = 30
"""With the waits that `AssetWorker` keeps this is six hours. An asset or file that the DAM cannot
hand out must not hold up its message group for ever; a reconciliation brings it when the DAM
can."""
LONGEST_NAP_SECONDS = 20.0
"""Waiting a little is cheaper than having the message come again."""


class _NotSettledError(TransientError):
    """It is too early to ask the DAM for this asset; for others it may be time."""


class Dam(Protocol):
    """What the asset mapper asks of a DAM: one asset, as it is now."""

    def asset(self, asset_id: str) -> Row | Gone: ...


class Task(Struct, frozen=True, kw_only=True):
    """One message of the asset queue, under the id that SQS gave it, and the run it counts to.

    `received` is how often SQS has handed it out, this time included.
    """

    id: str
    group: str
    run: str
    message: AssetMessage
    received: int = 1


class Found(Struct, frozen=True, kw_only=True):
    """One asset as the DAM has it; `properties` None: it is gone. `problem`: it cannot be read.

    `again`: somebody asked that it be sent whole.
    """

    dam_id: str
    properties: Mapping[str, Any] | None
    stamp: int | None = None
    problem: str | None = None
    again: bool = False


def _coalesce(tasks: Iterable[Task]) -> dict[str, Change]:
    """Return the last change of each asset of one source, in the order of their last mention.

    One that is only about late links does not take the place of a real one, which does all, and
    what an operator asked for is still asked for when the asset changed meanwhile.
    """
    last: dict[str, Change] = {}
    for task in tasks:
        for change in task.message.changes:
            before = last.pop(change.id, None)
            if before and change.origin == "links":
                change = before  # noqa: PLW2901
            elif before and before.origin == "operator":
                change = replace(change, origin="operator")  # noqa: PLW2901
            last[change.id] = change
    return last


class Reading:
    """Reads changes from the DAM where they do not carry the asset."""

    def __init__(
        self,
        dam: Dam,
        *,
        can_ask: bool,
        read_stamp: Callable[[str | None], int | None],
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._dam = dam
        self._can_ask = can_ask
        self._read_stamp = read_stamp
        self._now = now
        self._sleep = sleep

    def found(self, change: Change) -> Found:
        """Return the asset of one change.

        TransientError where the DAM does not answer, NotSettledError where it is far too early.
        """
        if change.kind == "changed" and change.properties is not None:
            return Found(
                dam_id=change.id,
                properties=change.properties,
                stamp=self._stamp(change.stamp),
                again=change.origin == "operator",
            )
        if change.kind == "deleted" and not self._can_ask:
            return Found(dam_id=change.id, properties=None)
        self._settle(change)
        try:
            answer = self._dam.asset(change.id)
        except RejectedError as error:
            return Found(dam_id=change.id, properties={}, problem=str(error))
        if isinstance(answer, Gone) or answer.deleted:
            return Found(dam_id=change.id, properties=None)
        return Found(
            dam_id=change.id,
            properties=answer.properties,
            stamp=answer.stamp,
            again=change.origin == "operator",
        )

    def _stamp(self, printed: str | None) -> int | None:
        try:
            return self._read_stamp(printed)
        except RejectedError:
            return None  # unreadable, so it cannot say which version is newer

    def _settle(self, change: Change) -> None:
        wait = (change.not_before or 0.0) - self._now()
        if wait > LONGEST_NAP_SECONDS:
            raise _NotSettledError("the DAM has not settled yet", retry_after=wait)
        if wait > 0:
            self._sleep(wait)


def _hopeless(tasks: Iterable[Task]) -> frozenset[str]:
    """Return the assets that were tried so often that the DAM is not waited for any longer."""
    return frozenset(
        change.id
        for task in tasks
        if task.received >= MOST_RECEIVED
        for change in task.message.changes
    )


def unfinished(tasks: Sequence[Task], done: set[str]) -> list[Task]:
    """Return the messages that have to come back: those not done, and in a message group all after
    them.
    """
    blocked: set[str] = set()
    back: list[Task] = []
    for task in tasks:
        if task.group in blocked or task.id not in done:
            blocked.add(task.group)
            back.append(task)
    return back


# Brings the assets of a batch of messages into the PIM, each to exactly one end.
#
# One source at a time: gather what is asked of each asset, compare with what the PIM holds, send in
# calls of one family and 100 assets, write down what was accepted before the next call. What cannot
# be finished now stays with its message, which comes again and then finds the rest unchanged.


RESERVE_SECONDS = 45.0
"""One call of 100 assets and its bookkeeping must fit into what is left of an invocation."""


class SourceParts(Struct, frozen=True, kw_only=True):
    """What delivering assets of one source needs. `seconds_left` is that of the invocation;
    `note_family` writes down that assets of a family were sent.
    """

    compiled: CompiledAssetMapping
    reading: Reading
    upserting: Upserting
    sync_state: AssetSyncState
    send_links: SendLinks
    note_family: Callable[[str], None]
    seconds_left: Callable[[], float]


class Batch(Struct, kw_only=True):
    """What has become of the assets so far. `failure` is why the rest has to come again."""

    outcomes: dict[str, AssetOutcome] = field(default_factory=dict)
    failure: ConnectorError | None = None

    def end(self, outcome: AssetOutcome) -> None:
        self.outcomes[outcome.dam_id] = outcome


def deliver(tasks: Sequence[Task], parts: SourceParts) -> Batch:
    """Deliver all changes of one source. Raises ConfigurationError; what is transient is in it."""
    batch = Batch()
    try:
        lost = _hopeless(tasks)
        changes = _coalesce(tasks)
        _link_late([c.id for c in changes.values() if c.origin == "links"], parts, batch)
        real = {c.id: c for c in changes.values() if c.origin != "links"}
        found = list(_found(real, lost, parts, batch))
        _deliver(found, lost, parts, batch)
    except TransientError as error:
        batch.failure = error
    return batch


def _link_late(dam_ids: Sequence[str], parts: SourceParts, batch: Batch) -> None:
    for start in range(0, len(dam_ids), ASSETS_PER_CALL):
        _check_time(parts)
        chunk = dam_ids[start : start + ASSETS_PER_CALL]
        for outcome in link_late(parts.upserting.source, chunk, parts.sync_state, parts.send_links):
            batch.end(outcome)


def _found(
    changes: Mapping[str, Change], lost: frozenset[str], parts: SourceParts, batch: Batch
) -> Iterator[Found]:
    """Return what can be had now; an asset that cannot leaves the others their turn."""
    is_down = False
    for change in changes.values():
        if is_down and change.properties is None:
            continue
        try:
            _check_time(parts)
            yield parts.reading.found(change)
        except TransientError as error:
            if change.id in lost:
                batch.end(rejected(change.id, f"the DAM did not hand it out: {error}"))
                continue
            batch.failure = error
            is_down = not isinstance(error, _NotSettledError)


def _check_time(parts: SourceParts) -> None:
    if parts.seconds_left() < RESERVE_SECONDS:
        raise TransientError("no time is left in this invocation", retry_after=0)


def _deliver(
    found: Sequence[Found], lost: frozenset[str], parts: SourceParts, batch: Batch
) -> None:
    source = parts.upserting.source
    entries = parts.sync_state.entries(source, [one.dam_id for one in found])
    gone: list[AssetEntry] = []
    sends: list[Send] = []
    for one in found:
        entry = entries.get(one.dam_id)
        if one.problem:
            batch.end(rejected(one.dam_id, one.problem))
        elif one.properties is None:
            _leave(one.dam_id, entry, gone, batch)
        elif is_superseded(entry, one.stamp):
            batch.end(AssetOutcome(dam_id=one.dam_id, state="superseded"))
        else:
            _map(one, entry, parts, (sends, gone), batch)
    _remove(gone, parts, batch)
    sends = [replace(send, lost=send.asset.dam_id in lost) for send in sends]
    _send_all(_with_codes(sends, parts, batch), entries, parts, batch)


def _leave(dam_id: str, entry: AssetEntry | None, gone: list[AssetEntry], batch: Batch) -> None:
    """Have an asset that is gone, or no product asset any more, taken out of use in the PIM."""
    if entry is not None and entry.present:
        gone.append(entry)
    else:
        batch.end(AssetOutcome(dam_id=dam_id, state="filtered"))


def _map(
    one: Found,
    entry: AssetEntry | None,
    parts: SourceParts,
    found: tuple[list[Send], list[AssetEntry]],
    batch: Batch,
) -> None:
    sends, gone = found
    structures = parts.upserting.structures
    assert one.properties is not None  # noqa: S101 - the caller has looked
    mapped = to_asset(one.dam_id, one.properties, parts.compiled, structures.current())
    if isinstance(mapped, Rejected):
        mapped = to_asset(one.dam_id, one.properties, parts.compiled, structures.fresh())
    if isinstance(mapped, Rejected):
        problems = problems_of(mapped.errors)
        batch.end(AssetOutcome(dam_id=one.dam_id, state="rejected", problems=problems))
    elif isinstance(mapped, Filtered):
        _leave(one.dam_id, entry, gone, batch)
    elif is_unchanged(mapped, entry) and not one.again:
        batch.end(AssetOutcome(dam_id=one.dam_id, state="unchanged", code=mapped.code))
    else:
        sends.append(_send(mapped, entry, one, parts))


def _send(asset: MappedAsset, entry: AssetEntry | None, one: Found, parts: SourceParts) -> Send:
    due = slots_due(asset, None if one.again else entry)
    fresh = entry is None or not entry.present
    current = None
    exists = not fresh
    if needs_current(due, fresh=fresh):
        with asking_the_pim():
            current = parts.upserting.pim.get_asset(asset.family, asset.code)
        exists = current is not None
    slots = chosen(asset, due, current, exists=exists)
    if entry is not None and not entry.present:
        slots += _enabled_again(asset, parts.compiled.mapping.on_delete)
    return Send(asset=asset, slots=slots, fresh=fresh, stamp=one.stamp)


def _enabled_again(asset: MappedAsset, rule: OnDelete) -> tuple[Slot, ...]:
    """Take back what `disable` has set, unless the mapping fills that attribute itself."""
    if rule.action != "disable" or rule.attribute is None:
        return ()
    if any(slot.key[1] == rule.attribute for slot in asset.slots):
        return ()
    return (Slot(key=("values", rule.attribute, "", ""), data=None, owner="on_change"),)


def _with_codes(sends: Sequence[Send], parts: SourceParts, batch: Batch) -> list[Send]:
    """Take the codes of assets that are new under them; whose code is another's is rejected."""
    wanted = {send.asset.dam_id: send.asset.code for send in sends}
    others = parts.sync_state.take_codes(parts.upserting.source, wanted) if wanted else {}
    for dam_id, owner in others.items():
        source, _, other = owner.partition("|")
        reason = f"its code {wanted[dam_id]} is that of asset {other} of {source}"
        advice = "say `distinct: true` or another `prefix` in assets.code of the source file"
        batch.end(rejected(dam_id, reason, code=wanted[dam_id], advice=advice))
    return [send for send in sends if send.asset.dam_id not in others]


def _send_all(
    sends: Sequence[Send], entries: dict[str, AssetEntry], parts: SourceParts, batch: Batch
) -> None:
    by_family: dict[str, list[Send]] = {}
    for send in sends:
        by_family.setdefault(send.asset.family, []).append(send)
    for members in by_family.values():
        for start in range(0, len(members), ASSETS_PER_CALL):
            _check_time(parts)
            _send_chunk(members[start : start + ASSETS_PER_CALL], entries, parts, batch)


def _send_chunk(
    sends: Sequence[Send], entries: dict[str, AssetEntry], parts: SourceParts, batch: Batch
) -> None:
    sent = upsert(sends, parts.upserting)
    moved = [
        old
        for new in sent.accepted
        if (old := entries.get(new.dam_id)) is not None
        and old.present
        and (old.family, old.code) != (new.family, new.code)
    ]
    on_delete = parts.compiled.mapping.on_delete
    if moved:
        structure = parts.upserting.structures.current()
        remove(moved, on_delete, parts.upserting.pim, structure)
    waiting = parts.send_links(_links(sent.accepted, entries))
    parts.sync_state.accept([split_links(entry, waiting) for entry in sent.accepted])
    if sent.accepted:
        parts.note_family(sent.accepted[0].family)
    for outcome in sent.outcomes:
        batch.end(outcome)
    if sent.failure is not None:
        batch.failure = sent.failure


def _links(accepted: Sequence[AssetEntry], entries: dict[str, AssetEntry]) -> list[ProductLinks]:
    found: list[ProductLinks] = []
    for new in accepted:
        old = entries.get(new.dam_id)
        before = set(old.links) if old else set()
        same = old is not None and old.code == new.code
        found += [link_of(k, add=(new.code,)) for k in new.links if not same or k not in before]
        if old is not None:
            left = [k for k in old.links if not same or k not in new.links]
            found += [link_of(k, remove=(old.code,)) for k in left]
    return found


def _remove(gone: Sequence[AssetEntry], parts: SourceParts, batch: Batch) -> None:
    if not gone:
        return
    rule = parts.compiled.mapping.on_delete
    structure = parts.upserting.structures.current()
    for start in range(0, len(gone), ASSETS_PER_CALL):
        _check_time(parts)
        chunk = gone[start : start + ASSETS_PER_CALL]
        parts.send_links([link for entry in chunk for link in unlinking(entry, rule)])
        outcomes, absent = remove(chunk, rule, parts.upserting.pim, structure)
        parts.sync_state.accept(absent)
        for outcome in outcomes:
            batch.end(outcome)
