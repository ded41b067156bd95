"""The mappings that runs have pinned, compiled once per worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from pim_connector.aws.queue import FifoQueue, Outgoing
from pim_connector.aws.threads import Writes
from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.products.lines import key_of
from pim_connector.sync.message_results import ParkedGroup, Parking, links_due
from pim_connector.sync.messages import (
    ClaimCheck,
    Message,
    MessageRecord,
    ProductMessage,
    claim_check_key,
    decode,
    deduplication_id,
    encode,
    group_id,
    released_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.structure_cache import StructureCache
    from pim_connector.aws.bucket import Bucket
    from pim_connector.aws.events import Announcements
    from pim_connector.aws.threads import Begin
    from pim_connector.mapping.language import MappingFile, Origin
    from pim_connector.outcomes import RecordOutcome
    from pim_connector.products.files import MediaFiles
    from pim_connector.products.lines import Line
    from pim_connector.sync.comparison import Current
    from pim_connector.sync.message_results import Deliveries
    from pim_connector.sync.messages import MappingPin, Message, ProductMessage, ValueUpdateMessage
    from pim_connector.sync.runs import Run
    from pim_connector.sync.state import StateEntry, SyncState

    Entries = Callable[[], Mapping[str, StateEntry]]
    "Waits for the sync state's answer. Raises what `SyncState.entries` raises."

MOST_KEPT = 20


class Pinned(Struct, frozen=True, kw_only=True):
    """A compiled mapping and what it says of its source."""

    compiled: CompiledMapping
    source: Origin
    attribute_codes: frozenset[str] | None
    identifier_attribute: str


class CompiledMappings:
    """Reads mappings from the bucket by key and version."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._kept: dict[MappingPin, Pinned] = {}

    def pinned(self, pin: MappingPin) -> Pinned:
        """Return the mapping a run has pinned.

        RejectedError where that version is gone or cannot be used: messages of that run are of no
        use until it is back, those of other runs are.
        """
        if pin not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[pin] = self._compiled(pin)
        return self._kept[pin]

    def _compiled(self, pin: MappingPin) -> Pinned:
        content = self._read(pin)
        try:
            mapping = load_mapping(content, name=pin.key)
            compiled = compile_mapping(mapping)
        except ConfigurationError as error:
            raise RejectedError(f"this run's mapping cannot be used: {error}") from error
        return Pinned(
            compiled=compiled,
            source=mapping.file.source,
            attribute_codes=attribute_codes(mapping.file),
            identifier_attribute=mapping.file.identifier_attribute,
        )

    def _read(self, pin: MappingPin) -> bytes:
        try:
            return self._bucket.get(pin.key, pin.version)
        except FileNotFoundError as error:
            where = f"{pin.key} (version {pin.version})"
            raise RejectedError(f"the mapping {where} is not in the bucket any more") from error


def attribute_codes(file: MappingFile) -> frozenset[str] | None:
    """Name the attributes a mapping needs the structure of; None if rows may name any."""
    codes = {file.identifier_attribute}
    for rule in file.records.values():
        codes |= rule.values.keys()
        for pivot in rule.pivots:
            if pivot.unlisted == "use_key":
                return None
            listed = pivot.attributes.values()
            codes |= {each if isinstance(each, str) else each.attribute for each in listed}
    return frozenset(codes)


# What a delivery keeps in the bucket: raw messages for a replay, old values for a revert.


class Kept:
    """The bucket, as the mapper uses it. TransientError where S3 does not answer."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def message(self, body: str) -> Message:
        """Read a message, following the pointer of a heavy one.

        RejectedError for what is no message of this release, or a pointer to nothing.
        """
        message = decode(body)
        if not isinstance(message, ClaimCheck):
            return message
        try:
            heavy = self._bucket.get(message.heavy)
        except FileNotFoundError as error:
            raise RejectedError(f"the message's body {message.heavy} is gone") from error
        return _inside(heavy, message)

    def keep_raw(self, message: ProductMessage) -> None:
        """Keep a message with rejected or parked records, so that they can be replayed."""
        self._bucket.put(f"records/{message.run}/{message.id}.json", encode(message))

    def keep_previous(
        self,
        message: ProductMessage | ValueUpdateMessage,
        lines: Sequence[Line],
        current: Mapping[int, Current],
        *,
        again: int = 0,
    ) -> None:
        """Keep what the PIM held before, unless an earlier attempt of this message did so.

        Only that one saw the values from before the run. `again` is the number of the first of
        records whose products the message named before; what is kept of them sorts behind.
        """
        key = _previous_key(message, again)
        kept = self._previous(key)
        numbers = {one["n"] for one in kept}
        new = [_previous(line, current) for line in lines if line.record.number not in numbers]
        if new:
            self._bucket.put(key, json.dumps({"records": kept + new}).encode())

    def forget_previous(
        self, message: ProductMessage, numbers: Collection[int], *, again: int = 0
    ) -> None:
        """Forget it of records that the PIM has turned down.

        Nothing of them was written. One that comes again, when its model is there, may find that
        another run has made its product meanwhile.
        """
        key = _previous_key(message, again)
        kept = self._previous(key)
        left = [one for one in kept if one["n"] not in numbers]
        if len(left) < len(kept):
            self._bucket.put(key, json.dumps({"records": left}).encode())

    def _previous(self, key: str) -> list[dict[str, Any]]:
        try:
            records: list[dict[str, Any]] = json.loads(self._bucket.get(key))["records"]
        except FileNotFoundError:
            return []
        return records


def _previous_key(message: ProductMessage | ValueUpdateMessage, again: int) -> str:
    name = f"{message.id}+{again:07d}" if again else message.id
    return f"revert/{message.run}/{name}.json"


def _inside(heavy: bytes, pointer: ClaimCheck) -> Message:
    message = decode(heavy)
    if isinstance(message, ClaimCheck):
        raise RejectedError(f"{pointer.heavy} points to another pointer, {message.heavy}")
    return msgspec.structs.replace(message, last=message.last or pointer.last)


def _previous(line: Line, current: Mapping[int, Current]) -> dict[str, Any]:
    return {
        "n": line.record.number,
        "identifier": line.mapped.identifier,
        "resource": line.mapped.resource,
        "family_key": line.mapped.family_key,
        "uuid": line.mapped.uuid is not None,
        "identifier_attribute": line.mapped.identifier_attribute,
        "slots": [[s.key, s.data] for s in line.slots if s.key[0] != "media"],
        "before": current[line.record.number].product,
    }


# Records that wait, for their product model or with their links for the run: and go on.


class Parents:
    """Parks and releases. Everything may be done twice: ids and keys follow from the message."""

    def __init__(
        self,
        parking: Parking,
        bucket: Bucket,
        queue: FifoQueue,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._parking = parking
        self._bucket = bucket
        self._queue = queue
        self._now = now

    def park(
        self, message: ProductMessage, records: Sequence[MessageRecord], parent: str
    ) -> ParkedGroup:
        """Put the records aside, as the one message that will carry them when `parent` is there."""
        later = msgspec.structs.replace(
            message, id=released_id(message.id, records[0].number), records=tuple(records)
        )
        group = ParkedGroup(
            parent=parent,
            run=message.run,
            message=later.id,
            group=message.group,
            heavy=claim_check_key(message.run, later.id),
            since=int(self._now()),
            records=len(records),
            models=_models(message, records),
        )
        self._bucket.put(group.heavy, encode(later))
        self._parking.park(group)
        return group

    def release(self, parent: str) -> int:
        """Send on what waits for `parent`, into the message groups it came from; give how many
        records.
        """
        return self._send(self._parking.waiting_for(parent))

    def release_links(self, run: Run) -> int:
        """Send on what waits for the rest of the run, if that is through; give how many records."""
        if run.counts["parked"] == 0 or run.recorded + run.dead < run.sent:
            return 0
        due = links_due(run, list(self._parking.of_run(run.id)))
        return self._send(due, last=True)

    def _send(self, groups: Sequence[ParkedGroup], *, last: bool = False) -> int:
        self._queue.send(
            Outgoing(
                group=group_id(group.group),
                deduplication=deduplication_id(
                    group.run, f"{group.message}-last" if last else group.message
                ),
                body=encode(ClaimCheck(run=group.run, heavy=group.heavy, last=last)),
            )
            for group in groups
        )
        for group in groups:
            self._parking.unpark(group)
        return sum(group.records for group in groups)


def _models(message: ProductMessage, records: Sequence[MessageRecord]) -> tuple[str, ...]:
    if message.resource != "product_model":
        return ()
    return tuple(record.identifier for record in records)


# The copy of a message in the bucket, from which records of it can be replayed.


class Raw(Writes):
    """Kept once, if any record of the message has a problem, and before the message is recorded.

    Most problems are known before the PIM has the message: then it is kept meanwhile. A copy that
    another attempt has left is written over, or nobody asks for it.
    """

    def __init__(self, message: ProductMessage, parts: DeliveryParts) -> None:
        super().__init__(parts.begin)
        self._keep = partial(parts.kept.keep_raw, message)
        self._begun = False

    def see(self, ends: Iterable[RecordOutcome], lines: Iterable[Line] = ()) -> None:
        """Begin to keep the message if it is to be kept for one of these."""
        if self._begun:
            return
        troubled = any(end.state in ("rejected", "parked") or end.problems for end in ends)
        if troubled or any(line.problems for line in lines):
            self._begun = True
            self.begin(self._keep)


# What one delivery works with and on.


class DeliveryParts(Struct, frozen=True, kw_only=True):
    """All that deliveries work with; kept by a worker between its invocations."""

    sync_state: SyncState
    deliveries: Deliveries
    parents: Parents
    compiled_mappings: CompiledMappings
    structures: StructureCache
    kept: Kept
    media: MediaFiles
    announcements: Announcements
    begin: Begin


class Task(Struct, frozen=True, kw_only=True):
    """Records that name each product once, on their way in one PATCH.

    `message` holds only these records; `entries` waits for what the sync state has of them, and
    maybe of others. `first` is False for the later of repeated records, `last_attempt` True where
    unanswered lines are rejected instead of tried again.
    """

    message: ProductMessage
    entries: Entries
    raw: Raw
    pim: AkeneoClient
    parts: DeliveryParts
    pinned: Pinned
    first: bool
    last_attempt: bool


def known(message: Message, sync_state: SyncState) -> dict[str, StateEntry]:
    """Ask for what the sync state has of a message's products, by `key_of`: one request."""
    return sync_state.entries(key_of(message, record.identifier) for record in message.records)
