"""Which lane a record travels in.

A lane is a message group of the product queue: one worker at a time, in order. All records of one
product family (root model, sub-models, variants) share a lane, because Akeneo loses values when
two calls write one product at once, and because a model must go before its variants.
"""

from __future__ import annotations

from typing import Final

from pim_connector.digests import hasher

_HASH: Final = hasher(8)


def lane_of(family_key: str, lanes: int) -> int:
    """Give the lane, 0 ≤ lane < `lanes`, of everything that shares `family_key`.

    Stable over processes, machines and releases: two files of one source must agree on it, and so
    must two sources. A changed number of lanes moves families to other lanes, so change it only
    while the queue is empty.
    """
    return int.from_bytes(_HASH(family_key.encode())) % lanes


def message_group(lane: int) -> str:
    """Name the SQS message group of a lane; what is in one group is delivered in order."""
    return f"lane-{lane}"
