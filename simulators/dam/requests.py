"""A request to the simulated DAM and its answer, whichever way they came."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. `headers` have lower-case names."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, without the query."""
        return urlsplit(self.url).path

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def origin(self) -> str:
        """Scheme and host, as the client wrote them."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def json(self) -> Any:
        """The body's JSON; BadRequestError if it is none."""
        try:
            return json.loads(self.body or b"null")
        except ValueError as error:
            raise BadRequestError("the body is not JSON") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer: JSON unless `content` is given."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json"

    def bytes(self) -> bytes:
        """The body as it goes over the wire."""
        return json.dumps(self.body).encode() if self.content is None else self.content


class BadRequestError(ValueError):
    """The request cannot be answered: status 400 with these words."""
