"""A broken rule about a value, before it is known which value it is."""

from typing import Any

Broken = tuple[str, str, dict[str, Any]]
"""Template, message, and more to show (the currency of a price) or `path`."""


def said(template: str, message: str, **more: Any) -> Broken:
    """One broken rule; those of one value with the same template and path are told once."""
    return template, message, more
