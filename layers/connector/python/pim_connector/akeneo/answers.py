"""Reads the PIM's answers: what a status means, and what each line of a bulk answer says.

The only place where status codes become consequences. Texts are shown, never compared: they are
English today and differ between releases (https://api.akeneo.com/documentation/responses.html).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pim_connector.akeneo.errors import CredentialsError, ForbiddenError, RefusedError
from pim_connector.akeneo.outcomes import Problem, problems
from pim_connector.akeneo.patience import retry_after
from pim_connector.errors import ConfigurationError, ConnectorError, TransientError

if TYPE_CHECKING:
    import httpx

ABOUT_THE_OBJECT = frozenset({400, 404, 413, 422})
LONGEST_MESSAGE = 500


def is_transient(status: int) -> bool:
    return status in (408, 409, 425, 429) or status >= 500


def failure(response: httpx.Response, what: str, *, now: float) -> ConnectorError:
    """Turn a whole-call answer that is not 2xx into the error to raise; its body must be read."""
    status = response.status_code
    body = _object(response)
    message = _message(body) or response.reason_phrase
    text = f"{what}: {status} {message}".rstrip()
    if is_transient(status):
        return TransientError(
            text, retry_after=retry_after(response.headers.get("Retry-After"), now)
        )
    if status == 401:
        return CredentialsError(
            f"{text} The PIM does not accept the token, not even a new one: was the connection"
            " deleted, its secret regenerated, or the app disconnected?"
        )
    if status == 403:
        return ForbiddenError(
            f"{text} Give the role of the connection's user this right: System > Roles > Web API"
            " permissions in the PIM."
        )
    if status in ABOUT_THE_OBJECT:
        errors = problems(body)
        details = " ".join(error.message for error in errors)[:LONGEST_MESSAGE]
        return RefusedError(f"{text} {details}".rstrip(), status=status, errors=errors)
    if 300 <= status < 400:
        return ConfigurationError(f"{text}: the PIM's URL redirects; use the one it redirects to.")
    return ConfigurationError(f"{text} Is this the URL of an Akeneo PIM?")


class LineAnswer(Struct, frozen=True, kw_only=True):
    """One line of a bulk answer. `line` is None in JSON-array answers, `code` in some errors."""

    line: int | None
    code: str | None
    status: int
    message: str
    errors: tuple[Problem, ...]


def line_answer(entry: object) -> LineAnswer | None:
    """Read one decoded line; None if it is not an answer to a line.

    Early 7.0 builds give a failed uuid line's status as an integer `code` (PIM-10768).
    """
    if not isinstance(entry, dict):
        return None
    code = entry.get("code")
    status = entry.get("status_code", code)
    if type(status) is not int:
        return None
    line = entry.get("line")
    return LineAnswer(
        line=line if type(line) is int else None,
        code=code if isinstance(code, str) else None,
        status=status,
        message=_message(entry) or f"status {status}, without a message",
        errors=problems(entry),
    )


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: dict[str, Any]) -> str:
    message = body.get("message")
    return message[:LONGEST_MESSAGE] if isinstance(message, str) else ""
