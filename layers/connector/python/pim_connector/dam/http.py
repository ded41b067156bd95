"""A described request as it goes over the wire: address, headers and content, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import random
import re
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit, urlunsplit

import httpx
import msgspec
from msgspec import Struct

from pim_connector.dam.expressions import Expression
from pim_connector.dam.source import (
    ABSENT,
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    HeaderAuth,
    LoginAuth,
    NoAuth,
    QueryAuth,
    Request,
    SignerAuth,
    Source,
    Values,
    fill,
    fill_text,
)
from pim_connector.errors import ConfigurationError, RejectedError, TransientError


def _address_of(request: Request, base_url: str, known: Values) -> str:
    """Fill in path and parameters. A `path` that is a whole address is taken as it is."""
    path = fill_text(request.path, known, quote=lambda text: quote(text, safe=""))
    is_whole = request.path.startswith(("http://", "https://"))
    url = path if is_whole else base_url.rstrip("/") + "/" + path.lstrip("/")
    query = query_string(request.params, known)
    return url + ("&" if "?" in url else "?") + query if query else url


def _content_of(request: Request, known: Values) -> tuple[bytes | None, dict[str, str]]:
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


# How long to wait before a DAM is asked again: what it says, in all the ways DAMs say it.


FIRST_WAIT_S = 1.0
LONGEST_BACKOFF_S = 60.0
MOST_DOUBLINGS = 10
_YEAR_S = 31_536_000


def wait_named(headers: Mapping[str, str], names: Iterable[str], now: float) -> float | None:
    """Return the seconds to wait that the answer names, None where it names none.

    Seen: seconds (`Retry-After: 30`), an HTTP date, epoch seconds or milliseconds, ISO 8601
    (Acquia's `X-Ratelimit-Reset`), all by the DAM's clock: its `Date` header is now, where there
    is one. `now` is our clock, in epoch seconds.
    """
    there = _moment(headers.get("Date", "")) or now
    found = [_seconds(value, there) for name in names if (value := headers.get(name))]
    waits = [max(0.0, wait) for wait in found if wait is not None]
    return max(waits) if waits else None


def backoff(attempt: int, jitter: float) -> float:
    """Full jitter for an answer that names no time: `jitter` (0 ≤ chance < 1) of a growing wait.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    longest = FIRST_WAIT_S * 2 ** min(attempt, MOST_DOUBLINGS)
    return float(min(LONGEST_BACKOFF_S, longest)) * jitter


def _seconds(value: str, now: float) -> float | None:
    text = value.strip()
    try:
        number = float(text)
    except ValueError:
        moment = _moment(text)
        return None if moment is None else moment - now
    if number > 1000 * _YEAR_S:  # milliseconds of the epoch
        return number / 1000 - now
    return number - now if number > _YEAR_S else number


def _moment(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


# Proving to a DAM who we are: each kind of `auth` as an httpx.Auth.


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
            request.url = _with_parameter(request.url, self._name, self._value)
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
            request.url = _with_parameter(request.url, described.parameter, signature)
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
        expired: Callable[[httpx.Response], bool] = lambda _: False,
    ) -> None:
        self._login, self._read, self._put, self._refused = login, read, put, refused
        self._expired = expired
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        fresh = self._token is None
        if fresh:
            self._token = self._read((yield self._login()))
        plain = request.url
        self._put(request, self._token or "")
        response = yield request
        refused = response.status_code in self._refused or self._expired(response)
        if refused and not fresh:
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
        content, headers = _content_of(described.request, values)
        common = {name: fill_text(value, values) for name, value in source.headers.items()}
        return httpx.Request(
            described.request.method or "POST",
            _address_of(described.request, source.base_url, values),
            headers={"Accept": "application/json", **common, **headers},
            content=content,
        )

    def put(request: httpx.Request, found: str) -> None:
        if described.parameter:
            request.url = _with_parameter(request.url, described.parameter, found)
        else:
            known = {**values, "token": found}
            request.headers[described.header] = fill_text(described.value, known)

    keys = f"auth.request, and auth.token, which is `{described.token}`"
    read = partial(_token, token=token, keys=keys)
    when = described.expired_when
    expired = partial(_says, Expression(when, where="auth.expired_when")) if when else _signed_out
    return _Token(login, read, put, described.expired_status, expired)


_SIGNED_OUT = frozenset({"UNAUTHENTICATED", "TOKEN_EXPIRED", "INVALID_TOKEN", "UNAUTHORIZED"})


def _signed_out(response: httpx.Response) -> bool:
    """Say whether GraphQL says, with status 200, that the sign-in has expired."""
    if response.status_code != 200 or b'"errors"' not in response.content:
        return False
    codes = Expression("errors[].extensions.code", where="auth")
    found = _json_of(response)
    try:
        return bool(_SIGNED_OUT & set(map(str, codes.read(found) or ())))
    except RejectedError:
        return False


def _says(condition: Expression, response: httpx.Response) -> bool:
    return response.status_code == 200 and condition.holds(_json_of(response))


def _json_of(response: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


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


def _with_parameter(url: httpx.URL, name: str, value: str) -> httpx.URL:
    """Add a parameter at the end of the query and leave the rest as it is, byte for byte."""
    more = f"{quote(name, safe='')}={quote(value, safe='')}".encode("ascii")
    return url.copy_with(query=url.query + b"&" + more if url.query else more)


# Asking a DAM: requests as a source file describes them, as fast as it allows.


CONNECT_S = 10.0
LARGEST_ANSWER = 64 * 1024 * 1024
"""An answer is one page; what is larger would not fit beside it in a Lambda's memory."""


class Clocks(Struct, frozen=True, kw_only=True):
    """Time as the client sees it, so that tests need not wait. All in seconds."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    time_left: Callable[[], float] = lambda: 60.0


class Answer(Struct, frozen=True, kw_only=True):
    """What a DAM answered: status, headers (any case), and the body's JSON, None if empty.

    `url` is for messages: secrets are taken out of it. `asked` is what relative addresses in the
    answer are relative to, without its query.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    url: str
    asked: str


class DamHttp:
    """The requests of one source. Secrets stay in here: no message names one.

    Of a secret with several values (a list, while it is rotated) the first one is used.
    """

    def __init__(
        self,
        source: Source,
        secrets: Mapping[str, Any],
        *,
        transport: httpx.BaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        # httpx logs whole addresses at INFO, and some DAMs want the key in the address.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._source = source
        self._clocks = clocks or Clocks()
        several = {k: v if isinstance(v, list) else [v] for k, v in secrets.items()}
        self._secrets = {f"secret.{k}": str(v[0]) for k, v in several.items() if v}
        self._named = self._secrets.copy()
        self._hidden = _hidden(str(one) for values in several.values() for one in values)
        self._auth = auth_of(source, self._secrets)
        self.timeout_s = source.rate.timeout_s
        self._client = httpx.Client(
            transport=transport,
            event_hooks={"request": [self._check_headers]},
            timeout=httpx.Timeout(self.timeout_s, connect=min(CONNECT_S, self.timeout_s)),
        )
        self._next = 0.0
        self.requests = 0
        self.answers = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self, request: Request, values: Mapping[str, Any], *, expected: Iterable[int] = ()
    ) -> Answer:
        """Send a described request. Statuses of `expected` are answers too, beside 2xx.

        TransientError when the DAM cannot answer in the time left; ConfigurationError when it
        refuses the request or the credentials, or does not answer with JSON.
        """
        known = {**self._secrets, **values}
        content, headers = _content_of(request, known)
        url = _address_of(request, self._source.base_url, known)
        return self._send(request.verb, url, headers, content, frozenset(expected))

    def follow(
        self,
        url: str,
        request: Request,
        values: Mapping[str, Any],
        *,
        expected: Iterable[int] = (),
    ) -> Answer:
        """Ask for an address that the DAM gave, as `request` says: its method, headers, content.

        Only the DAM's own host is sent our credentials.
        """
        base = urlsplit(self._source.base_url)
        target = urlsplit(urljoin(self._source.base_url, url))
        if _host(target) != _host(base):
            raise ConfigurationError(
                f"the DAM says the next page is on {target.netloc}, but base_url is on "
                f"{base.netloc}, and credentials go nowhere else. Make base_url that host; or, "
                "where the DAM does not know its own name, take the page or cursor out of the "
                "address: pagination {kind: cursor, next: \"extract(…, 'cursor=([^&]*)')\"}"
            )
        content, headers = _content_of(request, {**self._secrets, **values})
        own = urlunsplit((base.scheme, base.netloc, *target[2:4], ""))
        return self._send(request.verb, own, headers, content, frozenset(expected))

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        expected: frozenset[int],
    ) -> Answer:
        rate, attempt = self._source.rate, 0
        common = {k: fill_text(v, self._secrets) for k, v in self._source.headers.items()}
        headers = {"Accept": "application/json", **common, **headers}
        while True:
            self._pace()
            try:
                answer = self._once(method, url, headers, content)
                status, problem, named = answer.status_code, f"answers {answer.status_code}", answer
            except httpx.InvalidURL as error:
                raise ConfigurationError(f"base_url or path: {self.redact(str(error))}") from error
            except httpx.RequestError as error:
                status, named = 0, None
                problem = f"cannot be reached ({type(error).__name__})"
            if named is not None and (status in expected or status not in rate.retry_status):
                read = self._read(named, method, expected)
                if read is not None:
                    self.answers += 1
                    return read
                problem = "answers with JSON that is cut off"
            names = (
                (rate.reset_header,) if isinstance(rate.reset_header, str) else rate.reset_header
            )
            wait = wait_named(named.headers, names, self._clocks.now()) if named else None
            if wait is None:
                wait = backoff(attempt, self._clocks.jitter())
            if wait > min(rate.longest_wait_s, self._clocks.time_left() - rate.timeout_s):
                raise TransientError(
                    f"{self._source.source}: the DAM at {_authority(url)} {problem} "
                    f"({attempt + 1} tries) and there is no time to wait {wait:.0f} s; the next "
                    "poll goes on from here",
                    retry_after=wait,
                )
            self._clocks.sleep(wait)
            attempt += 1

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx.Response:
        self.requests += 1
        with self._client.stream(
            method, url, headers=headers, content=content, auth=self._auth
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ConfigurationError(
                        f"{self._source.source}: an answer has more than {LARGEST_ANSWER} bytes; "
                        "ask for smaller pages (pagination.size) or fewer fields"
                    )
        headers_ = [(k, v) for k, v in response.headers.multi_items() if k != "content-encoding"]
        return httpx.Response(
            response.status_code, headers=headers_, content=bytes(body), request=response.request
        )

    def _check_headers(self, request: httpx.Request) -> None:
        """Refuse what no header can hold before it is taken for a DAM that does not answer."""
        for _, value in request.headers.raw:
            if not value.decode("latin-1").isprintable():
                raise ConfigurationError(self._no_header())

    def _no_header(self) -> str:
        """Name the secrets that no header can hold, never their values."""
        bad = [
            name
            for name, text in self._named.items()
            if not (text.isascii() and text.isprintable())
        ]
        if not bad:
            return f"{self._source.source}: a header of the source file cannot be sent; see headers"
        return (
            f"{self._source.source}: {', '.join(bad)} cannot be sent in a header: it has a line "
            "break or another character that is not printable ASCII, at its end perhaps. Store "
            "the secret again without it"
        )

    def _pace(self) -> None:
        """Keep the distance between two requests that `rate.per_s` asks for."""
        if self._source.rate.per_s is None:
            return
        now = self._clocks.now()
        if now < self._next:
            self._clocks.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self._source.rate.per_s

    def _read(
        self, response: httpx.Response, method: str, expected: frozenset[int]
    ) -> Answer | None:
        """Return the answer; None for JSON that ends too early, which the next try may not."""
        status = response.status_code
        where = self._shown(method, response.request.url)
        asked = str(response.request.url.copy_with(query=None, fragment=None))
        if status not in expected and not 200 <= status < 300:
            excerpt = self.redact(response.text)[:300]
            hint = {
                401: "check the credentials (auth, secret)",
                403: "check what the credentials may see",
                404: "check base_url and path",
            }.get(status, "check the request in the source file")
            if response.has_redirect_location:
                to = self.redact(response.headers["location"])[:300]
                hint = f"it redirects to {to}: write that address, base_url and path"
            raise ConfigurationError(f"{where} answers {status}: {hint}. It says: {excerpt}")
        if not response.content or status in expected:
            return Answer(
                status=status, headers=response.headers, body=None, url=where, asked=asked
            )
        try:
            body = msgspec.json.decode(response.content.removeprefix(BOM_UTF8))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if "truncated" in str(error):
                return None
            kind = response.headers.get("content-type", "nothing in particular")
            raise ConfigurationError(
                f"{where} answers with {kind}, which is not JSON; check base_url and path. "
                f"It begins: {self.redact(response.text)[:100]}"
            ) from error
        return Answer(status=status, headers=response.headers, body=body, url=where, asked=asked)

    def _shown(self, method: str, url: httpx.URL) -> str:
        """Return an address for people: without what proves who asks, signatures included."""
        auth = self._source.auth
        name = auth.parameter if isinstance(auth, SignerAuth | LoginAuth) else None
        if isinstance(auth, QueryAuth):
            name = auth.name
        text = str(url)
        if name:
            text = re.sub(rf"(?<=[?&]{re.escape(quote(name, safe=''))}=)[^&]*", "***", text)
        return self.redact(f"{method} {text}")

    def redact(self, text: str) -> str:
        """Take every secret out of a text that people will read."""
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return text


def _authority(url: str) -> str:
    """Return scheme, host and port of an address, for people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _hidden(secrets: Iterable[str]) -> list[str]:
    """The secrets as they may turn up in a text, longest first; very short ones hide nothing."""
    forms = {form for s in secrets if len(s) > 3 for form in (s, quote(s, safe=""), quote(s))}
    return sorted(forms, key=len, reverse=True)


def _host(parts: SplitResult) -> tuple[str | None, int]:
    """The host and port of an address; http and https are one DAM, however it names itself."""
    usual = {"http": 80, "https": 443}
    port = parts.port or usual.get(parts.scheme, 0)
    return parts.hostname, 443 if port == 80 else port
