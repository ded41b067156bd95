"""Previews in a process of its own, so that no mapping or sample can take this machine with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from local.desk.previewing import Asked, Complaint, Shown, preview

SECONDS: Final = 10.0
MEGABYTES: Final = 1024


class Workshop:
    """One process that previews, one at a time; it is replaced when it takes too long or breaks."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def preview(self, asked: Asked) -> Shown:
        """Preview a record; what goes over the limits ends in a complaint that says so."""
        with self._lock:
            pipe = self._running()
            try:
                pipe.send(asked)
                if pipe.poll(self._seconds):
                    shown: Shown = pipe.recv()
                    return shown
            except (EOFError, OSError):
                self._end()
                return _complaint(f"The preview broke down; it may use {MEGABYTES} MB of memory.")
            self._end()
            return _complaint(
                f"The preview took more than {self._seconds:g} seconds and was stopped. "
                "Try a smaller sample, an earlier record, or a simpler expression."
            )

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _running(self) -> Connection:
        if self._process is None or self._pipe is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def work(pipe: Connection) -> None:
    """Answer one question after another until nobody asks any more."""
    limit = MEGABYTES * 1024**2
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            pipe.send(preview(pipe.recv()))


def _complaint(message: str) -> Shown:
    return Shown(errors=(Complaint(message=message),))
