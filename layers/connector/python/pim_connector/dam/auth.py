"""Proving to a DAM who we are: each kind of `auth` as an httpx.Auth."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Generator
from urllib.parse import quote, urljoin

import httpx
import msgspec

from pim_connector.dam.auth_kinds import (
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    HeaderAuth,
    NoAuth,
    QueryAuth,
    SignerAuth,
)
from pim_connector.dam.source import Source
from pim_connector.dam.template import Values, fill_text
from pim_connector.errors import ConfigurationError, TransientError


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
            return _ClientCredentials(source.auth, source.base_url, values)
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


class _ClientCredentials(httpx.Auth):
    """Fetches a token when there is none, and once more when the DAM refuses the one there is."""

    requires_response_body = True

    def __init__(self, described: ClientCredentialsAuth, base_url: str, values: Values) -> None:
        self._described, self._base_url, self._values = described, base_url, values
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        fresh = self._token is None
        if fresh:
            self._token = _token((yield self._ask()))
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == 401 and not fresh:
            self._token = _token((yield self._ask()))
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _ask(self) -> httpx.Request:
        described = self._described
        id_ = fill_text(described.client_id, self._values)
        secret = fill_text(described.client_secret, self._values)
        form = {"grant_type": "client_credentials"}
        form |= {key: fill_text(value, self._values) for key, value in described.params.items()}
        if described.scope:
            form["scope"] = described.scope
        headers = {"Accept": "application/json"}
        if described.credentials_in == "header":
            pair = f"{quote(id_, safe='')}:{quote(secret, safe='')}"  # RFC 6749 §2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": id_, "client_secret": secret}
        url = urljoin(self._base_url.rstrip("/") + "/", described.token_url)
        return httpx.Request("POST", url, data=form, headers=headers)


def _token(response: httpx.Response) -> str:
    if response.status_code >= 500 or response.status_code == 429:
        raise TransientError(f"the DAM's token address answers {response.status_code}")
    try:
        token = msgspec.json.decode(response.content)["access_token"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        token = None
    if response.status_code != 200 or not isinstance(token, str):
        raise ConfigurationError(
            f"the DAM gives no token: its token address answers {response.status_code}; check "
            "auth.token_url, client_id and client_secret"
        )
    return token


def with_parameter(url: httpx.URL, name: str, value: str) -> httpx.URL:
    """Add a parameter at the end of the query and leave the rest as it is, byte for byte."""
    more = f"{quote(name, safe='')}={quote(value, safe='')}".encode("ascii")
    return url.copy_with(query=url.query + b"&" + more if url.query else more)
