"""Which file, run and message the lines of a log are about, from the splitter to the PIM's answer.

Whoever begins to work on one of them says so once, with `about`; all lines that are logged
meanwhile have its keys, whoever logs them. Logging stays that of the standard library: what writes
the lines adds `label` as a filter.

The keys, by which one line leads to all others: `run` and `source` (with the file's key when it is
taken in), `message_id`, and for a line about one record `record` (its number in the file), `line`
and `identifier`; for assets `asset`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from pim_connector.outcomes import RecordOutcome

_KEYS: ContextVar[Mapping[str, str]] = ContextVar("log_keys", default={})  # noqa: B039  never changed


@contextmanager
def about(**keys: str) -> Iterator[None]:
    """Have all lines that are logged inside carry these keys, beside those from outside."""
    token = _KEYS.set({**_KEYS.get(), **{name: key for name, key in keys.items() if key}})
    try:
        yield
    finally:
        _KEYS.reset(token)


def label(record: logging.LogRecord) -> bool:
    """Return a line the keys that it does not have itself; a logging filter that lets all pass."""
    for name, key in _KEYS.get().items():
        if not hasattr(record, name):
            setattr(record, name, key)
    return True


def log_outcome(logger: logging.Logger, outcome: RecordOutcome) -> None:
    """Log what became of one record: what somebody has to know as INFO, the rest as DEBUG."""
    level = logging.INFO if outcome.state in ("rejected", "parked") else logging.DEBUG
    if logger.isEnabledFor(level):
        logger.log(
            level,
            "record %s",
            outcome.state,
            extra={
                "record": outcome.number,
                "line": outcome.line,
                "identifier": outcome.identifier,
                "reasons": [problem.reason for problem in outcome.problems],
            },
        )
