"""What travels on the product queue: up to 100 records, or amendments, of one lane and resource.

One message becomes one collection PATCH. It carries the records' XML, not mapped products, so a
record that failed can be sent again with a mended mapping. The body is JSON in UTF-8: SQS takes
only characters that XML allows, and its limits count bytes
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from pim_connector.errors import RejectedError

VERSION: Final = 1
MAX_RECORDS: Final = 100
"""Lines of one collection PATCH (https://api.akeneo.com/documentation/overview.html#limits)."""
MAX_BYTES: Final = 1_048_576
"""One SQS message, and the sum of the messages of one batch request."""

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
    lane: int
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
        return not self.identifiers or identifier in self.identifiers


class AmendedSlot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value to be set; `key` as that of a mapping's slot.

    With `guarded` it is only set where the PIM still holds `expected`: nobody edited it since.
    """

    key: tuple[str, ...]
    data: Any
    expected: Any = None
    guarded: bool = False


class Amendment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Values of one product that follow from no record: it is disabled, or a run is undone."""

    number: int = msgspec.field(name="n")
    line: int = 0
    identifier: str = msgspec.field(name="id")
    uuid: bool = False
    slots: tuple[AmendedSlot, ...]
    note: str = ""


class AmendmentMessage(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """Amendments (1 to 100) that are written by the one worker of the products' lane.

    `withdraw`: a full export no longer holds the products; they are disabled unless a newer file
    has them. `rewind`: what the run `of` set is undone where no newer run has set anything.
    """

    purpose: Literal["withdraw", "rewind"]
    of: str
    records: tuple[Amendment, ...]


Message = ProductMessage | AmendmentMessage


class HeavyPointer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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


def encode(message: Message | HeavyPointer) -> bytes:
    """Make the body of a message or of a pointer to one.

    It may be over `MAX_BYTES`: then the caller puts it in S3 and sends a `HeavyPointer`.
    """
    return _json(_tagged(message))


def decode(body: str | bytes) -> Message | HeavyPointer:
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
            return msgspec.json.decode(body, type=HeavyPointer)
        if probe.purpose is not None:
            return msgspec.json.decode(body, type=AmendmentMessage)
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


def heavy_key(run: str, message_id: str) -> str:
    """Say where in the bucket the body of a heavy message lies."""
    return f"claim-checks/{run}/{message_id}"


def released_id(message_id: str, first_number: int) -> str:
    """Name the message that carries records which `message_id` parked, once they may go on.

    It follows from what was parked, so releasing twice sends the same message twice.
    """
    return f"{message_id}.{first_number}"


def parking_id(message_id: str) -> str:
    """Give the id of the message that parked the records of a released one."""
    return message_id.rpartition(".")[0]


def is_released(message_id: str) -> bool:
    """Say whether the message was made by `released_id`: its records were counted as parked."""
    return "." in message_id


def _tagged(message: Envelope | HeavyPointer) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(message)
    return {"v": message.v} | body


def _json(value: object) -> bytes:
    """Write UTF-8; the two characters that JSON has and XML has not are escaped."""
    encoded = msgspec.json.encode(value)
    if 0xEF not in encoded:  # their first byte, which few texts have
        return encoded
    return encoded.replace(b"\xef\xbf\xbe", rb"\ufffe").replace(b"\xef\xbf\xbf", rb"\uffff")
