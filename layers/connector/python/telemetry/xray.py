"""Sends what a function does to X-Ray: one segment for the handler, one for each call of AWS.

In place of the X-Ray SDK, whose support ends in February 2027, and which would bring a botocore of
its own into the layer (docs/decisions). Lambda runs a daemon that takes documents by UDP:
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
and forwards them with the function's rights. Where none listens a document is lost, and that is
all. A document holds names, times and keys, never data.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

from aws_lambda_powertools.tracing.base import BaseProvider, BaseSegment

HEADER: Final = b'{"format": "json", "version": 1}\n'
DAEMON: Final = "127.0.0.1:2000"
LARGEST_BYTES: Final = 64_000
"""X-Ray takes 64 kB in a document, UDP hardly more in a datagram."""
_NOT_IN_NAMES: Final = re.compile(r"[^\w\s.:/%&#=+\-@]")
_NOT_IN_KEYS: Final = re.compile(r"\W")


class Subsegment(BaseSegment):
    """One piece of work; `document` is what X-Ray is sent."""

    def __init__(self, name: str, trace: str, parent: str, begun: float, id_: str) -> None:
        self.document: dict[str, Any] = {
            "name": _NOT_IN_NAMES.sub("", name)[:200] or "unnamed",
            "id": id_,
            "trace_id": trace,
            "parent_id": parent,
            "type": "subsegment",
            "start_time": begun,
        }

    def close(self, end_time: float | None = None) -> None:
        self.document["end_time"] = end_time

    def put_annotation(self, key: str, value: Any) -> None:
        self.document.setdefault("annotations", {})[_NOT_IN_KEYS.sub("_", key)] = value

    def add_exception(
        self,
        exception: BaseException,
        stack: Any = None,  # noqa: ARG002  what Tracer hands over
        remote: bool = False,
    ) -> None:
        """Say that it failed and with what kind of error; what the error says is in the log."""
        said = {"id": self.document["id"], "type": type(exception).__name__, "remote": remote}
        self.document |= {"fault": True, "cause": {"exceptions": [said]}}

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        """Keep nothing: a trace is no place for data."""

    def add_subsegment(self, subsegment: Any) -> None:
        """Do nothing: each is sent by itself and names its parent."""

    def remove_subsegment(self, subsegment: Any) -> None:
        """Do nothing, as nothing was added."""


def datagrams() -> socket.socket:
    """Open what documents are sent through."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setblocking(False)
    return link


class XRay(BaseProvider):
    """Tracer's way to X-Ray. `environ` has the trace that Lambda began; `now` in epoch seconds.

    `link` is a datagram socket that does not block.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        link: socket.socket,
        *,
        now: Callable[[], float] = time.time,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._environ = environ
        self._now = now
        self._chance = chance
        host, _, port = environ.get("AWS_XRAY_DAEMON_ADDRESS", DAEMON).rpartition(":")
        self._daemon = (host, int(port))
        self._link = link
        self._open: ContextVar[Subsegment | None] = ContextVar("open_subsegment", default=None)

    @contextmanager
    def in_subsegment(self, name: str = "", **_: Any) -> Iterator[Subsegment]:
        """Work on something; what begins inside belongs to it. Sent when it ends."""
        subsegment = self._begin(name)
        token = self._open.set(subsegment)
        try:
            yield subsegment
        except BaseException as error:
            subsegment.add_exception(error)
            raise
        finally:
            self._open.reset(token)
            self._end(subsegment)

    def in_subsegment_async(self, name: str = "", **_: Any) -> Any:
        """Refuse: no function here is asynchronous."""
        raise NotImplementedError(f"{name}: asynchronous work is not traced")

    def put_annotation(self, key: str, value: Any) -> None:
        subsegment = self._open.get()
        if subsegment is not None:
            subsegment.put_annotation(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        """Keep nothing: a trace is no place for data."""

    def patch(self, modules: Sequence[str]) -> None:  # noqa: ARG002  what Tracer hands over
        """Do as `patch_all`: there is but one thing to trace."""
        self.patch_all()

    def patch_all(self) -> None:
        """Trace the calls of every AWS client that is made from now on.

        By boto3's events: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
        """
        import boto3

        boto3.setup_default_session()
        assert boto3.DEFAULT_SESSION  # noqa: S101  set up the line before
        events = boto3.DEFAULT_SESSION.events
        events.register("before-call.*.*", self._call_begins)
        events.register("after-call.*.*", self._call_ends)
        events.register("after-call-error.*.*", self._call_fails)

    def _call_begins(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        subsegment = self._begin(str(model.service_model.service_id))
        subsegment.document |= {"namespace": "aws", "aws": {"operation": model.name}}
        context["traced"] = subsegment

    def _call_ends(self, http_response: Any, context: dict[str, Any], **_: Any) -> None:
        subsegment = context.pop("traced", None)
        if subsegment is not None:
            status = http_response.status_code
            subsegment.document["http"] = {"response": {"status": status}}
            if status >= 400:
                subsegment.document["error" if status < 500 else "fault"] = True
            self._end(subsegment)

    def _call_fails(self, exception: Exception, context: dict[str, Any], **_: Any) -> None:
        subsegment = context.pop("traced", None)
        if subsegment is not None:
            subsegment.add_exception(exception, remote=True)
            self._end(subsegment)

    def _begin(self, name: str) -> Subsegment:
        header = self._header()
        above = self._open.get()
        parent = above.document["id"] if above else header.get("Parent", "")
        id_ = self._chance(8).hex()
        return Subsegment(name, header.get("Root", ""), parent, self._now(), id_)

    def _end(self, subsegment: Subsegment) -> None:
        subsegment.close(self._now())
        if self._header().get("Sampled") != "1":
            return
        sent = HEADER + json.dumps(subsegment.document).encode()
        if len(sent) <= LARGEST_BYTES:
            with suppress(OSError):  # nobody listens, or not quickly enough
                self._link.sendto(sent, self._daemon)

    def _header(self) -> dict[str, str]:
        """Read the trace of this invocation: `Root=…;Parent=…;Sampled=1`, new in each.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        parts = self._environ.get("_X_AMZN_TRACE_ID", "").split(";")
        return dict(part.split("=", 1) for part in parts if "=" in part)
