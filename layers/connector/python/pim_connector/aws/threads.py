"""Requests side by side: those that need none of each other's answers wait for AWS together.

A message of the product flow keeps one of the PIM's few calls idle for as long as it waits for
anything else. Clients of boto3 serve several threads at once
(https://docs.aws.amazon.com/boto3/latest/guide/clients.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypedDict, TypeVar

import msgspec

if TYPE_CHECKING:
    from types import TracebackType

    from botocore.client import BaseClient

T = TypeVar("T")

MOST: Final = 10
"""Connections that a client of boto3 keeps, unless told otherwise."""


class Begin(Protocol):
    """Begins a call and gives what waits for its end: that gives its result, or raises its error.

    Whoever begins a write asks for its end whatever happens. An invocation that has answered is
    frozen with all that it left undone, and the write would be made hours later over a newer one.
    What only reads may be forgotten. A call that was begun must begin none.
    """

    def __call__(self, call: Callable[[], T], /) -> Callable[[], T]: ...


class Threads:
    """Begins calls in threads that are kept, `MOST` of them; none before the first call."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def __call__(self, call: Callable[[], T], /) -> Callable[[], T]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST)
        return self._pool.submit(copy_context().run, call).result


class Writes:
    """Writes that were begun, none of which is under way any more when the context ends.

    Then the first of their errors is raised, if nothing else is.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waits: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.end()
        except Exception:
            if error is None:
                raise

    def begin(self, write: Callable[[], None]) -> None:
        """Begin a write; it fails when its end is waited for."""
        self._waits.append(self._begin(write))

    def end(self) -> None:
        """Wait for all that were begun; raise the first of their errors."""
        waits, self._waits = self._waits, []
        ended(waits)


def ended(waits: Iterable[Callable[[], T]]) -> list[T]:
    """Return the results of all calls that were begun; the first error, when all have ended."""
    results: list[T] = []
    errors: list[Exception] = []
    for wait in waits:
        try:
            results.append(wait())
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return results


# Writes and reads the bodies of large batches, which botocore would do slowly.
#
# botocore walks its model of the service for each value: 4 microseconds for a key that is looked up
# in the sync state, 30 for an entry that is found, and the text of every message goes through
# `json` once
# more. In the protocol of these operations the body is the parameters as JSON
# (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html), so msgspec writes and reads it.
# botocore does all the rest, by its events: endpoint, headers, signature, retries, and errors.


_KEPT: Final = "pim-connector-parameters"
_LARGE: Final = ("Entries", "RequestItems")
"""What is large in these requests; botocore sees one of what it holds, and of that no text."""
_WRITTEN: Final = ("sqs.SendMessageBatch", "dynamodb.BatchGetItem", "dynamodb.BatchWriteItem")


class _Value(TypedDict, total=False):
    """A value of DynamoDB, of the kinds that the sync state has."""

    S: str
    N: str
    B: bytes


class _Found(msgspec.Struct):
    """The answer to BatchGetItem."""

    Responses: dict[str, list[dict[str, _Value]]] = {}
    UnprocessedKeys: dict[str, Any] = {}


_FOUND: Final = msgspec.json.Decoder(_Found)


Client = TypeVar("Client", bound="BaseClient")


def with_quick_batches(client: Client) -> Client:
    """Have msgspec write the batches of a client of SQS or DynamoDB, and read what DynamoDB found.

    Gives the same client; its other requests stay as they are. DynamoDB is to hold no values there
    but text, numbers and bytes. https://docs.aws.amazon.com/boto3/latest/guide/events.html says how
    botocore's events work.
    """
    events: Any = client.meta.events
    for name in _WRITTEN:
        events.register(f"provide-client-params.{name}", _keep)
        events.register(f"before-call.{name}", _write)
    events.register("before-parse.dynamodb.BatchGetItem", _read)
    return client


def _keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_KEPT] = params
    short = {name: _shortened(params[name]) for name in _LARGE if name in params}
    return params | short


def _shortened(value: Any) -> Any:
    """Leave one entry, or one of each table: botocore still checks it, and finds endpoints."""
    if isinstance(value, dict):
        return {name: _first(request) for name, request in value.items()}
    return [entry | {"MessageBody": "-"} for entry in value[:1]]


def _first(request: Any) -> Any:
    return request[:1] if isinstance(request, list) else {"Keys": request["Keys"][:1]}


def _write(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = msgspec.json.encode(context[_KEPT])


def _read(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    if response_dict["status_code"] != 200:
        return
    try:
        found = _FOUND.decode(response_dict["body"])
    except msgspec.MsgspecError:
        return  # botocore says what it is
    customized_response_dict |= msgspec.structs.asdict(found)
    response_dict["body"] = b"{}"
