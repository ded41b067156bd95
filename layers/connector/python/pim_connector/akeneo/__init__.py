"""A client of Akeneo PIM's REST API for pushing data, usable for its own sake.

See docs/akeneo-client.md.
"""

from __future__ import annotations

from pim_connector.akeneo.answers import (
    CredentialsError,
    ForbiddenError,
    LineOutcome,
    LinesFailedError,
    Problem,
    Refused,
    RefusedError,
    Unanswered,
    Upserted,
)
from pim_connector.akeneo.auth import AppToken, ConnectionCredentials, Credentials, read_credentials
from pim_connector.akeneo.client import AkeneoClient

__all__ = [
    "AkeneoClient",
    "AppToken",
    "ConnectionCredentials",
    "Credentials",
    "CredentialsError",
    "ForbiddenError",
    "LineOutcome",
    "LinesFailedError",
    "Problem",
    "Refused",
    "RefusedError",
    "Unanswered",
    "Upserted",
    "read_credentials",
]
