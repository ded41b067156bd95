"""How a source proves who it is: the types of `auth` in a source file.

Secrets are written as `{{secret.NAME}}`: the value of NAME in the JSON secret that the source's
`secret` names in AWS Secrets Manager.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from pim_connector.dam.request_kinds import Request


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
    answers to any request that mean that the token counts no more.
    """

    request: Request
    token: str
    header: str = "Authorization"
    value: str = "Bearer {{token}}"
    parameter: str | None = None
    expired_status: tuple[int, ...] = (401,)


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
