"""Notes in the sync state what the PIM has taken, while it still answers for the rest of its call.

The PIM answers line by line, for five seconds in a full message, and stands idle from the last
answer until the next message's call. So what can be done before the last answer is; and a worker
that dies meanwhile has less to send again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pim_connector.akeneo.pim import asking_the_pim
from pim_connector.aws.threads import Writes
from pim_connector.errors import RejectedError
from pim_connector.outcomes import Problem, RecordOutcome
from pim_connector.products.lines import Accepted, Line, outcome, stored_state
from pim_connector.products.shaping import accepted_entry, media_key, media_slots
from pim_connector.sync.message_results import REST_OF_RUN
from pim_connector.sync.state import ITEMS_PER_WRITE

if TYPE_CHECKING:
    from pim_connector.mapping.results import Media
    from pim_connector.outcomes import State
    from pim_connector.products.delivery_context import Task
    from pim_connector.products.lines import Accepted
    from pim_connector.sync.state import StateEntry


class Notes(Writes):
    """The sync state's entries of one call: all are written when the context ends."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.parts.begin)
        self._task = task
        self._gathered: list[StateEntry] = []
        self._noted: set[int] = set()

    def take(self, answer: Accepted) -> None:
        """Note an answer, as soon as there are enough for one request; fails at the end only.

        What follows of the product, its links or files, is missing in its entry.
        """
        self._add(answer)
        if len(self._gathered) == ITEMS_PER_WRITE:
            self.begin(partial(self._task.parts.sync_state.accept, self._gathered))
            self._gathered = []

    def complete(self, answers: Sequence[Accepted]) -> None:
        """Note those of all answers that have not been yet."""
        for answer in answers:
            if answer.line.record.number not in self._noted:
                self._add(answer)
        self._task.parts.sync_state.accept(self._gathered)
        self._gathered = []

    def _add(self, answer: Accepted) -> None:
        line, message = answer.line, self._task.message
        state = _state_of(self._task, answer)
        self._noted.add(line.record.number)
        self._gathered.append(accepted_entry(message, line, state, pending=media_slots(line)))


def _state_of(task: Task, answer: Accepted) -> State:
    """Return the state in which an earlier delivery of the record ended, else this one's."""
    before = stored_state(answer.line.entry, task.message, answer.line.record)
    return before or ("created" if answer.created else "updated")


# What follows when the sync state has products the PIM took: their files, and those that waited.


def take_accepted(task: Task, answers: Sequence[Accepted]) -> list[RecordOutcome]:
    """Let follow what needs products in the PIM that are in the sync state as taken."""
    ends = [_with_media(task, answer) for answer in answers]
    release_children(task, filter(is_new, ends))
    return _with_links_to_follow(task, answers, ends)


def _with_links_to_follow(
    task: Task, answers: Sequence[Accepted], ends: Sequence[RecordOutcome]
) -> list[RecordOutcome]:
    """Park what was taken without its links until the rest of the run is through.

    The message that carries it then finds in the sync state what is left to send, and the state.
    """
    waiting = {a.line.record.number: a.line.record for a in answers if a.line.unlinked}
    if task.message.last or not waiting:
        return list(ends)
    group = task.parts.parents.park(task.message, list(waiting.values()), REST_OF_RUN)
    reason = Problem(reason="is in the PIM; its links wait for the rest of the run")
    return [
        msgspec.structs.replace(
            end, state="parked", problems=(*end.problems, reason), later=group.message, changed=()
        )
        if end.number in waiting
        else end
        for end in ends
    ]


def _with_media(task: Task, answer: Accepted) -> RecordOutcome:
    line, state = answer.line, _state_of(task, answer)
    if media_slots(line):
        line = _uploaded(task, line)
        task.parts.sync_state.accept([accepted_entry(task.message, line, state)])
    problems = line.problems + line.unlinked
    end = outcome(line.record, task.message.resource, state, problems)
    return msgspec.structs.replace(end, changed=_changed(line)) if state == "updated" else end


def _changed(line: Line) -> tuple[str, ...]:
    names = (
        slot.key[1] if slot.key[0] in ("values", "media") else slot.key[0] for slot in line.slots
    )
    return tuple(dict.fromkeys(names))


def _uploaded(task: Task, line: Line) -> Line:
    """Upload the files of a product that is in the PIM; what it refuses is left out."""
    due = media_slots(line)
    for media in line.mapped.media:
        if media_key(media) not in due:
            continue
        try:
            _upload(task, line, media)
        except RejectedError as error:
            problem = Problem(reason=str(error), attribute=media.attribute)
            line = replace(
                line,
                left_out=line.left_out | {media_key(media)},
                problems=(*line.problems, problem),
            )
    return line


def _upload(task: Task, line: Line, media: Media) -> None:
    place = {"attribute": media.attribute, "locale": media.locale, "scope": media.scope}
    with task.parts.media.read(task.message.source, media.location) as file, asking_the_pim():
        if line.mapped.resource == "product_model":
            target = {"code": line.mapped.identifier, **place}
            task.pim.upload_product_media(file.filename, file.open, product_model=target)
        else:
            target = {"identifier": _identifier(line), **place}
            task.pim.upload_product_media(file.filename, file.open, product=target)


def _identifier(line: Line) -> str:
    """Return the identifier that media files are linked by, also where products go by UUID."""
    if line.mapped.uuid is None:
        return line.mapped.identifier
    key = ("values", line.mapped.identifier_attribute, "", "")
    found = next((slot.data for slot in line.mapped.slots if slot.key == key), None)
    if not isinstance(found, str):
        raise RejectedError("files can only be linked to products that have an identifier")
    return found


def release_children(task: Task, models: Iterable[RecordOutcome]) -> None:
    """Send on the records that waited for these product models; products have no children."""
    if task.message.resource == "product_model":
        for model in models:
            if model.identifier:
                task.parts.parents.release(model.identifier)


def is_new(stored: RecordOutcome) -> bool:
    """Say whether the PIM may have got the product just now, also if it calls that an update."""
    return stored.state in ("created", "updated")
