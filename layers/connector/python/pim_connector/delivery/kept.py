"""What a delivery keeps in the bucket: raw messages for a replay, old values for a rewind."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pim_connector.errors import RejectedError
from pim_connector.messages import HeavyPointer, Message, ProductMessage, decode, encode

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket
    from pim_connector.delivery.line import Line
    from pim_connector.delta import Current


class Kept:
    """The bucket, as the mapper uses it. TransientError where S3 does not answer."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def message(self, body: str) -> Message:
        """Read a message, following the pointer of a heavy one.

        RejectedError for what is no message of this release, or a pointer to nothing.
        """
        message = decode(body)
        if not isinstance(message, HeavyPointer):
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
        message: ProductMessage,
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


def _previous_key(message: ProductMessage, again: int) -> str:
    name = f"{message.id}+{again:07d}" if again else message.id
    return f"revert/{message.run}/{name}.json"


def _inside(heavy: bytes, pointer: HeavyPointer) -> Message:
    message = decode(heavy)
    if isinstance(message, HeavyPointer):
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
