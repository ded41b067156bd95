"""What follows when the ledger has products the PIM took: their files, and those that waited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pim_connector.delivery.line import Accepted, Line, outcome
from pim_connector.delivery.notes import state_of
from pim_connector.delivery.pim import asking_the_pim
from pim_connector.delivery.shaping import accepted_entry, media_key, media_slots
from pim_connector.errors import RejectedError
from pim_connector.runs.parking import REST_OF_RUN
from pim_connector.states import Problem, RecordOutcome

if TYPE_CHECKING:
    from pim_connector.delivery.task import Task
    from pim_connector.mapping.result import Media


def take_accepted(task: Task, answers: Sequence[Accepted]) -> list[RecordOutcome]:
    """Let follow what needs products in the PIM that are in the ledger as taken."""
    ends = [_with_media(task, answer) for answer in answers]
    release_children(task, filter(is_new, ends))
    return _with_links_to_follow(task, answers, ends)


def _with_links_to_follow(
    task: Task, answers: Sequence[Accepted], ends: Sequence[RecordOutcome]
) -> list[RecordOutcome]:
    """Park what was taken without its links until the rest of the run is through.

    The message that carries it then finds in the ledger what is left to send, and the state.
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
    line, state = answer.line, state_of(task, answer)
    if media_slots(line):
        line = _uploaded(task, line)
        task.parts.ledger.accept([accepted_entry(task.message, line, state)])
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
    """Give the identifier that media files are linked by, also where products go by UUID."""
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


def is_new(booked: RecordOutcome) -> bool:
    """Say whether the PIM may have got the product just now, also if it calls that an update."""
    return booked.state in ("created", "updated")
