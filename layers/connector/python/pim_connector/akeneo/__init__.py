"""A client of Akeneo PIM's REST API for pushing data, usable for its own sake.

`AkeneoClient` is in `client`, what came of each line in `outcomes`, failures by consequence in
`errors`. See docs/akeneo-client.md. `AkeneoClient` is imported when it is first asked for, so that
whoever needs only the types does not pay for httpx at a cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pim_connector.akeneo.credentials import (
    AppToken,
    ConnectionCredentials,
    Credentials,
    read_credentials,
)
from pim_connector.akeneo.errors import (
    CredentialsError,
    ForbiddenError,
    LinesFailedError,
    RefusedError,
)
from pim_connector.akeneo.outcomes import LineOutcome, Problem, Refused, Unanswered, Upserted

if TYPE_CHECKING:
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


def __getattr__(name: str) -> type[AkeneoClient]:
    if name == "AkeneoClient":
        from pim_connector.akeneo.client import AkeneoClient

        return AkeneoClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
