"""Errors of GraphQL, which come with status 200."""

from __future__ import annotations

from typing import Any


def errors_in(body: Any) -> str | None:
    """Say in words what errors an answer has; None where there are none.

    The data beside them has holes where the errors were, which must not become empty values.
    https://spec.graphql.org/draft/#sec-Errors
    """
    found = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(found, list) or not found:
        return None
    return "; ".join(map(_said, found[:3]))[:500]


def _said(error: Any) -> str:
    if not isinstance(error, dict) or "message" not in error:
        return str(error)
    code = (error.get("extensions") or {}).get("code")
    return f"{error['message']}" + (f" ({code})" if code else "")
