"""Which message group a record travels in.

A message group is a message group of the product queue: one worker at a time, in order. All records
of one product family (root model, sub-models, variants) share a message group, because Akeneo loses
values when two calls write one product at once, and because a model must go before its variants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from pim_connector.errors import RejectedError
from pim_connector.mapping.identity import folded
from pim_connector.records import hasher

_HASH: Final = hasher(8)


def group_of(family_key: str, groups: int) -> int:
    """Return the message group, 0 ≤ message group < `groups`, of everything that shares
    `family_key` in any spelling.

    Stable over processes, machines and releases: two files of one source must agree on it, and so
    must two sources. A changed number of message groups moves families to other message groups, so
    change it only while the queue is empty.
    """
    return int.from_bytes(_HASH(folded(family_key).encode())) % groups


def group_id(group: int) -> str:
    """Name the SQS message group of a message group; what is in one group is delivered in order."""
    return f"group-{group}"


# What travels on the product queue: up to 100 records, or value updates, of one message group and
# resource.
#
# One message becomes one collection PATCH. It carries the records' XML, not mapped products, so a
# record that failed can be sent again with a fixed mapping. The body is JSON in UTF-8: SQS takes
# only characters that XML allows, and its limits count bytes
# (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).


VERSION: Final = 1
MAX_RECORDS: Final = 100
"""Lines of one collection PATCH (https://api.akeneo.com/documentation/overview.html#limits)."""

Tables = dict[str, dict[str, list[dict[str, str]]]]


class MappingPin(msgspec.Struct, frozen=True, kw_only=True):
    """The very mapping a run works with: S3 key, S3 version id, digest of its meaning."""

    key: str
    version: str
    digest: str


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record on its way: raw XML with the look-up rows it uses, and who it is."""

    number: int = msgspec.field(name="n")
    line: int
    rule: str
    identifier: str = msgspec.field(name="id")
    family_key: str = msgspec.field(name="key")
    parent: str | None = None
    fingerprint: bytes = msgspec.field(name="fp")
    xml: str
    tables: Tables = {}
    forced: bool = False


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all records of a message have in common.

    `order` compares as text: of two values for one product the greater order is the newer. `last`
    marks the last try of records that waited too long for their parent, `forced` that an operator
    wants everything sent, changed or not: of all records or (`MessageRecord.forced`) of single
    ones; where `forced_families` are named, only of products of these families.
    """

    v: int = VERSION
    run: str
    source: str
    id: str
    group: int
    order: str
    mapping: MappingPin
    resource: str
    head: dict[str, str] = {}
    last: bool = False
    forced: bool = False
    forced_families: tuple[str, ...] = ()


class ProductMessage(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """An envelope and its records (1 to 100)."""

    records: tuple[MessageRecord, ...]


class Force(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be sent although it has not changed: everything, or what is named."""

    families: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()

    def holds(self, identifier: str) -> bool:
        """Say whether the record of this product is to be sent, as far as its identifier says."""
        return not self.identifiers or folded(identifier) in map(folded, self.identifiers)


class UpdatedSlot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value to be set; `key` as that of a mapping's slot.

    With `guarded` it is only set where the PIM still holds `expected`: nobody edited it since.
    """

    key: tuple[str, ...]
    data: Any
    expected: Any = None
    guarded: bool = False


class ValueUpdate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Values of one product that follow from no record: it is disabled, or a run is undone."""

    number: int = msgspec.field(name="n")
    line: int = 0
    identifier: str = msgspec.field(name="id")
    uuid: bool = False
    slots: tuple[UpdatedSlot, ...]
    note: str = ""


class ValueUpdateMessage(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """Amendments (1 to 100) that are written by the one worker of the products' message group.

    `withdraw`: a full export no longer holds the products; they are disabled unless a newer file
    has them. `revert`: what the run `of` set is undone where no newer run has set anything.
    `others` are the sources that are to enable the products when they list them.
    """

    purpose: Literal["withdraw", "revert"]
    of: str
    records: tuple[ValueUpdate, ...]
    others: tuple[str, ...] = ()


Message = ProductMessage | ValueUpdateMessage


class ClaimCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stands for a body that lies in S3 at `heavy`, because it is over 1 MiB or was kept there."""

    v: int = VERSION
    run: str
    heavy: str
    last: bool = False


class _Probe(msgspec.Struct, frozen=True):
    v: int
    heavy: str | None = None
    purpose: str | None = None


class _Names(msgspec.Struct, frozen=True):
    run: str = ""
    source: str = ""
    id: str = ""
    heavy: str | None = None


def encode_record(record: MessageRecord) -> bytes:
    """Encode one record as JSON, to be joined by `encode_joined`: it is encoded only once."""
    return _json(record)


def encode_joined(envelope: Envelope, records: Sequence[bytes]) -> bytes:
    """Make the body of a message whose records are encoded already."""
    return _json(_tagged(envelope))[:-1] + b',"records":[' + b",".join(records) + b"]}"


def encode(message: Message | ClaimCheck) -> bytes:
    """Make the body of a message or of a pointer to one.

    It may be over `MAX_BYTES`: then the caller puts it in S3 and sends a `ClaimCheck`.
    """
    return _json(_tagged(message))


def decode(body: str | bytes) -> Message | ClaimCheck:
    """Read what `encode` wrote.

    Raises RejectedError for a body that is no message of this version; sending it again would not
    help, so it belongs in the dead-letter queue.
    """
    try:
        probe = msgspec.json.decode(body, type=_Probe)
        if probe.v != VERSION:
            raise RejectedError(
                f"message of version {probe.v}, this release reads version {VERSION}: "
                "redrive it with the release that wrote it"
            )
        if probe.heavy is not None:
            return msgspec.json.decode(body, type=ClaimCheck)
        if probe.purpose is not None:
            return msgspec.json.decode(body, type=ValueUpdateMessage)
        return msgspec.json.decode(body, type=ProductMessage)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise RejectedError(f"not a product message: {error}") from error


def correlation(body: str | bytes) -> dict[str, str]:
    """Name run, source and message for the log, before the body is checked, as far as it does.

    With them a line of the log leads to the file and, by the run's books, to each product.
    """
    try:
        names = msgspec.json.decode(body, type=_Names)
    except (msgspec.MsgspecError, UnicodeError):
        return {}
    message = names.id or (names.heavy or "").rpartition("/")[2]
    found = (("run", names.run), ("source", names.source), ("message_id", message))
    return {key: name for key, name in found if name}


def deduplication_id(run: str, message_id: str) -> str:
    """SQS drops a second message with this id within five minutes; ours repeat after a crash."""
    return f"{run}-{message_id}"


def claim_check_key(run: str, message_id: str) -> str:
    """Say where in the bucket the body of a heavy message lies."""
    return f"claim-checks/{run}/{message_id}"


def released_id(message_id: str, first_number: int) -> str:
    """Name the message that carries records which `message_id` parked, once they may go on.

    It follows from what was parked, so releasing twice sends the same message twice.
    """
    return f"{message_id}.{first_number}"


def parking_id(message_id: str) -> str:
    """Return the id of the message that parked the records of a released one."""
    return message_id.rpartition(".")[0]


def is_released(message_id: str) -> bool:
    """Say whether the message was made by `released_id`: its records were counted as parked."""
    return "." in message_id


def _tagged(message: Envelope | ClaimCheck) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(message)
    return {"v": message.v} | body


def _json(value: object) -> bytes:
    """Write UTF-8; the two characters that JSON has and XML has not are escaped."""
    encoded = msgspec.json.encode(value)
    if 0xEF not in encoded:  # their first byte, which few texts have
        return encoded
    return encoded.replace(b"\xef\xbf\xbe", rb"\ufffe").replace(b"\xef\xbf\xbf", rb"\uffff")


# What travels on the asset queue: which assets of a source changed, 100 at most in a message.
#
# A change from a poll carries the asset as the DAM gave it; one from an event carries only an id,
# and so does one too heavy for a message: the asset mapper then asks the DAM. All changes of one
# asset share a message group, which is a message group, so a later one never overtakes an earlier
# one.


ASSET_VERSION = 1
ASSET_GROUPS = 2
"""Of the asset queue; the template says so too, to the functions and as their concurrency."""
MOST_CHANGES = 100
MOST_BYTES = 1_000_000
"""SQS takes 1 MiB; the rest is for what a queue in between may add."""

Kind = Literal["changed", "deleted"]
Origin = Literal["poll", "event", "reconcile", "operator", "links"]


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One asset that changed. Without `properties` it has to be asked for by its id.

    `deleted` is what the DAM announced, not yet a fact. `not_before` (epoch seconds) is when the
    DAM's own answer can be trusted; `stamp` the asset's time stamp as the DAM printed it. With the
    origin `links` the asset has not changed: products that its links wait for may be there now.
    With the origin `operator` it is sent whole, whatever the PIM is known to have.
    """

    id: str
    kind: Kind = "changed"
    origin: Origin = "poll"
    stamp: str | None = None
    properties: dict[str, Any] | None = None
    not_before: float | None = None
    event_id: str | None = None


class AssetMessage(Struct, frozen=True, kw_only=True):
    """One message of the asset queue: changes of one source and one message group, oldest first."""

    v: int = ASSET_VERSION
    source: str
    group: int
    changes: tuple[Change, ...]


def asset_group(source: str, asset_id: str, groups: int) -> int:
    """Return the message group of an asset: poll, webhook and reconciliation must agree on it."""
    return group_of(f"{source}|{asset_id}", groups)


def asset_group_id(group: int) -> str:
    """Name the message group of a message group of the asset queue."""
    return f"asset-group-{group}"


def encode_asset_message(message: AssetMessage) -> str:
    """Write the message as the queue takes it: ASCII JSON, so that characters are bytes."""
    text = msgspec.json.encode(message).decode()
    return text if text.isascii() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isascii():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[i : i + 2]):04x}" for i in range(0, len(units), 2))


def decode_asset_message(body: str | bytes) -> AssetMessage:
    """Read a message; RejectedError for what is none, or of a release this one does not know."""
    try:
        message = msgspec.json.decode(body, type=AssetMessage)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise RejectedError(f"not a message of the asset queue: {error}") from error
    if message.v != ASSET_VERSION:
        raise RejectedError(
            f"asset message of version {message.v}, this release reads version {VERSION}: "
            "redrive it with the release that wrote it"
        )
    return message


def fitting(change: Change) -> Change:
    """Leave out the properties of an asset that no message could carry: it is asked for by id."""
    if change.properties is None or weight(change) <= MOST_BYTES // 2:
        return change
    return msgspec.structs.replace(change, properties=None)


def weight(change: Change) -> int:
    """Return the bytes a change takes in a message, at most."""
    encoded = msgspec.json.encode(change)
    return len(encoded) if encoded.isascii() else len(encoded) * 3


def pack(source: str, group: int, changes: Iterable[Change]) -> Iterator[AssetMessage]:
    """Put changes of one message group into messages in their order, each within count and
    weight.
    """
    batch: list[Change] = []
    bytes_ = 0
    for change in map(fitting, changes):
        more = weight(change) + 1
        if batch and (len(batch) == MOST_CHANGES or bytes_ + more > MOST_BYTES):
            yield AssetMessage(source=source, group=group, changes=tuple(batch))
            batch, bytes_ = [], 0
        batch.append(change)
        bytes_ += more
    if batch:
        yield AssetMessage(source=source, group=group, changes=tuple(batch))
