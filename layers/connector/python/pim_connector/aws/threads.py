"""Requests side by side: those that need none of each other's answers wait for AWS together.

A message of the product flow keeps one of the PIM's few calls idle for as long as it waits for
anything else. Clients of boto3 serve several threads at once
(https://docs.aws.amazon.com/boto3/latest/guide/clients.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from types import TracebackType


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
