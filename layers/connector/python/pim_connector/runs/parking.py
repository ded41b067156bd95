"""Records that wait for their parent.

What one message parked under one parent is a group: its message, ready to be sent, lies in S3,
and this table says where. The group is released as that one message, whose id follows from the
group, so that releasing it twice sends and counts it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pim_connector.runs.table import RunTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedGroup:
    """Records of one run that wait for the product model `parent`.

    `message` is the id of the message that will carry them (`messages.released_id`), `heavy` the
    S3 key of its body, `since` the second of the epoch at which they were parked.
    """

    parent: str
    run: str
    message: str
    lane: int
    heavy: str
    since: int
    records: int


class Parking:
    """The parked groups of all runs: by parent for the mapper, by run for the caretaker."""

    def __init__(self, table: RunTable) -> None:
        self._table = table

    def park(self, group: ParkedGroup) -> None:
        """Note the group; noting it again changes nothing. Its body must be in S3 before."""
        self._table.transact(*[self._table.putting(k | asdict(group)) for k in _keys(group)])

    def waiting_for(self, parent: str) -> list[ParkedGroup]:
        """Give the groups that can go once the PIM has the product model `parent`."""
        return [_group(item) for item in self._table.query(f"parked#{parent}")]

    def of_run(self, run: str) -> Iterator[ParkedGroup]:
        """Give the groups of one run, to find those that have waited too long."""
        return map(_group, self._table.query(f"run#{run}", prefix="parked#"))

    def unpark(self, group: ParkedGroup) -> None:
        """Forget the group, after its message was sent."""
        self._table.transact(*[self._table.deleting(key) for key in _keys(group)])


def _keys(group: ParkedGroup) -> tuple[dict[str, str], dict[str, str]]:
    return (
        {"pk": f"parked#{group.parent}", "sk": f"{group.run}#{group.message}"},
        {"pk": f"run#{group.run}", "sk": f"parked#{group.message}"},
    )


def _group(item: dict[str, Any]) -> ParkedGroup:
    return ParkedGroup(
        parent=item["parent"],
        run=item["run"],
        message=item["message"],
        lane=int(item["lane"]),
        heavy=item["heavy"],
        since=int(item["since"]),
        records=int(item["records"]),
    )
