"""What a failure means for the caller, and nothing else.

ConnectorError
├── TransientError       come back later: the queue delivers the message again
├── RejectedError        this record will never pass: report it and go on with the rest
└── ConfigurationError   nothing will pass until somebody changes something: stop, keep all, alarm

Status codes and vendor codes become one of these in one place per adapter; nobody matches on
message text. Messages are for people: what happened, where, and what to do. They never hold a
secret.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of everything this package raises on purpose."""


class TransientError(ConnectorError):
    """The other side cannot answer now; the same request may pass later.

    `retry_after` is in seconds where the other side named a time, else None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RejectedError(ConnectorError):
    """One record, value or file will never pass as it is; the rest may."""


class ConfigurationError(ConnectorError):
    """Credentials, mapping or stack are wrong; trying again changes nothing."""
