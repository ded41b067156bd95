"""Bounds that count what a process really takes: memory also of C libraries, and processor time.

Wall-clock time would depend on what else the machine does.
"""

from __future__ import annotations

import resource
import signal
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTE = 1 << 20


@contextmanager
def bounded(megabytes: int, cpu_seconds: int) -> Iterator[None]:
    """Work with so much memory more than there is now (Linux), and so much processor time."""

    def too_long(_: int, __: types.FrameType | None) -> None:
        raise AssertionError(f"more than {cpu_seconds} seconds of processor time")

    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGVTALRM, too_long)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + megabytes * MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)
