"""A request as a source file describes it: the type that lists, items and logins share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from pim_connector.dam.asset_rules import AssetMapping
from pim_connector.dam.event_types import Events
from pim_connector.errors import ConfigurationError

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


# How a source proves who it is: the types of `auth` in a source file.
#
# Secrets are written as `{{secret.NAME}}`: the value of NAME in the JSON secret that the source's
# `secret` names in AWS Secrets Manager.


class _Auth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all kinds of `auth` share: `kind` says which it is."""


class NoAuth(_Auth, tag="none", frozen=True):
    """Nothing is added to the requests."""


class BearerAuth(_Auth, tag="bearer", frozen=True, kw_only=True):
    """`Authorization: Bearer <token>`."""

    token: str


class BasicAuth(_Auth, tag="basic", frozen=True, kw_only=True):
    """HTTP Basic."""

    username: str
    password: str


class HeaderAuth(_Auth, tag="header", frozen=True, kw_only=True):
    """A header of the DAM's own, such as `X-Filerobot-Key`."""

    name: str
    value: str


class QueryAuth(_Auth, tag="query", frozen=True, kw_only=True):
    """A parameter in every request's query, such as `apikey`."""

    name: str
    value: str


class ClientCredentialsAuth(_Auth, tag="oauth2_client_credentials", frozen=True, kw_only=True):
    """OAuth 2.0 client credentials (RFC 6749 §4.4): the token is fetched, used, renewed on 401.

    `credentials_in`: `header` is HTTP Basic, `body` puts id and secret in the form. `params` are
    further fields of the form. `token_url` may be relative to the source's `base_url`.
    """

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None = None
    credentials_in: Literal["header", "body"] = "body"
    params: dict[str, str] = {}


class LoginAuth(_Auth, tag="login", frozen=True, kw_only=True):
    """A token that the DAM's own login address gives: fetched, used, fetched anew on 401.

    `request` is the login, a POST unless it says otherwise; `token` is JMESPath on its answer. The
    token goes as `value` into `header`, or into the query as `parameter`. `expired_status` are the
    answers to any request that mean that the token counts no more; `expired_when` is JMESPath on
    an answer of status 200 that says so (GraphQL).
    """

    request: Request
    token: str
    header: str = "Authorization"
    value: str = "Bearer {{token}}"
    parameter: str | None = None
    expired_status: tuple[int, ...] = (401,)
    expired_when: str | None = None


class SignerAuth(_Auth, tag="signer", frozen=True, kw_only=True):
    """A hash over each request, in a query parameter or in a header.

    `message` is what is hashed, with `{{query}}` (the raw query string as sent, without the
    signature), `{{path}}`, `{{method}}`, `{{body}}` and secrets in it. `key` makes it an HMAC.
    """

    message: str
    algorithm: Literal["md5", "sha1", "sha256", "sha512"] = "sha256"
    key: str | None = None
    parameter: str | None = None
    header: str | None = None


Auth = (
    NoAuth
    | BearerAuth
    | BasicAuth
    | HeaderAuth
    | QueryAuth
    | ClientCredentialsAuth
    | LoginAuth
    | SignerAuth
)


# How a DAM is asked for the next page: the types of `pagination` in a source file.
#
# `size` is how many items a page is asked to have and `max_size` how many the DAM gives at most:
# where many assets share one time stamp, the page grows up to it. `max_window` is how deep the DAM
# can be paged at all. JMESPath (`next`, `more`) reads the body of the answer.


Size = Annotated[int, Meta(ge=2, le=10_000)]
Window = Annotated[int, Meta(ge=1)]


class _Paging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all kinds share; without `max_size` a page never grows beyond `size`.

    `end_status` are answers to a page after the first that mean that there are no more pages:
    WordPress says 400, Django REST framework 404.
    """

    size: Size = 100
    max_size: Size | None = None
    max_window: Window | None = None
    end_status: tuple[int, ...] = ()

    @property
    def largest(self) -> int:
        """The most items one page may be asked to have."""
        return max(self.size, self.max_size or 0)


class PageNumbers(_Paging, tag="page", frozen=True, kw_only=True):
    """`{{page}}` counts pages of `{{limit}}` items; the first one is number `first`."""

    first: int = 1


class Offsets(_Paging, tag="offset", frozen=True):
    """`{{offset}}` items are passed over and `{{limit}}` given."""


class Cursors(_Paging, tag="cursor", frozen=True, kw_only=True):
    """The answer holds at `next` what `{{cursor}}` must be for the next page; none on the last.

    `more` is for DAMs that give a cursor on the last page too (GraphQL's `hasNextPage`).
    """

    next: str
    more: str | None = None


class NextUrls(_Paging, tag="next_url", frozen=True, kw_only=True):
    """The answer holds at `next` the address of the next page; none on the last."""

    next: str


class LinkHeaders(_Paging, tag="link", frozen=True, kw_only=True):
    """The next page's address is in the `Link` header (RFC 8288) with this `rel`."""

    rel: str = "next"


class HeaderCursors(_Paging, tag="header_cursor", frozen=True, kw_only=True):
    """A response header holds what `{{cursor}}` must be for the next page; none on the last."""

    header: str


class Tokens(_Paging, tag="token", frozen=True, kw_only=True):
    """A feed of changes that hands out its own mark instead of time stamps.

    `next` (address of the next page) is followed while it is there; then `last` (address for the
    next time) is kept as the source's cursor. Contentful's Sync API is one such. A mark the DAM no
    longer knows is answered with one of `expired_status`: then everything is read anew.
    """

    next: str
    last: str
    expired_status: tuple[int, ...] = (400, 404, 410)


Paging = PageNumbers | Offsets | Cursors | NextUrls | LinkHeaders | HeaderCursors | Tokens


# `{{placeholders}}` in a source file's requests.
#
# `{{name}}` is replaced as text; a text that is nothing but one placeholder takes the value as it
# is, and `{{name:int}}` (also `float`, `bool`, `json`, `str`) says as what: a GraphQL variable
# must not be a text. What has no value now (no cursor on the first page) is left out with its key.


Values = Mapping[str, Any]

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*(?::\s*(\w+)\s*)?\}\}")
_CASTS: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda value: str(value).lower() in ("true", "1"),
    "json": lambda value: json.loads(value) if isinstance(value, str) else value,
}


class _Absent:
    """Says that a placeholder has no value, and so its key goes."""


ABSENT = _Absent()


def fill(template: Any, values: Values) -> Any:
    """Put values into text, list or object; ABSENT where all there was is a missing value.

    ConfigurationError for a placeholder nobody knows or a value that is not of the type asked for.
    """
    if isinstance(template, str):
        return _fill_text(template, values)
    if isinstance(template, Mapping):
        filled = {key: fill(value, values) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not ABSENT}
    if isinstance(template, list | tuple):
        return [value for item in template if (value := fill(item, values)) is not ABSENT]
    return template


def fill_text(template: str, values: Values, *, quote: Callable[[str], str] = str) -> str:
    """Put values into text; what has no value becomes nothing. `quote` makes a value fit in."""

    def replace(match: re.Match[str]) -> str:
        value = _value(match, values)
        return "" if value is ABSENT else quote(_text(value))

    return _PLACEHOLDER.sub(replace, template)


def names_in(template: Any) -> Iterator[str]:
    """Return the names of all placeholders in text, list or object."""
    if isinstance(template, str):
        yield from (match.group(1) for match in _PLACEHOLDER.finditer(template))
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from names_in(value)
    elif isinstance(template, list | tuple):
        for item in template:
            yield from names_in(item)


def _fill_text(template: str, values: Values) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    return _value(whole, values) if whole else fill_text(template, values)


def _value(match: re.Match[str], values: Values) -> Any:
    name, cast = match.group(1), match.group(2)
    if name not in values:
        known = ", ".join(sorted(values))
        raise ConfigurationError(f"{{{{{name}}}}}: no such placeholder here; there are: {known}")
    value = values[name]
    if value is None or value is ABSENT:
        return ABSENT
    if cast is None:
        return value
    if cast not in _CASTS:
        raise ConfigurationError(
            f"{{{{{name}:{cast}}}}}: no such type; there are: {', '.join(_CASTS)}"
        )
    try:
        return _CASTS[cast](value)
    except ValueError as error:
        raise ConfigurationError(f"{{{{{name}:{cast}}}}}: the value is not of that type") from error


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# A DAM described: the types of a source file. `docs/dam-sources.md` explains them by example.


Name = Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
Seconds = Annotated[float, Meta(ge=0)]


class Since(Part, frozen=True, kw_only=True):
    """The DAM's time stamps: how `{{since}}` is written, how `updated` is read.

    `format`: `iso` (2026-01-31T10:20:30+00:00), `iso_z` (…30Z), `iso_ms_z` (…30.123Z), `epoch`,
    `epoch_ms`, `serial` (a number that only grows) or a pattern of Python's strftime.
    `parse` is the same for reading; without it, what `format` says (any ISO 8601 for the iso ones).
    `tz` is the zone of stamps that name none. `granularity_s` is the step of the DAM's index, not
    of what it prints. `exclusive`: the DAM gives only what is later than `{{since}}`.
    `earliest` is the first time that the DAM takes for `{{since}}` (ISO 8601, or a number where
    `format` is `serial`): WordPress refuses 1970.
    """

    format: str = "iso_z"
    parse: str | None = None
    tz: str | None = None
    granularity_s: Annotated[float, Meta(ge=0.001, le=86_400)] = 1
    exclusive: bool = False
    earliest: str | None = None


class Listing(Request, frozen=True, kw_only=True):
    """How to ask what changed, and how to walk through the answer.

    `mode`: `requery` never asks for page 2 of a moving list, `pages` walks pages, `full` has no
    `{{since}}` and reads everything each time. `order` is that of `updated` in the answer.
    `total` is where an answer says how many items the whole list has; a walk that read fewer stops
    the source. Leave it out where the DAM's number is an estimate.
    """

    pagination: Paging
    items: str = "@"
    total: str | None = None
    order: Literal["asc", "desc"] = "asc"
    mode: Literal["requery", "pages", "full"] = "requery"

    @property
    def has_fixed_pages(self) -> bool:
        """Say whether the DAM alone says how long a page is: nothing in the request does."""
        texts = [self.path, self.params, self.headers, self.body, self.form]
        numbered = isinstance(self.pagination, PageNumbers | Offsets)
        return numbered and "limit" not in names_in(texts)


class Item(Part, frozen=True, kw_only=True):
    """How to ask for one asset by its id, and which statuses mean that it is gone.

    `get` is a path or a whole request with `{{id}}` in it. `item` selects the asset from the
    answer; it must have the shape of the list's items. `gone_when` is JMESPath on the answer, for
    DAMs that say 200 and mean no.
    """

    get: str | Request
    item: str = "@"
    gone_status: tuple[int, ...] = (404, 410)
    gone_when: str | None = None

    @property
    def request(self) -> Request:
        """The request, also where the file gives its path only."""
        return Request(path=self.get) if isinstance(self.get, str) else self.get


class DeletedFeed(Listing, frozen=True, kw_only=True):
    """The DAM's own record of what was deleted, walked like a list with a cursor of its own.

    `ids` gives one id or several of each row; `at` is the row's time stamp or serial number.
    `overlap`, in seconds (or in numbers where `since.format` is `serial`), is read again each time.
    """

    ids: str
    at: str
    since: Since = Since()
    overlap: Seconds = 60


class Deleted(Part, frozen=True, kw_only=True):
    """How a deletion becomes visible: a flag on the asset, a feed, or only by its absence.

    `flag` is JMESPath on the asset (any value but null, false, "" and [] is yes). With
    `absent: reconcile` a full list is compared with what is in the PIM, on a schedule of its own;
    `full_list` is how to ask for it where the list of changes cannot simply be asked without
    `{{since}}`.
    """

    flag: str | None = None
    feed: DeletedFeed | None = None
    absent: Literal["ignore", "reconcile"] = "ignore"
    full_list: Listing | None = None


class Rate(Part, frozen=True, kw_only=True):
    """How fast the DAM may be asked, and how it says that it was too fast."""

    per_s: Annotated[float, Meta(gt=0)] | None = None
    retry_status: tuple[int, ...] = (420, 429, 500, 502, 503, 504)
    reset_header: str | tuple[str, ...] = ("Retry-After", "X-RateLimit-Reset")
    longest_wait_s: Seconds = 120
    timeout_s: Annotated[float, Meta(gt=0, le=300)] = 30


class Source(Part, frozen=True, kw_only=True):
    """One DAM, or one part of it: where it is, what changed in it, what becomes of it in the PIM.

    `secret` is the name or ARN in AWS Secrets Manager. `id` and `updated` are JMESPath on an item
    of the list. `overlap_s` is how late a change may become visible after its own time stamp.
    """

    source: Name
    base_url: str
    secret: str | None = None
    auth: Auth = NoAuth()
    headers: dict[str, str] = field(default_factory=dict)
    list: Listing
    id: str = "id"
    updated: str | None = None
    since: Since = Since()
    overlap_s: Seconds = 60
    item: Item | None = None
    deleted: Deleted = Deleted()
    events: Events | None = None
    rate: Rate = Rate()
    assets: AssetMapping | None = None


# The JSON Schema of DAM source files, out of the types that validate them.


def json_schema() -> str:
    """The schema as text, always the same for the same types; docs/dam.schema.json holds it."""
    schema: dict[str, Any] = msgspec.json.schema(Source)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A DAM source of the PIM connector"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
