"""How far a reconciliation has read the DAM's full list, from one invocation to the next.

An object in the bucket, `cache/reconcile/<source>`: there while a reconciliation is asked for or
under way. What the list had is remembered as eight bytes per asset: a million are 8 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import msgspec
from msgspec import Struct

from pim_connector.bucket import Bucket
from pim_connector.dam.pages import Position

FOLDER = "cache/reconcile/"
MARK_BYTES = 8


class Walk(Struct, frozen=True, kw_only=True):
    """Where to read on, and the marks of what was listed, one after another."""

    position: Position = Position()
    seen: bytes = b""

    def marks(self) -> set[bytes]:
        """Give the marks one by one."""
        places = range(0, len(self.seen), MARK_BYTES)
        return {self.seen[place : place + MARK_BYTES] for place in places}


class Walks:
    """The reconciliations under way. Raises what `Bucket` raises."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def begin(self, source: str) -> None:
        """Ask for a reconciliation; one that is under way goes on as it is."""
        if self.load(source) is None:
            self.save(source, Position(), set())

    def under_way(self) -> Iterator[str]:
        """Name the sources whose reconciliation has to go on."""
        return (key.removeprefix(FOLDER) for key in self._bucket.keys(FOLDER))

    def load(self, source: str) -> Walk | None:
        """Give the walk of a source; None where none was asked for.

        One that cannot be read is begun anew.
        """
        try:
            return msgspec.msgpack.decode(self._bucket.get(FOLDER + source), type=Walk)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            return Walk()

    def save(self, source: str, position: Position, marks: set[bytes]) -> None:
        """Note how far the list was read."""
        walk = Walk(position=position, seen=b"".join(marks))
        self._bucket.put(FOLDER + source, msgspec.msgpack.encode(walk))

    def forget(self, source: str) -> None:
        """End the walk of a source."""
        self._bucket.delete(FOLDER + source)


def mark(dam_id: str) -> bytes:
    """Remember an id in a few bytes: a million of them must fit into a function's memory."""
    return blake2b(dam_id.encode("utf-8", "surrogatepass"), digest_size=MARK_BYTES).digest()
