"""Renders the templates; every value is escaped."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

_TEMPLATES = Environment(
    loader=PackageLoader("local.desk", "templates"), autoescape=True, undefined=StrictUndefined
)


def page(name: str, status: int = 200, **shown: object) -> Response:
    """Render one template as an answer."""
    return HTMLResponse(_TEMPLATES.get_template(name).render(shown), status)


def size(count: int) -> str:
    """Say a number of bytes as people do: 1 kB is 1,000 bytes."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


def moment(text: str | None) -> str:
    """Shorten an ISO time in UTC to what a person reads."""
    if not text:
        return ""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return text


_TEMPLATES.filters["size"] = size
_TEMPLATES.filters["moment"] = moment
