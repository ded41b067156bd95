"""A request and a reply as the pages know them. Pure: the handler translates from and to AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct, field

from pim_connector.console.sessions import Session
from pim_connector.errors import ConnectorError

HTML: Final = "text/html; charset=utf-8"


class Visitor(Struct, frozen=True, kw_only=True):
    """Who is signed in at this browser.

    `actor` is how records say who did it, `name` what people are called; `acts` says whether they
    may change something; `token` stands in every form and must come back with a change.
    """

    actor: str
    name: str
    acts: bool
    token: str


class Call(Struct, frozen=True, kw_only=True):
    """One request. `names` are the parts of the path that vary; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    visitor: Visitor
    session: Session

    def number(self, name: str, default: int, *, most: int) -> int:
        """Read a whole number from the form or the query; nonsense is the default."""
        text = self.form.get(name) or self.query.get(name, "")
        if not (text.isascii() and text.isdecimal()) or len(text) > 9:
            return default
        return min(int(text), most)


class Reply(Struct, frozen=True, kw_only=True):
    """One answer; `headers` are beside those that every reply has, and win over them."""

    status: int = 200
    body: str = ""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


class RefusedError(ConnectorError):
    """The request is not answered with what it asked for; `status` and the message say why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def redirect(path: str, **query: str) -> Reply:
    """Send the browser to another page by GET; what was posted is not posted again."""
    there = f"{path}?{urlencode(query)}" if query else path
    return Reply(status=303, headers={"location": there})


def as_json(value: object, status: int = 200) -> Reply:
    """Answer a script of ours."""
    return Reply(status=status, body=json.dumps(value), content_type="application/json")


def missing(what: str) -> RefusedError:
    """Make the error of an address that names nothing."""
    return RefusedError(404, f"There is no such {what}.")
