"""What an event asks the splitter to do: which files to take, or to look for them, or to go on.

EventBridge gives keys as they are, S3's own notification gives them URL-encoded
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct

from pim_connector.bucket import StoredObject
from pim_connector.errors import ConfigurationError
from pim_connector.messages import Force
from pim_connector.runs.announcements import SPLIT_CONTINUES
from pim_connector.runs.run import Phase, Run
from pim_connector.states import STATES

INBOX: Final = "incoming/"
FORCE: Final = "pim-connector-force"
"""Metadata of an upload: a `Force` as JSON, for a full send."""
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_MAPPING = re.compile(rf"config/erp/({_SOURCE.pattern})\.ya?ml")


class Upload(Struct, frozen=True, kw_only=True):
    """A file of a source; without a version it is the one that lies there now."""

    source: str
    key: str
    version: str | None = None


class Sweep(Struct, frozen=True, kw_only=True):
    """Look for files that have not been processed, of one source or of all."""

    source: str | None = None


class Resume(Struct, frozen=True, kw_only=True):
    """Go on with a split that ran out of time."""

    run: str


class Ignored(Struct, frozen=True, kw_only=True):
    """Nothing is to be done, and why not."""

    key: str
    reason: str


Request: TypeAlias = Upload | Sweep | Resume | Ignored


def read_event(event: dict[str, Any]) -> list[Request]:
    """Read an event of any of the shapes the splitter is called with.

    EventBridge "Object Created" and "SplitContinues", an S3 notification with its records, S3's
    test event, {"sweep": true} or {"sweep": "<source>"}, {"resume": "<run>"}.
    Raises ConfigurationError for any other: somebody connected the function to something else.
    """
    detail = event.get("detail", {})
    match event:
        case {"resume": str(run)}:
            return [Resume(run=run)]
        case {"sweep": str(source)}:
            return [Sweep(source=source)]
        case {"sweep": True}:
            return [Sweep()]
        case {"Event": "s3:TestEvent"}:
            return [Ignored(key="", reason="S3's test event: the notification works")]
        case {"detail-type": "Object Created"}:
            found = detail["object"]
            return [request_for(found["key"], found.get("version-id"))]
        case {"detail-type": kind} if kind == SPLIT_CONTINUES:
            return [Resume(run=detail["run"])]
        case {"Records": [*records]}:
            return [_notified(record) for record in records]
    raise ConfigurationError(
        f"the splitter was called with an event it does not know (keys: {', '.join(event)[:200]}); "
        "connect it to S3's Object Created events, the sweep's schedule and SplitContinues only"
    )


def request_for(key: str, version: str | None = None) -> Request:
    """Decide what a key of the bucket asks for."""
    if key.endswith("/"):
        return Ignored(key=key, reason="a directory marker, not a file: nothing to do")
    mapping = _MAPPING.fullmatch(key)
    if mapping:
        return Sweep(source=mapping[1])
    if not key.startswith(INBOX):
        return Ignored(key=key, reason=f"not in the inbox: put files into {INBOX}<source>/")
    source, slash, _ = key.removeprefix(INBOX).partition("/")
    if not slash:
        return Ignored(key=key, reason=f"in no source's folder: move it to {INBOX}<source>/")
    if not _SOURCE.fullmatch(source):
        reason = "a source's name has 1 to 40 letters, digits, - and _: rename its folder"
        return Ignored(key=key, reason=reason)
    return Upload(source=source, key=key, version=version)


def new_run(bucket: str, source: str, file: StoredObject, *, phase: Phase, now: str) -> Run:
    """Make the run of a file version: the same one whenever and however often it is asked for.

    Its order is the time S3 took the file in, to the second; within one second the key's text
    decides, then the version. S3's clock counts, not the sender's and not ours; a mapping may name
    the export's own time instead (`source.order`), which is read when the split begins.
    """
    moment = file.modified
    order = f"{moment:%Y-%m-%dT%H:%M:%SZ}|{file.key}|{file.version}"
    name = "\0".join((bucket, file.key, file.version))
    digest = blake2b(name.encode(), digest_size=5).hexdigest()
    return Run(
        id=f"{moment:%Y%m%dT%H%M%SZ}-{source}-{digest}",
        source=source,
        bucket=bucket,
        key=file.key,
        version=file.version,
        size=file.size,
        order=order,
        turn=order,
        phase=phase,
        counts=dict.fromkeys(STATES, 0),
        registered_at=now,
        forced=_forced(file),
    )


def _forced(file: StoredObject) -> str | None:
    """Read what the uploader wants sent, changed or not; what nobody understands is everything."""
    asked = file.metadata.get(FORCE)
    if asked is None:
        return None
    try:
        return msgspec.json.encode(msgspec.json.decode(asked, type=Force)).decode()
    except msgspec.MsgspecError:
        return msgspec.json.encode(Force()).decode()


def _notified(record: dict[str, Any]) -> Request:
    if record.get("eventSource") != "aws:s3":
        raise ConfigurationError(
            f"the splitter was called with a record of {record.get('eventSource')!r}, not of S3"
        )
    found = record["s3"]["object"]
    key = unquote_plus(found["key"])
    if not record.get("eventName", "").startswith("ObjectCreated:"):
        return Ignored(key=key, reason=f"event {record.get('eventName')}: only new objects count")
    return request_for(key, found.get("versionId"))
