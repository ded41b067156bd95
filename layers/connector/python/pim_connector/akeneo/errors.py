"""What the PIM's whole-call answers mean, in the three consequences of `pim_connector.errors`.

TransientError            429, 408, 409, 425, 5xx, time-outs, broken connections
└── LinesFailedError      a 200, but no line of it was done: each answered with 5xx
    └── CutShortError     a 200 that ended before its first line
RejectedError
└── RefusedError          one object in a call of its own: 400, 404, 413, 422
ConfigurationError        3xx, 404, 405, 406, 415: not the Akeneo, or not the path, we think it is
├── CredentialsError      401 after a renewal, or the token route refuses what it was given
└── ForbiddenError        403: the API user's role lacks a permission
"""

from __future__ import annotations

from pim_connector.akeneo.outcomes import Problem
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

__all__ = [
    "ConfigurationError",
    "CredentialsError",
    "CutShortError",
    "ForbiddenError",
    "LinesFailedError",
    "RefusedError",
    "RejectedError",
    "TransientError",
]


class LinesFailedError(TransientError):
    """The PIM is there and took the call, but answered its lines with failures of its own."""


class CutShortError(LinesFailedError):
    """A 200 that ended before its last line, as often as it was tried."""


class RefusedError(RejectedError):
    """The PIM refuses the one object of a single-resource call, with its words and details."""

    def __init__(self, message: str, *, status: int, errors: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


class CredentialsError(ConfigurationError):
    """The PIM does not know these credentials: regenerated, mistyped, or the connection is gone."""


class ForbiddenError(ConfigurationError):
    """The credentials are right, but the API user's role may not do this."""
