"""Which lane a record travels in.

A lane is a message group of the product queue: one worker at a time, in order. All records of one
product family (root model, sub-models, variants) share a lane, because Akeneo loses values when
two calls write one product at once, and because a model must go before its variants.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

_EMPTY: Final = blake2b(digest_size=8)
"""To be copied: that takes a third less than to make one anew."""


def lane_of(family_key: str, lanes: int) -> int:
    """Give the lane, 0 ≤ lane < `lanes`, of everything that shares `family_key`.

    Stable over processes, machines and releases: two files of one source must agree on it, and so
    must two sources. A changed number of lanes moves families to other lanes, so change it only
    while the queue is empty.
    """
    digest = _EMPTY.copy()
    digest.update(family_key.encode())
    return int.from_bytes(digest.digest()) % lanes


def message_group(lane: int) -> str:
    """Name the SQS message group of a lane; what is in one group is delivered in order."""
    return f"lane-{lane}"
