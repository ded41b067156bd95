"""Sending the answers of a list call as they come, at the speed and with the faults set."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from simulators.akeneo.call import COLLECTION, Call
from simulators.akeneo.phpjson import encode
from simulators.akeneo.stream import WriteOne, answers, lines_of
from simulators.akeneo.transport import break_connection

BREATHE_EVERY = 20
"""Lines after which other calls get their turn when lines take no time of their own."""


def stream_answer(call: Call, key: str, write_one: WriteOne) -> Response:
    """HTTP 200, then one JSON line per line of the body; raises `Refusal` 413 before that."""
    return StreamingResponse(
        _lines(call, lines_of(call.body), key, write_one), media_type=COLLECTION
    )


async def _lines(
    call: Call, lines: list[bytes], key: str, write_one: WriteOne
) -> AsyncIterator[bytes]:
    faults, counters = call.pim.faults, call.pim.counters
    cut_after = faults.cut_after_lines if faults.strikes("cut_answers", call.route) else None
    found = answers(
        lines, key, write_one, deadlocked=lambda: faults.strikes("deadlock_lines", call.route)
    )
    for number in range(len(lines)):
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        elif number % BREATHE_EVERY == BREATHE_EVERY - 1:
            await asyncio.sleep(0)
        with call.pim.lock:
            answer = next(found)
        counters.line(call.route, answer["status_code"])
        if cut_after is not None and number >= cut_after:
            break_connection(call.request.scope.get("client"))
        yield (("\n" if number else "") + encode(answer)).encode()
