"""Picks the verifier that a source file names, and the secrets that it counts with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from pim_connector.aws.errors import ConditionFailedError, translated
from pim_connector.dam.event_types import (
    AdobeVerification,
    BasicVerification,
    ConcatHashVerification,
    ContentfulVerification,
    Events,
    HmacVerification,
    NoVerification,
    SharedHeaderVerification,
    SharedQueryVerification,
    SnsVerification,
    Verification,
)
from pim_connector.dam.loading import SourceFiles, StoredSource
from pim_connector.errors import ConfigurationError, RejectedError, TransientError
from pim_connector.sync.messages import Change
from pim_connector.webhooks import certificates as sns
from pim_connector.webhooks.certificates import (
    Fetch,
    PublicKeys,
    challenge,
    verify_adobe,
    verify_sns,
)
from pim_connector.webhooks.requests import (
    STATUS,
    EventReader,
    Handshake,
    Heard,
    Reason,
    Refused,
    Request,
    Verified,
    events_in,
    hear,
    read_request,
    source_name,
)
from pim_connector.webhooks.signatures import (
    verify_basic,
    verify_concat_hash,
    verify_contentful,
    verify_hmac,
    verify_shared_header,
    verify_shared_query,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_SECRET = re.compile(r"\{\{\s*secret\.([A-Za-z0-9_.-]+)\s*\}\}")


class Trust(Struct, frozen=True, kw_only=True):
    """What a verifier may rely on: the DAM's secret as JSON, public keys, and a way to visit."""

    secret: Mapping[str, Any]
    keys: PublicKeys
    visit: Fetch


def verify(
    scheme: Verification, request: Request, trust: Trust, now: float
) -> Verified | Refused | Handshake:
    """Verify one call by the scheme of its source. Nothing of the body is believed before this.

    Raises ConfigurationError where the secret lacks the entry that the source file names, or the
    source says that nothing is to be verified; TransientError where a key host does not answer.
    """
    if isinstance(scheme, AdobeVerification):
        greeting = challenge(request)
        if greeting:
            return greeting
    if request.method != "POST":
        return Refused(reason="malformed", detail=f"{request.method} instead of POST")
    try:
        return _verify(scheme, request, trust, now)
    except RejectedError as error:
        return Refused(reason="forged", detail=str(error))


def _verify(
    scheme: Verification, request: Request, trust: Trust, now: float
) -> Verified | Refused | Handshake:
    match scheme:
        case HmacVerification():
            return verify_hmac(scheme, request, secrets(scheme.secret, trust.secret), now)
        case ConcatHashVerification():
            return verify_concat_hash(scheme, request, secrets(scheme.secret, trust.secret), now)
        case ContentfulVerification():
            return verify_contentful(scheme, request, secrets(scheme.secret, trust.secret), now)
        case SharedHeaderVerification():
            return verify_shared_header(scheme, request, secrets(scheme.secret, trust.secret), now)
        case SharedQueryVerification():
            return verify_shared_query(scheme, request, secrets(scheme.secret, trust.secret), now)
        case BasicVerification():
            return verify_basic(scheme, request, secrets(scheme.password, trust.secret), now)
        case SnsVerification():
            return verify_sns(scheme, request, trust.keys, trust.visit, now)
        case AdobeVerification():
            return verify_adobe(scheme, request, trust.keys, now)
        case NoVerification():
            raise ConfigurationError(
                "the source verifies nothing (`verify: {kind: none}`): that is for a queue that"
                " only the DAM may write to, not for the webhook; choose another kind"
            )


def secrets(written: str, secret: Mapping[str, Any]) -> tuple[str, ...]:
    """Look up `{{secret.NAME}}`; a list in the secret means that any of it counts (rotation).

    Raises ConfigurationError that names the entry, never its value.
    """
    named = _SECRET.fullmatch(written.strip())
    if not named:
        raise ConfigurationError(
            "a webhook's secret must be written as {{secret.NAME}}, the name of an entry of the"
            " source's secret in AWS Secrets Manager"
        )
    found = secret.get(named[1])
    values = tuple(found) if isinstance(found, list) else (found,)
    if not all(isinstance(value, str) and value for value in values) or not values:
        raise ConfigurationError(
            f"the source's secret has no text under {named[1]!r}; add it in AWS Secrets Manager"
        )
    return values


# Remembers deliveries, so that a call that was recorded cannot be played back.
#
# A delivery is claimed before it is queued and settled after. A claim that was never settled (the
# function died) runs out within a minute, so the DAM's own repetition is then taken.


CLAIM_SECONDS = 60
REMEMBER_SECONDS = 7 * 24 * 3600
"""For deliveries whose scheme signs no time; no DAM repeats one after a week."""


class SeenDeliveries:
    """Markers in the state table, taken away by its time to live (`expires_at`)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, source: str, delivery: str, *, now: float) -> bool:
        """Take a delivery; False where it was taken before. TransientError without an answer."""
        try:
            with translated("the delivery could not be claimed"):
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        **_key(source, delivery),
                        "expires_at": {"N": str(int(now) + CLAIM_SECONDS)},
                    },
                    ConditionExpression="attribute_not_exists(pk) OR expires_at < :now",
                    ExpressionAttributeValues={":now": {"N": str(int(now))}},
                )
        except ConditionFailedError:
            return False
        return True

    def settle(self, source: str, delivery: str, *, until: float) -> None:
        """Note that a claimed delivery is in the queue; it is refused until `until`."""
        item = {**_key(source, delivery), "expires_at": {"N": str(int(until))}}
        with translated("the delivery could not be stored"):
            self._client.put_item(TableName=self._table, Item=item)

    def release(self, source: str, delivery: str) -> None:
        """Return a claim back, because the delivery did not get into the queue."""
        with translated("the claim of a delivery could not be released"):
            self._client.delete_item(TableName=self._table, Key=_key(source, delivery))


def _key(source: str, delivery: str) -> dict[str, AttributeValueTypeDef]:
    digest = blake2b(delivery.encode("utf-8", "replace"), digest_size=20).hexdigest()
    return {"pk": {"S": f"delivery#{source}#{digest}"}}


# What happens to a call, in order: size, verification, reading, replay, queue, answer.


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


# Everything the webhook works with, put together, and the two doors: function URL and intake.


RETRY_SECONDS = 30
_NAME = re.compile(r"[a-z0-9-]{1,63}")


class Endpoint(Struct, frozen=True, kw_only=True):
    """The webhook of all sources. `intake_source` is the one whose events the intake queue has."""

    sources: SourceFiles
    seen: Seen
    send: Send
    keys: PublicKeys
    visit: Fetch
    now: Callable[[], float]
    intake_source: str = ""

    def called(self, event: dict[str, Any]) -> Answer:
        """Answer one call. Never raises: what is wrong on our side is said in the answer."""
        try:
            request = read_request(event)
            name = source_name(request.path)
            stored = self.sources.get(name) if _NAME.fullmatch(name) else None
            trust = self._trust(stored)
            return receive(request, stored, trust, self.seen, self.send, now=self.now())
        except RejectedError as error:
            return Answer(status=400, outcome="malformed", text="malformed", detail=str(error))
        except TransientError as error:
            return Answer(status=503, outcome="unavailable", text="later", detail=str(error))
        except ConfigurationError as error:
            return Answer(status=500, outcome="misconfigured", detail=str(error))

    def delivered(self, body: str) -> Answer:
        """Take in one message of the intake queue.

        Raises RejectedError (to the dead-letter queue), TransientError and ConfigurationError.
        """
        stored = self.sources.get(self.intake_source) if self.intake_source else None
        if stored is None:
            raise ConfigurationError(
                f"the intake queue has a message, but INTAKE_SOURCE is {self.intake_source!r} and"
                " no such file lies in config/dam; set it to the source whose queue this is"
            )
        return take_in(body, stored, self._trust(stored), self.send, now=self.now())

    def _trust(self, stored: StoredSource | None) -> Trust:
        secret = stored.secret if stored else {}
        return Trust(secret=secret, keys=self.keys, visit=self.visit)
