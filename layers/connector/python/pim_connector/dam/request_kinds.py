"""A request as a source file describes it: the type that lists, items and logins share."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Scalar = str | int | float | bool
Params = dict[str, Scalar | list[Scalar]]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a source file: a key nobody knows is an error, not a surprise."""


class Request(Part, frozen=True, kw_only=True):
    """A request with `{{placeholders}}` in path, params, headers, body and form.

    A parameter whose whole value is a placeholder that has no value now is left out. A list makes
    a repeated parameter. `body` is sent as JSON, `form` as a form; not both. Without `method` it is
    a POST where there is one of them, else a GET.
    """

    path: str
    method: Literal["GET", "POST"] | None = None
    params: Params = {}
    headers: dict[str, str] = {}
    body: Any = None
    form: dict[str, str] | None = None

    @property
    def verb(self) -> Literal["GET", "POST"]:
        """The method, also where the file leaves it out."""
        has_content = self.body is not None or self.form is not None
        return self.method or ("POST" if has_content else "GET")
