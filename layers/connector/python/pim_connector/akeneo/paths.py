"""Writes codes into URL paths."""

from __future__ import annotations

from urllib.parse import quote


def segment(code: str) -> str:
    """Write a code into a URL path: nothing in it may act as a path or a query."""
    return quote(code, safe="")
