"""Credentials of an Akeneo connection or app, in objects that never show them.

https://api.akeneo.com/documentation/authentication.html (connection) and
https://api.akeneo.com/apps/authentication-and-authorization.html (app).
"""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import httpx
from msgspec import Struct

from pim_connector.akeneo.answers import CredentialsError, failure, is_transient
from pim_connector.aws.errors import ConditionFailedError, translated
from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

CONNECTION_KEYS = ("client_id", "secret", "username", "password")
EXPECTED = (
    'either {"client_id": …, "secret": …, "username": …, "password": …} of a connection'
    ' (in the PIM: Connect > Connection settings) or {"app_token": …} of an app'
)


class ConnectionCredentials(Struct, frozen=True, kw_only=True):
    """The four words of a connection (Connect > Connection settings in the PIM)."""

    client_id: str
    secret: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"ConnectionCredentials(username={self.username!r})"


class AppToken(Struct, frozen=True, kw_only=True):
    """The token of an app or custom app: never expires, until somebody in the PIM revokes it."""

    token: str

    def __repr__(self) -> str:
        return "AppToken()"


Credentials = ConnectionCredentials | AppToken


def credentials_from(fields: Mapping[str, object], *, source: str) -> Credentials:
    """Take credentials from the fields of a secret, a profile or the environment.

    ConfigurationError names `source` and the missing fields, never a value.
    """
    if fields.get("app_token"):
        return AppToken(token=_word(fields, "app_token", source))
    missing = [key for key in CONNECTION_KEYS if not fields.get(key)]
    if missing:
        raise ConfigurationError(f"{source} lacks {', '.join(missing)}; it must hold {EXPECTED}.")
    client_id, secret, username, password = (_word(fields, key, source) for key in CONNECTION_KEYS)
    return ConnectionCredentials(
        client_id=client_id, secret=secret, username=username, password=password
    )


def read_credentials(secrets: SecretsManagerClient, secret_id: str) -> Credentials:
    """Read credentials from AWS Secrets Manager; `secret_id` is a name or an ARN.

    Raises ConfigurationError if the secret is not there, not readable or not as expected, and
    TransientError if Secrets Manager does not answer.
    """
    text = _secret_text(secrets, secret_id)
    try:
        fields = json.loads(text)
    except ValueError:
        # Not chained: the JSON error carries the text, which is the secret.
        fields = None
    if not isinstance(fields, dict):
        raise ConfigurationError(f"secret {secret_id} is not a JSON object; it must be {EXPECTED}.")
    return credentials_from(fields, source=f"secret {secret_id}")


def _secret_text(secrets: SecretsManagerClient, secret_id: str) -> str:
    with translated(f"secret {secret_id} cannot be read"):
        return secrets.get_secret_value(SecretId=secret_id).get("SecretString", "")


def _word(fields: Mapping[str, object], key: str, source: str) -> str:
    """Take one field; a line break in it would end up in a header, and in an error message."""
    value = fields[key]
    if not isinstance(value, str):
        raise ConfigurationError(f"{source}: {key} must be a text in quotes.")
    word = value.strip() if key != "password" else value
    if not word.isprintable() or (key != "password" and not word.isascii()):
        raise ConfigurationError(f"{source}: {key} holds characters that credentials never have.")
    return word


# The PIM's access token and where workers share it.
#
# A password grant per process is wasteful (https://api.akeneo.com/php-client/authentication.html),
# so a token is kept, renewed at 80 % of its life, and may be shared through a `TokenStore`.


RENEW_AFTER = 0.8


class Token(Struct, frozen=True, kw_only=True):
    """Times are seconds since the epoch. A refresh token is used once: renewing gives both anew."""

    access_token: str
    refresh_token: str | None
    issued_at: float
    expires_at: float

    def __repr__(self) -> str:
        return f"Token(issued_at={self.issued_at}, expires_at={self.expires_at})"

    def is_due(self, now: float) -> bool:
        return now >= self.issued_at + RENEW_AFTER * (self.expires_at - self.issued_at)

    def is_expired(self, now: float) -> bool:
        return now >= self.expires_at


class TokenStore(Protocol):
    """Where a token is kept between calls, and between workers."""

    def load(self) -> Token | None:
        """Return the newest token that any worker has saved."""

    def save(self, token: Token, *, replaces: Token | None) -> Token:
        """Keep `token`, unless another worker was quicker; give the one that is to be used."""


class MemoryTokenStore:
    """Keeps the token for one process."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token, *, replaces: Token | None) -> Token:  # noqa: ARG002 - protocol
        self._token = token
        return token


# A token shared by all workers through one item of a DynamoDB table.
#
# The item: `pk` = `token#<name>`, `access` and `refresh` (S), `issued` and `expires` (N, seconds
# since the epoch). The table must be encrypted and readable by the connector only.


NO_TOKEN = "-"  # noqa: S105 - what is written where there is no refresh token


class DynamoDbTokenStore:
    """`name` tells connections apart, `product` and `assets` for example: one token each."""

    def __init__(self, client: DynamoDBClient, table: str, name: str) -> None:
        self._client = client
        self._table = table
        self._key = f"token#{name}"

    def load(self) -> Token | None:
        """Raises TransientError where DynamoDB does not answer."""
        with translated(f"the PIM's token cannot be read from {self._table}"):
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": self._key}}, ConsistentRead=True
            )
        item = answer.get("Item")
        return _token(item) if item else None

    def save(self, token: Token, *, replaces: Token | None) -> Token:
        """Write it if the item is still the one that was read; else give the other worker's.

        Raises TransientError where DynamoDB does not answer.
        """
        try:
            with translated(f"the PIM's token cannot be stored in {self._table}"):
                self._put(token, replaces)
        except ConditionFailedError:
            return self.load() or token
        return token

    def _put(self, token: Token, replaces: Token | None) -> None:
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": self._key},
            "access": {"S": token.access_token},
            "refresh": {"S": token.refresh_token or NO_TOKEN},
            "issued": {"N": repr(token.issued_at)},
            "expires": {"N": repr(token.expires_at)},
        }
        if replaces is None:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
            return
        self._client.put_item(
            TableName=self._table,
            Item=item,
            ConditionExpression="attribute_not_exists(pk) OR access = :seen",
            ExpressionAttributeValues={":seen": {"S": replaces.access_token}},
        )


def _token(item: dict[str, AttributeValueTypeDef]) -> Token:
    refresh = item["refresh"]["S"]
    return Token(
        access_token=item["access"]["S"],
        refresh_token=None if refresh == NO_TOKEN else refresh,
        issued_at=float(item["issued"]["N"]),
        expires_at=float(item["expires"]["N"]),
    )


# Puts the access token on every request, and gets and renews it.
#
# https://api.akeneo.com/documentation/authentication.html. The token route answers wrong
# credentials
# with 422, not 401, and takes at most 300 bytes.


BEFORE_CALL = "pim_connector.before_call"
"""The request's extension that waits until it may go out: for a slot of those that are counted."""

TOKEN_PATH = "/api/oauth/v1/token"  # noqa: S105 - a path
TOKEN_BODY_LIMIT = 300

Flow = Generator[httpx.Request, httpx.Response, None]
K = TypeVar("K", AppToken, ConnectionCredentials)
Renewal = Generator[httpx.Request, httpx.Response, Token]


def auth_for(
    credentials: Credentials | Callable[[], Credentials],
    store: TokenStore,
    *,
    now: Callable[[], float],
) -> httpx.Auth:
    """Return the auth for credentials; a callable is asked now, and again when they fail."""
    if not callable(credentials):
        fixed = credentials
        return auth_for(lambda: fixed, store, now=now)
    return CurrentAuth(credentials, store, now=now)


class _OtherKindError(Exception):
    """What is kept now are credentials of the other kind."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__("the credentials are of another kind now")
        self.credentials = credentials


class CurrentAuth(httpx.Auth):
    """A connection's auth or an app's, whichever the credentials are of.

    Somebody may connect the app while workers run with a connection: they go on with its token as
    soon as the connection's credentials fail.
    """

    def __init__(
        self, read: Callable[[], Credentials], store: TokenStore, *, now: Callable[[], float]
    ) -> None:
        self._read = read
        self._store = store
        self._now = now
        self._auth = self._auth_of(read())

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        try:
            yield from self._auth.sync_auth_flow(request)
        except _OtherKindError as other:
            self._auth = self._auth_of(other.credentials)
            yield from self._auth.sync_auth_flow(request)

    def _auth_of(self, credentials: Credentials) -> AppTokenAuth | ConnectionAuth:
        if isinstance(credentials, AppToken):
            return AppTokenAuth(credentials, _same_kind(self._read, AppToken))
        read_again = _same_kind(self._read, ConnectionCredentials)
        return ConnectionAuth(credentials, read_again, self._store, now=self._now)


def _same_kind(read: Callable[[], Credentials], kind: type[K]) -> Callable[[], K]:
    def read_again() -> K:
        credentials = read()
        if not isinstance(credentials, kind):
            raise _OtherKindError(credentials)
        return credentials

    return read_again


class AppTokenAuth(httpx.Auth):
    """A static bearer: a 401 is final, unless the token has been replaced where it is kept."""

    def __init__(self, credentials: AppToken, read_again: Callable[[], AppToken]) -> None:
        self._credentials = credentials
        self._read_again = read_again

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        used = self._credentials
        response = yield _bearing(request, used.token)
        if response.status_code == 401:
            self._credentials = self._read_again()
            if self._credentials != used:
                yield _bearing(request, self._credentials.token)


class ConnectionAuth(httpx.Auth):
    """Password grant, then refresh; back to the password grant when the refresh is refused.

    Renews before the token ends, and once more on a 401, after which the request is sent again
    once. Of several threads one renews and the others take its token. When the old token is of no
    use any more the credentials are read again, so that a rotated secret needs no restart.
    """

    def __init__(
        self,
        credentials: ConnectionCredentials,
        read_again: Callable[[], ConnectionCredentials],
        store: TokenStore,
        *,
        now: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._are_fresh = True
        self._read_again = read_again
        self._store = store
        self._now = now
        self._token: Token | None = None
        self._renewing = threading.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        token = self._token
        if token is None or token.is_due(self._now()):
            token = yield from self._newer_than(token, request, may_keep=True)
        response = yield _bearing(request, token.access_token)
        if response.status_code == 401 and (shared := self._shared_instead_of(token)):
            token = shared
            response = yield _bearing(request, token.access_token)
        if response.status_code == 401:
            token = yield from self._newer_than(token, request, may_keep=False)
            yield _bearing(request, token.access_token)

    def _shared_instead_of(self, old: Token | None) -> Token | None:
        """Return a newer token that another thread or worker has got, where there is one."""
        shared = self._token if self._token is not old else self._store.load()
        if shared is None or shared == old or shared.is_due(self._now()):
            return None
        self._token = shared
        return shared

    def _newer_than(self, old: Token | None, request: httpx.Request, *, may_keep: bool) -> Renewal:
        """Take a newer token that is shared, else renew.

        `may_keep`: the old one still works for a while, so a PIM that cannot renew it now is no
        reason to fail.
        """
        with self._renewing:
            shared = self._shared_instead_of(old)
            if shared is not None:
                return shared
            stale = self._store.load() or old
            try:
                token = yield from self._renew(stale, request)
            except TransientError:
                if may_keep and stale is not None and not stale.is_expired(self._now()):
                    self._token = stale
                    return stale
                raise
            self._token = self._store.save(token, replaces=stale)
            return self._token

    def _renew(self, stale: Token | None, request: httpx.Request) -> Renewal:
        if stale is not None and stale.refresh_token is not None:
            grant = {"grant_type": "refresh_token", "refresh_token": stale.refresh_token}
            response = yield self._token_request(grant, request)
            response.read()
            if response.status_code == 200:
                return self._token_in(response)
            if is_transient(response.status_code):
                raise failure(response, "the token route", now=self._now())
        if not self._are_fresh:
            self._credentials = self._read_again()
        self._are_fresh = False
        password = {
            "grant_type": "password",
            "username": self._credentials.username,
            "password": self._credentials.password,
        }
        response = yield self._token_request(password, request)
        response.read()
        if response.status_code != 200:
            raise self._refused(response)
        return self._token_in(response)

    def _token_request(self, grant: dict[str, str], request: httpx.Request) -> httpx.Request:
        """Build it with the time-outs of the request that needs the token."""
        body = json.dumps(grant, separators=(",", ":"), ensure_ascii=False).encode()
        if len(body) > TOKEN_BODY_LIMIT and grant["grant_type"] == "password":
            raise CredentialsError(
                f"username and password make a token request of {len(body)} bytes; the PIM takes"
                f" {TOKEN_BODY_LIMIT}. Return the connection a shorter password."
            )
        pair = f"{self._credentials.client_id}:{self._credentials.secret}"
        prefix = request.url.path.partition("/api/rest/")[0]
        return httpx.Request(
            "POST",
            request.url.copy_with(path=prefix + TOKEN_PATH, query=None),
            content=body,
            headers={
                "Authorization": f"Basic {b64encode(pair.encode()).decode()}",
                "Content-Type": "application/json",
                "User-Agent": request.headers["User-Agent"],
            },
            extensions={"timeout": request.extensions.get("timeout", {})},
        )

    def _token_in(self, response: httpx.Response) -> Token:
        try:
            answer: Any = response.json()
            access, lifetime = str(answer["access_token"]), float(answer["expires_in"])
            refresh = answer.get("refresh_token")
        except (ValueError, KeyError, TypeError, AttributeError):
            access, lifetime, refresh = "", 0.0, None
        if not access.isascii() or not access.isprintable() or not access or lifetime <= 0:
            raise ConfigurationError(
                f"{response.url} answers, but not with a token: is this the URL of the PIM?"
            )
        now = self._now()
        return Token(
            access_token=access,
            refresh_token=None if refresh is None else str(refresh),
            issued_at=now,
            expires_at=now + lifetime,
        )

    def _refused(self, response: httpx.Response) -> Exception:
        error = failure(response, "the token route", now=self._now())
        if isinstance(error, TransientError):
            return error
        if response.status_code in (400, 401, 403, 413, 422):
            return CredentialsError(
                f"{str(error).rstrip('.')}. Check client id, secret, username and password against"
                " Connect > Connection settings in the PIM: a regenerated secret or password"
                " replaces the old one at once, and the connection's user must be enabled."
            )
        return ConfigurationError(f"{error} Check the PIM's URL: {response.url.host}.")


def _bearing(request: httpx.Request, token: str) -> httpx.Request:
    """Return the request ready to go out, when it may: see `BEFORE_CALL`."""
    wait: Callable[[], None] | None = request.extensions.get(BEFORE_CALL)
    if wait is not None:
        wait()
    request.headers["Authorization"] = f"Bearer {token}"
    return request
