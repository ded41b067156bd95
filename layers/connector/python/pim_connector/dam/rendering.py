"""A described request as it goes over the wire: address, headers and content, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from pim_connector.dam.request_kinds import Request
from pim_connector.dam.template import ABSENT, Values, fill, fill_text


def address_of(request: Request, base_url: str, known: Values) -> str:
    """Fill in path and parameters. A `path` that is a whole address is taken as it is."""
    path = fill_text(request.path, known, quote=lambda text: quote(text, safe=""))
    is_whole = request.path.startswith(("http://", "https://"))
    url = path if is_whole else base_url.rstrip("/") + "/" + path.lstrip("/")
    query = query_string(request.params, known)
    return url + ("&" if "?" in url else "?") + query if query else url


def content_of(request: Request, known: Values) -> tuple[bytes | None, dict[str, str]]:
    """Fill in headers and content: JSON for `body`, a form for `form`, None for neither."""
    headers = {name: fill_text(value, known) for name, value in request.headers.items()}
    named = {name.lower() for name in headers}
    if request.body is not None:
        content, kind = msgspec.json.encode(fill(request.body, known)), "application/json"
    elif request.form is not None:
        content = urlencode(fill(request.form, known)).encode()
        kind = "application/x-www-form-urlencoded"
    else:
        return None, headers
    return content, headers if "content-type" in named else headers | {"Content-Type": kind}


def query_string(params: Mapping[str, Any], known: Values) -> str:
    """Write parameters as a query: lists repeat their name, what has no value is left out."""
    pairs: list[tuple[str, str]] = []
    for name, template in params.items():
        value = fill(template, known)
        if value is not ABSENT:
            pairs += [
                (name, _text(item)) for item in (value if isinstance(value, list) else [value])
            ]
    return urlencode(pairs, quote_via=quote, safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
