"""What the mapper books: every message once, with the state of each of its records."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from pim_connector.aws.table import ItemChange, Table
from pim_connector.mapping.identity import folded
from pim_connector.outcomes import Problem, RecordOutcome
from pim_connector.sync.messages import is_released
from pim_connector.sync.runs import Run, from_item, header_key

MAX_PROBLEMS: Final = 20
MAX_REASON_CHARACTERS: Final = 1_000
MAX_VALUE_CHARACTERS: Final = 200
MAX_OUTCOME_BYTES: Final = 300_000
"""Kept well under the 400 KB of a DynamoDB item."""


class _StoredMessage(Struct, frozen=True, kw_only=True):
    """What became of one message's records, and the second of the epoch it was recorded at."""

    at: int
    outcomes: tuple[RecordOutcome, ...]


class Deliveries:
    """The message records of all runs."""

    def __init__(self, table: Table, *, now: Callable[[], float] = time.time) -> None:
        self._table = table
        self._now = now

    def message_recorded(self, run: str, message_id: str) -> bool:
        """Say whether this message was recorded before: then it is done and is not sent again."""
        return self._table.get(_message_key(run, message_id)) is not None

    def stored(self, run: str, message_id: str) -> tuple[RecordOutcome, ...] | None:
        """Return what is recorded of one message, None where it is not recorded.

        A released message asks for the one that parked its records: what that one recorded with an
        end state in a second attempt is no longer the released one's to count.
        """
        item = self._table.get(_message_key(run, message_id))
        return None if item is None else _OUTCOMES.decode(zlib.decompress(item["outcomes"]))

    def start_attempt(self, run: str, message_id: str, *, expires_at: int) -> int:
        """Count an attempt before it begins, and give its number, 1 for the first.

        A message that crashes its worker never comes to `end_attempt`, so its number grows and the
        caller can put it aside. `expires_at` (seconds of the epoch) is when the count is forgotten.
        """
        item = self._table.update(
            _attempt_key(run, message_id),
            ItemChange(add={"attempts": 1}, put={"expires_at": expires_at}),
        )
        return int(item["attempts"]) if item else 1

    def end_attempt(self, run: str, message_id: str) -> None:
        """Forget the attempts so far: the worker is well, only the PIM could not answer.

        So crashes count that follow one another, not those of a night of waiting.
        """
        self._table.update(_attempt_key(run, message_id), ItemChange(put={"attempts": 0}))

    def forget_attempts(self, run: str, message_id: str) -> None:
        """Begin at 1 again: the message is put aside, and comes back when the cause is fixed."""
        self._table.delete(_attempt_key(run, message_id))

    def record_message(self, run: str, message_id: str, outcomes: Sequence[RecordOutcome]) -> bool:
        """Book the message and add its counts to the run in one transaction, if it is not recorded.

        One outcome per record, `parked` among them. False says that it had been recorded before and
        that nothing changed. Problems are cut to what an item of the table can hold.
        """
        counts = Counter(str(outcome.state) for outcome in outcomes)
        if is_released(message_id):
            counts["parked"] -= len(outcomes)
        else:
            counts["recorded"] += 1
        changed = {name: number for name, number in counts.items() if number}
        item: dict[str, Any] = {
            **_message_key(run, message_id),
            "outcomes": _compact(outcomes),
            "stored_at": int(self._now()),
        }
        actions = [self._table.putting(item, if_absent=True)]
        if changed:
            actions.append(_adding(self._table, run, changed))
        return not self._table.transact(*actions)

    def outcomes(self, run: str) -> Iterator[RecordOutcome]:
        """Return what is recorded of a run, message by message; a parked record may come twice.

        The later of the two, from the message that carried it after its parent came, has its end
        state.
        """
        for stored in self.messages(run):
            yield from stored.outcomes

    def messages(self, run: str) -> Iterator[_StoredMessage]:
        """Return the recorded messages of a run in the order of their ids."""
        for item in self._table.query(f"run#{run}", prefix="message#"):
            outcomes = _OUTCOMES.decode(zlib.decompress(item["outcomes"]))
            yield _StoredMessage(at=int(item["stored_at"]), outcomes=outcomes)

    def header(self, run: str) -> Run | None:
        """Return the run as it is now: whether this was its last message, what still waits."""
        item = self._table.get(header_key(run))
        return None if item is None else from_item(item)


_OUTCOMES = msgspec.json.Decoder(tuple[RecordOutcome, ...])


def _message_key(run: str, message_id: str) -> dict[str, str]:
    return {"pk": f"run#{run}", "sk": f"message#{message_id}"}


def _attempt_key(run: str, message_id: str) -> dict[str, str]:
    return {"pk": f"run#{run}", "sk": f"attempt#{message_id}"}


def _adding(table: Table, run: str, numbers: dict[str, int]) -> dict[str, Any]:
    return table.updating(
        header_key(run), ItemChange(add=numbers, condition="attribute_exists(pk)")
    )


def _compact(outcomes: Sequence[RecordOutcome]) -> bytes:
    for problems in (MAX_PROBLEMS, 1):
        kept = [_shortened(outcome, problems) for outcome in outcomes]
        packed = zlib.compress(msgspec.json.encode(kept))
        if len(packed) <= MAX_OUTCOME_BYTES:
            break
    return packed


def _shortened(outcome: RecordOutcome, problems: int) -> RecordOutcome:
    kept = tuple(_short_problem(problem) for problem in outcome.problems[:problems])
    left = len(outcome.problems) - len(kept)
    if left:
        kept += (Problem(reason=f"and {left} more problems of this record"),)
    return msgspec.structs.replace(outcome, problems=kept)


def _short_problem(problem: Problem) -> Problem:
    return msgspec.structs.replace(
        problem,
        reason=_cut(problem.reason, MAX_REASON_CHARACTERS),
        value=None if problem.value is None else _cut(problem.value, MAX_VALUE_CHARACTERS),
        advice=None if problem.advice is None else _cut(problem.advice, MAX_REASON_CHARACTERS),
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


# Records that wait for their parent, or whose links wait for the rest of their run.
#
# What one message parked for one reason is a group: its message, ready to be sent, lies in S3,
# and this table says where. The group is released as that one message, whose id follows from the
# group, so that releasing it twice sends and counts it once.


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
    group: int
    heavy: str
    since: int
    records: int
    models: tuple[str, ...] = ()


class Parking:
    """The parked groups of all runs: by parent for the mapper, by run for the housekeeping."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def park(self, group: ParkedGroup) -> None:
        """Note the group; noting it again changes nothing. Its body must be in S3 before."""
        self._table.transact(*[self._table.putting(k | asdict(group)) for k in _keys(group)])

    def waiting_for(self, parent: str) -> list[ParkedGroup]:
        """Return the groups that can go once the PIM has the product model `parent`."""
        return [_group(item) for item in self._table.query(f"parked#{folded(parent)}")]

    def of_run(self, run: str) -> Iterator[ParkedGroup]:
        """Return the groups of one run, to find those that have waited too long."""
        return map(_group, self._table.query(f"run#{run}", prefix="parked#"))

    def unpark(self, group: ParkedGroup) -> None:
        """Forget the group, after its message was sent."""
        self._table.transact(*[self._table.deleting(key) for key in _keys(group)])


def overdue(groups: Sequence[ParkedGroup], until: float) -> list[ParkedGroup]:
    """Return the groups of a run that have waited for their parent since `until` or longer. Pure.

    A parent may wait itself: then its own last try comes first, and before that nothing under it
    is given up.
    """
    waiting = [group for group in groups if group.parent != REST_OF_RUN]
    patient = _models(group for group in waiting if group.since > until)
    due = [
        group for group in waiting if group.since <= until and folded(group.parent) not in patient
    ]
    going = _models(due)
    return sorted(due, key=lambda group: folded(group.parent) in going)


def links_due(run: Run, groups: Sequence[ParkedGroup]) -> list[ParkedGroup]:
    """Return the groups of a run that waited for the rest of it, once they alone are left. Pure.

    A group that a killed attempt left behind may count records twice, so the sum may be greater.
    """
    links = [group for group in groups if group.parent == REST_OF_RUN]
    through = run.phase == "delivering" and run.recorded + run.dead >= run.sent
    alone = run.counts["parked"] <= sum(group.records for group in links)
    return links if through and alone and len(links) == len(groups) else []


def _models(groups: Iterable[ParkedGroup]) -> frozenset[str]:
    return frozenset(folded(code) for group in groups for code in group.models)


def _keys(group: ParkedGroup) -> tuple[dict[str, str], dict[str, str]]:
    return (
        {"pk": f"parked#{folded(group.parent)}", "sk": f"{group.run}#{group.message}"},
        {"pk": f"run#{group.run}", "sk": f"parked#{group.message}"},
    )


def _group(item: dict[str, Any]) -> ParkedGroup:
    return ParkedGroup(
        parent=item["parent"],
        run=item["run"],
        message=item["message"],
        group=int(item["group"]),
        heavy=item["heavy"],
        since=int(item["since"]),
        records=int(item["records"]),
        models=tuple(item.get("models", ())),
    )
