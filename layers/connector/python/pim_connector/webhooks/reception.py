"""What happens to a call, in order: size, verification, reading, replay, queue, answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from pim_connector.dam.asset_messages import Change
from pim_connector.dam.event_kinds import Events, SnsVerification
from pim_connector.errors import RejectedError
from pim_connector.source_files import StoredSource
from pim_connector.webhooks import sns
from pim_connector.webhooks.envelopes import events_in
from pim_connector.webhooks.extraction import EventReader, Heard, hear
from pim_connector.webhooks.request import (
    STATUS,
    Handshake,
    Reason,
    Refused,
    Request,
    Verified,
)
from pim_connector.webhooks.seen import REMEMBER_SECONDS
from pim_connector.webhooks.verification import Trust, verify

Send = Callable[[str, Sequence[Change]], None]
"""Puts changes of one source into the asset queue; TransientError where it takes none."""


class Seen(Protocol):
    """What reception asks of `SeenDeliveries`."""

    def claim(self, source: str, delivery: str, *, now: float) -> bool: ...
    def settle(self, source: str, delivery: str, *, until: float) -> None: ...
    def release(self, source: str, delivery: str) -> None: ...


class Answer(Struct, frozen=True, kw_only=True):
    """What the DAM is told (`status`, `text`) and what the operator is told (the rest).

    `outcome` is one of `Reason`, or `accepted`, `greeted`, `unknown_source`.
    """

    status: int
    outcome: str
    text: str = ""
    detail: str = ""
    changes: int = 0
    kind: str | None = None


def receive(
    request: Request,
    stored: StoredSource | None,
    trust: Trust,
    seen: Seen,
    send: Send,
    *,
    now: float,
) -> Answer:
    """Deal with one call to the webhook of a source.

    Raises TransientError (tell the DAM to come again) and ConfigurationError (tell the operator).
    """
    events = stored.source.events if stored else None
    if stored is None or events is None:
        return Answer(status=404, outcome="unknown_source", detail=request.path[:200])
    if len(request.body) > events.max_bytes:
        return _refused("oversized", f"{len(request.body)} bytes; {events.max_bytes} are taken")
    verdict = verify(events.verify, request, trust, now)
    if isinstance(verdict, Refused):
        return _refused(verdict.reason, verdict.detail)
    if isinstance(verdict, Handshake):
        return Answer(status=200, outcome="greeted", text=verdict.text, detail=verdict.detail)
    try:
        heard = _hear(events, request, stored.key, now)
    except RejectedError as error:
        return _refused("malformed", str(error))
    return _queue(stored.source.source, heard, verdict, seen, send, now)


def take_in(body: str, stored: StoredSource, trust: Trust, send: Send, *, now: float) -> Answer:
    """Deal with one message of the intake queue, which only the DAM may write to.

    Raises RejectedError for a message that cannot be read, and what `receive` raises.
    """
    events = stored.source.events
    if events is None:
        raise RejectedError(f"{stored.key} has no `events`, so this message cannot be read")
    confirmed = _confirm(events, body, trust, now)
    if confirmed:
        return confirmed
    request = Request(method="POST", path="", body=body.encode("utf-8", "surrogatepass"))
    heard = _hear(events, request, stored.key, now)
    changes = _changes(heard)
    if changes:
        send(stored.source.source, changes)
    return _accepted(heard, changes)


def _confirm(events: Events, body: str, trust: Trust, now: float) -> Answer | None:
    """Confirm a subscription whose request arrived in the queue itself (Bynder's topic)."""
    message = sns.read_message(body)
    if message is None or message["Type"] == "Notification":
        return None
    if not isinstance(events.verify, SnsVerification):
        raise RejectedError("SNS asks for a confirmation, but `events.verify` is of another kind")
    request = Request(method="POST", path="", body=body.encode())
    verdict = sns.verify_sns(events.verify, request, trust.keys, trust.visit, now)
    if isinstance(verdict, Refused):
        raise RejectedError(f"SNS's {message['Type']} is not confirmed: {verdict.detail}")
    detail = verdict.detail if isinstance(verdict, Handshake) else ""
    return Answer(status=200, outcome="greeted", detail=detail)


def _hear(events: Events, request: Request, key: str, now: float) -> list[Heard]:
    reader = EventReader.compile(events, name=key)
    around = {
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "headers": dict(request.headers),
    }
    if events.reads == "request" and not request.body:
        return [hear(reader, around | {"body": None}, now)]
    found = events_in(request.body, request.header("content-type"))
    if events.reads == "request":
        found = [around | {"body": event} for event in found]
    return [hear(reader, event, now) for event in found]


def _queue(
    source: str, heard: list[Heard], verdict: Verified, seen: Seen, send: Send, now: float
) -> Answer:
    changes = _changes(heard)
    delivery = verdict.delivery or _announced(heard)
    until = verdict.until or now + REMEMBER_SECONDS
    if delivery and not seen.claim(source, delivery, now=now):
        return _refused("replayed", "the same delivery came before")
    try:
        if changes:
            send(source, changes)
    except BaseException:
        if delivery:
            seen.release(source, delivery)
        raise
    if delivery:
        seen.settle(source, delivery, until=until)
    return _accepted(heard, changes)


def _changes(heard: Sequence[Heard]) -> list[Change]:
    """Coalesce: of several changes of one asset in one call the last counts."""
    return list({change.id: change for one in heard for change in one.changes}.values())


def _announced(heard: Sequence[Heard]) -> str | None:
    ids = [one.event_id for one in heard]
    return "event|" + "|".join(filter(None, ids)) if ids and all(ids) else None


def _accepted(heard: Sequence[Heard], changes: Sequence[Change]) -> Answer:
    kinds = ", ".join(dict.fromkeys(one.kind for one in heard if one.kind))
    detail = "" if changes else "about no asset"
    return Answer(
        status=200, outcome="accepted", changes=len(changes), kind=kinds or None, detail=detail
    )


def _refused(reason: Reason, detail: str) -> Answer:
    return Answer(status=STATUS[reason], outcome=reason, text=reason, detail=detail)
