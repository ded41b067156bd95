"""What travels on the asset queue: which assets of a source changed, 100 at most in a message.

A change from a poll carries the asset as the DAM gave it; one from an event carries only an id,
and so does one too heavy for a message: the asset mapper then asks the DAM. All changes of one
asset share a lane, which is a message group, so a later one never overtakes an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from pim_connector.errors import RejectedError
from pim_connector.lanes import lane_of

VERSION = 1
ASSET_LANES = 2
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
    """One message of the asset queue: changes of one source and one lane, oldest first."""

    v: int = VERSION
    source: str
    lane: int
    changes: tuple[Change, ...]


def asset_lane(source: str, asset_id: str, lanes: int) -> int:
    """Give the lane of an asset: poll, webhook and reconciliation must agree on it."""
    return lane_of(f"{source}|{asset_id}", lanes)


def asset_group(lane: int) -> str:
    """Name the message group of a lane of the asset queue."""
    return f"asset-lane-{lane}"


def encode(message: AssetMessage) -> str:
    """Write the message as the queue takes it: ASCII JSON, so that characters are bytes."""
    text = msgspec.json.encode(message).decode()
    return text if text.isascii() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isascii():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[i : i + 2]):04x}" for i in range(0, len(units), 2))


def decode(body: str | bytes) -> AssetMessage:
    """Read a message; RejectedError for what is none, or of a release this one does not know."""
    try:
        message = msgspec.json.decode(body, type=AssetMessage)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise RejectedError(f"not a message of the asset queue: {error}") from error
    if message.v != VERSION:
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
    """Give the bytes a change takes in a message, at most."""
    encoded = msgspec.json.encode(change)
    return len(encoded) if encoded.isascii() else len(encoded) * 3


def pack(source: str, lane: int, changes: Iterable[Change]) -> Iterator[AssetMessage]:
    """Put changes of one lane into messages in their order, each within count and weight."""
    group: list[Change] = []
    bytes_ = 0
    for change in map(fitting, changes):
        more = weight(change) + 1
        if group and (len(group) == MOST_CHANGES or bytes_ + more > MOST_BYTES):
            yield AssetMessage(source=source, lane=lane, changes=tuple(group))
            group, bytes_ = [], 0
        group.append(change)
        bytes_ += more
    if group:
        yield AssetMessage(source=source, lane=lane, changes=tuple(group))
