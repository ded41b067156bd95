"""Proving to a DAM who we are: each kind of `auth` as an httpx.Auth."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Generator
from functools import partial
from urllib.parse import quote, urljoin

import httpx
import msgspec

from pim_connector.dam.auth_kinds import (
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    HeaderAuth,
    LoginAuth,
    NoAuth,
    QueryAuth,
    SignerAuth,
)
from pim_connector.dam.rendering import address_of, content_of
from pim_connector.dam.source import Source
from pim_connector.dam.template import Values, fill_text
from pim_connector.errors import ConfigurationError, RejectedError, TransientError
from pim_connector.expressions import Expression


def auth_of(source: Source, values: Values) -> httpx.Auth:
    """Make a source's authentication; `values` has its secrets as `secret.NAME`.

    ConfigurationError for a secret that is not there.
    """
    match source.auth:
        case NoAuth():
            return httpx.Auth()
        case BearerAuth(token=token):
            return _Header("Authorization", f"Bearer {fill_text(token, values)}")
        case BasicAuth(username=username, password=password):
            pair = f"{fill_text(username, values)}:{fill_text(password, values)}"
            return _Header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        case HeaderAuth(name=name, value=value):
            return _Header(name, fill_text(value, values))
        case QueryAuth(name=name, value=value):
            return _Parameter(name, fill_text(value, values))
        case ClientCredentialsAuth():
            return _client_credentials(source.auth, source.base_url, values)
        case LoginAuth():
            return _login(source.auth, source, values)
        case SignerAuth():
            return _Signer(source.auth, values)


class _Header(httpx.Auth):
    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._name] = self._value
        yield request


class _Parameter(httpx.Auth):
    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._name not in request.url.params:
            request.url = with_parameter(request.url, self._name, self._value)
        yield request


class _Signer(httpx.Auth):
    requires_request_body = True

    def __init__(self, described: SignerAuth, values: Values) -> None:
        self._described, self._values = described, values

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        described = self._described
        values = {
            **self._values,
            "query": request.url.query.decode("ascii"),
            "path": request.url.path,
            "method": request.method,
            "body": request.content.decode("utf-8"),
        }
        message = fill_text(described.message, values).encode()
        if described.key is not None:
            key = fill_text(described.key, values).encode()
            signature = hmac.new(key, message, described.algorithm).hexdigest()
        else:
            signature = hashlib.new(described.algorithm, message).hexdigest()
        if described.parameter:
            request.url = with_parameter(request.url, described.parameter, signature)
        if described.header:
            request.headers[described.header] = signature
        yield request


class _Token(httpx.Auth):
    """Fetches a token when there is none, and once more when the DAM refuses the one there is."""

    requires_response_body = True

    def __init__(
        self,
        login: Callable[[], httpx.Request],
        read: Callable[[httpx.Response], str],
        put: Callable[[httpx.Request, str], None],
        refused: tuple[int, ...] = (401,),
    ) -> None:
        self._login, self._read, self._put, self._refused = login, read, put, refused
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        fresh = self._token is None
        if fresh:
            self._token = self._read((yield self._login()))
        plain = request.url
        self._put(request, self._token or "")
        response = yield request
        if response.status_code in self._refused and not fresh:
            self._token = self._read((yield self._login()))
            request.url = plain
            self._put(request, self._token)
            yield request


def _client_credentials(described: ClientCredentialsAuth, base_url: str, values: Values) -> _Token:
    def login() -> httpx.Request:
        id_ = fill_text(described.client_id, values)
        secret = fill_text(described.client_secret, values)
        form = {"grant_type": "client_credentials"}
        form |= {key: fill_text(value, values) for key, value in described.params.items()}
        if described.scope:
            form["scope"] = described.scope
        headers = {"Accept": "application/json"}
        if described.credentials_in == "header":
            pair = f"{quote(id_, safe='')}:{quote(secret, safe='')}"  # RFC 6749 §2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": id_, "client_secret": secret}
        url = urljoin(base_url.rstrip("/") + "/", described.token_url)
        return httpx.Request("POST", url, data=form, headers=headers)

    def put(request: httpx.Request, token: str) -> None:
        request.headers["Authorization"] = f"Bearer {token}"

    keys = "auth.token_url, client_id and client_secret"
    token = Expression("access_token", where="auth")
    return _Token(login, partial(_token, token=token, keys=keys), put)


def _login(described: LoginAuth, source: Source, values: Values) -> _Token:
    token = Expression(described.token, where="auth.token")

    def login() -> httpx.Request:
        content, headers = content_of(described.request, values)
        common = {name: fill_text(value, values) for name, value in source.headers.items()}
        return httpx.Request(
            described.request.method or "POST",
            address_of(described.request, source.base_url, values),
            headers={"Accept": "application/json", **common, **headers},
            content=content,
        )

    def put(request: httpx.Request, found: str) -> None:
        if described.parameter:
            request.url = with_parameter(request.url, described.parameter, found)
        else:
            known = {**values, "token": found}
            request.headers[described.header] = fill_text(described.value, known)

    keys = f"auth.request, and auth.token, which is `{described.token}`"
    read = partial(_token, token=token, keys=keys)
    return _Token(login, read, put, described.expired_status)


def _token(response: httpx.Response, token: Expression, keys: str) -> str:
    status = response.status_code
    if status >= 500 or status == 429:
        raise TransientError(f"the DAM's token address answers {status}")
    try:
        found = token.read(msgspec.json.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RejectedError):
        found = None
    if not 200 <= status < 300 or not isinstance(found, str) or not found:
        why = f"answers {status}" + (", but not with a token" if status < 300 else "")
        raise ConfigurationError(
            f"the DAM gives no token: {response.request.url.copy_with(query=None)} {why}; check "
            f"{keys}"
        )
    return found


def with_parameter(url: httpx.URL, name: str, value: str) -> httpx.URL:
    """Add a parameter at the end of the query and leave the rest as it is, byte for byte."""
    more = f"{quote(name, safe='')}={quote(value, safe='')}".encode("ascii")
    return url.copy_with(query=url.query + b"&" + more if url.query else more)
