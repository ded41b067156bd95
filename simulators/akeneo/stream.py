"""Collection PATCHes: lines of NDJSON, answered one by one, and JSON arrays.

Source: the PIM's stream of resources; see https://api.akeneo.com/documentation/update.html.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from simulators.akeneo.phpjson import InvalidJsonError, decode, encode
from simulators.akeneo.refusal import Refusal, bad_json
from simulators.akeneo.routing import COLLECTION, Call, json_answer
from simulators.akeneo.server import break_connection

MAX_LINES = 100
MAX_LINE_BYTES = 1_000_000

WriteOne = Callable[[str, dict[str, Any]], int]
"""Writes the resource with this key; returns 201 or 204, raises `Refusal`."""

DEADLOCK = (
    "An exception occurred while executing a query: SQLSTATE[40001]: Serialization failure: "
    "1213 Deadlock found when trying to get lock; try restarting transaction"
)


def lines_of(body: bytes) -> list[bytes]:
    """The lines of a body; raises `Refusal` 413 when there are more than 100.

    Blank lines count, one line end at the very end adds none, an empty body has none.
    """
    lines = body.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if len(lines) > MAX_LINES:
        raise Refusal(413, f"Too many resources to process, {MAX_LINES} is the maximum allowed.")
    return lines


def answers(
    lines: list[bytes], key: str, write_one: WriteOne, *, deadlocked: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Work on the lines in order, each on its own; yields each line's answer when it is done.

    `key` is the resource's key in the body: identifier, uuid or code. `deadlocked` says
    whether the database fails on this line.
    """
    for number, line in enumerate(lines, start=1):
        answer: dict[str, Any] = {"line": number}
        try:
            body = _object(line)
            code = _key(body, key)
            answer[key] = _spelled(code)
            if deadlocked():
                raise Refusal(500, DEADLOCK)
            answer["status_code"] = write_one(code, body)
        except Refusal as refusal:
            answer["status_code"] = refusal.status
            answer |= refusal.details()
        yield answer


def _object(line: bytes) -> Any:
    if len(line) > MAX_LINE_BYTES:
        raise Refusal(413, "Line is too long.")
    try:
        body = decode(line)
    except InvalidJsonError:
        raise bad_json() from None
    if body is None:
        raise bad_json()
    return body


def _key(body: Any, key: str) -> str:
    code = body.get(key) if isinstance(body, dict) else None
    if code is None or (isinstance(code, str) and not code.strip()):
        raise Refusal(422, f"{key.capitalize()} is missing.")
    if not isinstance(code, str):
        raise Refusal(422, f"{key} must be of type string.")
    return code


def _spelled(code: str) -> str:
    if len(code) != 36:
        return code
    try:
        uuid.UUID(code)
    except ValueError:
        return code
    return code.lower()


BREATHE_EVERY = 20
"""Lines after which other calls get their turn when lines take no time of their own."""


class Lines(StreamingResponse):
    """HTTP 200, then one JSON line per line of the body, worked on while it is written.

    The PIM goes on when its client has gone: nothing tells it so. `work` does the lines that are
    left, one at each step, for whoever has to end the call.
    """

    def __init__(self, call: Call, lines: list[bytes], key: str, write_one: WriteOne) -> None:
        self.work = _worked(call, lines, key, write_one)
        super().__init__(_written(call, len(lines), self.work), media_type=COLLECTION)

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Write the lines, to the end, whether the client is there or not."""
        await self.stream_response(send)


def stream_answer(call: Call, key: str, write_one: WriteOne) -> Response:
    """The answer to a list of lines; raises `Refusal` 413 before that."""
    return Lines(call, lines_of(call.body), key, write_one)


def array_answer(call: Call, write_one: Callable[[Any], int]) -> Response:
    """The answer to a JSON array of assets or records; raises `Refusal` 400 or 413."""
    bodies = call.json()
    if not isinstance(bodies, list):
        raise bad_json()
    if len(bodies) > MAX_LINES:
        text = f"Too many resources to process, {MAX_LINES} is the maximum allowed."
        raise Refusal(413, text)
    return json_answer([_entry(call, body, write_one) for body in bodies])


def _entry(call: Call, body: Any, write_one: Callable[[Any], int]) -> dict[str, Any]:
    code = body.get("code") if isinstance(body, dict) else None
    answer: dict[str, Any] = {"code": code if isinstance(code, str) else ""}
    try:
        if call.pim.faults.strikes("deadlock_lines", call.route):
            raise Refusal(500, DEADLOCK)
        answer["status_code"] = write_one(body)
    except Refusal as refusal:
        answer["status_code"] = refusal.status
        answer |= refusal.details()
    call.pim.counters.line(call.route, answer["status_code"])
    return answer


def _worked(
    call: Call, lines: list[bytes], key: str, write_one: WriteOne
) -> Iterator[dict[str, Any]]:
    faults = call.pim.faults
    found = answers(
        lines, key, write_one, deadlocked=lambda: faults.strikes("deadlock_lines", call.route)
    )
    for _ in lines:
        with call.pim.lock:
            answer = next(found)
        call.pim.counters.line(call.route, answer["status_code"])
        yield answer


async def _written(call: Call, count: int, work: Iterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    faults = call.pim.faults
    cut_after = faults.cut_after_lines if faults.strikes("cut_answers", call.route) else None
    for number in range(count):
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        elif number % BREATHE_EVERY == BREATHE_EVERY - 1:
            await asyncio.sleep(0)
        answer = next(work)
        if cut_after is not None and number >= cut_after:
            break_connection(call.request.scope.get("client"))
        yield (("\n" if number else "") + encode(answer)).encode()
