"""Records that wait for their parent, or whose links wait for the rest of their run.

What one message parked for one reason is a group: its message, ready to be sent, lies in S3,
and this table says where. The group is released as that one message, whose id follows from the
group, so that releasing it twice sends and counts it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from pim_connector.runs.run import Run
from pim_connector.runs.table import RunTable

REST_OF_RUN: Final = ""
"""`ParkedGroup.parent` of records that the PIM took without their links."""


class ParkedGroup(Struct, frozen=True, kw_only=True):
    """Records of one run that wait for the product model `parent`, or for `REST_OF_RUN`.

    `message` is the id of the message that will carry them (`messages.released_id`), `heavy` the
    S3 key of its body, `since` the second of the epoch at which they were parked, `models` the
    codes of the product models among them, for which others may wait in their turn.
    """

    parent: str
    run: str
    message: str
    lane: int
    heavy: str
    since: int
    records: int
    models: tuple[str, ...] = ()


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


def overdue(groups: Sequence[ParkedGroup], until: float) -> list[ParkedGroup]:
    """Give the groups of a run that have waited for their parent since `until` or longer. Pure.

    A parent may wait itself: then its own last try comes first, and before that nothing under it
    is given up.
    """
    waiting = [group for group in groups if group.parent != REST_OF_RUN]
    patient = _models(group for group in waiting if group.since > until)
    due = [group for group in waiting if group.since <= until and group.parent not in patient]
    going = _models(due)
    return sorted(due, key=lambda group: group.parent in going)


def links_due(run: Run, groups: Sequence[ParkedGroup]) -> list[ParkedGroup]:
    """Give the groups of a run that waited for the rest of it, once they alone are left. Pure.

    A group that a killed attempt left behind may count records twice, so the sum may be greater.
    """
    links = [group for group in groups if group.parent == REST_OF_RUN]
    through = run.phase == "delivering" and run.recorded + run.dead >= run.sent
    alone = run.counts["parked"] <= sum(group.records for group in links)
    return links if through and alone and len(links) == len(groups) else []


def _models(groups: Iterable[ParkedGroup]) -> frozenset[str]:
    return frozenset(code for group in groups for code in group.models)


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
        models=tuple(item.get("models", ())),
    )
