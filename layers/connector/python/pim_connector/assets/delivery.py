"""Brings the assets of a batch of messages into the PIM, each to exactly one end.

One source at a time: gather what is asked of each asset, compare with what the PIM holds, send in
calls of one family and 100 assets, write down what was accepted before the next call. What cannot
be finished now stays with its message, which comes again and then finds the rest unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.assets.asset import MappedAsset
from pim_connector.assets.incoming import (
    Found,
    NotSettledError,
    Reading,
    Task,
    coalesce,
    hopeless,
)
from pim_connector.assets.late_links import SendLinks, link_late, split_links
from pim_connector.assets.ledger import AssetEntry, AssetLedger
from pim_connector.assets.linking import ProductLinks
from pim_connector.assets.mapping import OnDelete
from pim_connector.assets.outcome import AssetOutcome, problems_of, rejected
from pim_connector.assets.program import AssetProgram, to_asset
from pim_connector.assets.removal import link_of, remove, unlinking
from pim_connector.assets.triage import (
    Send,
    chosen,
    is_superseded,
    is_unchanged,
    needs_current,
    slots_due,
)
from pim_connector.assets.upserting import ASSETS_PER_CALL, Upserting, upsert
from pim_connector.dam.asset_messages import Change
from pim_connector.delivery.pim import asking_the_pim
from pim_connector.errors import ConnectorError, TransientError
from pim_connector.mapping.result import Filtered, Rejected, Slot

RESERVE_SECONDS = 45.0
"""One call of 100 assets and its bookkeeping must fit into what is left of an invocation."""


class SourceParts(Struct, frozen=True, kw_only=True):
    """What delivering assets of one source needs. `seconds_left` is that of the invocation;
    `note_family` writes down that assets of a family were sent.
    """

    program: AssetProgram
    reading: Reading
    upserting: Upserting
    ledger: AssetLedger
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
        lost = hopeless(tasks)
        changes = coalesce(tasks)
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
        for outcome in link_late(parts.upserting.source, chunk, parts.ledger, parts.send_links):
            batch.end(outcome)


def _found(
    changes: Mapping[str, Change], lost: frozenset[str], parts: SourceParts, batch: Batch
) -> Iterator[Found]:
    """Give what can be had now; an asset that cannot leaves the others their turn."""
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
            is_down = not isinstance(error, NotSettledError)


def _check_time(parts: SourceParts) -> None:
    if parts.seconds_left() < RESERVE_SECONDS:
        raise TransientError("no time is left in this invocation", retry_after=0)


def _deliver(
    found: Sequence[Found], lost: frozenset[str], parts: SourceParts, batch: Batch
) -> None:
    source = parts.upserting.source
    entries = parts.ledger.entries(source, [one.dam_id for one in found])
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
    mapped = to_asset(one.dam_id, one.properties, parts.program, structures.current())
    if isinstance(mapped, Rejected):
        mapped = to_asset(one.dam_id, one.properties, parts.program, structures.fresh())
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
        slots += _enabled_again(asset, parts.program.mapping.on_delete)
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
    others = parts.ledger.take_codes(parts.upserting.source, wanted) if wanted else {}
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
    on_delete = parts.program.mapping.on_delete
    if moved:
        structure = parts.upserting.structures.current()
        remove(moved, on_delete, parts.upserting.pim, structure)
    waiting = parts.send_links(_links(sent.accepted, entries))
    parts.ledger.accept([split_links(entry, waiting) for entry in sent.accepted])
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
    rule = parts.program.mapping.on_delete
    structure = parts.upserting.structures.current()
    for start in range(0, len(gone), ASSETS_PER_CALL):
        _check_time(parts)
        chunk = gone[start : start + ASSETS_PER_CALL]
        parts.send_links([link for entry in chunk for link in unlinking(entry, rule)])
        outcomes, absent = remove(chunk, rule, parts.upserting.pim, structure)
        parts.ledger.accept(absent)
        for outcome in outcomes:
            batch.end(outcome)
