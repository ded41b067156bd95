"""The connector as an App of the PIM: connected by a consent, and the PIM's users signed in by it.

OAuth 2.0 with an authorization code and Akeneo's own challenge, which never sends the secret:
https://api.akeneo.com/apps/authentication-and-authorization.html. *Connect* and *Open app* in the
PIM are the same request; the second time the PIM asks nobody, and says in the id token who it is.

The app's client id and secret, and the token that the PIM gives, are fields of the same secret as
a connection's four words (`AKENEO_SECRET_ARN`). All functions read it; where it has a token, that
counts. The token never ends, until somebody in the PIM disconnects the app.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets as random_words
import ssl
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.console.openid import PimUser, verify_id_token
from pim_connector.console.sessions import OneTime
from pim_connector.console.web import Answer, Request, redirect, set_cookie
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

STATE_COOKIE: Final = "__Host-pim-connector-state"
STATE_SECONDS: Final = 900
"""A quarter of an hour to log in to the PIM and read what it asks."""
AUTHORIZE: Final = "/connect/apps/v1/authorize"
TOKEN: Final = "/connect/apps/v1/oauth2/token"  # noqa: S105  a path
PUBLIC_KEY: Final = "/connect/apps/v1/openid/public-key"
PROBE: Final = "/api/rest/v1/system-information"
TIMEOUT_SECONDS: Final = 10.0
"""The code lives for 30 seconds."""

State = Literal["not set up", "not connected", "connected", "connect again"]


class App(Struct, frozen=True, kw_only=True):
    """The app as the PIM created it. Never shown."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"App(client_id={self.client_id!r})"


class Completed(Struct, frozen=True, kw_only=True):
    """What a callback came to. `user` is None where the PIM gave no id token."""

    user: PimUser | None
    next: str
    newly_connected: bool


class AppSecret:
    """The secret with the PIM's credentials, read and written in AWS Secrets Manager."""

    def __init__(self, client: SecretsManagerClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def read(self) -> dict[str, Any]:
        """Return its fields; none where it has not been written yet."""
        try:
            text = self._client.get_secret_value(SecretId=self._arn).get("SecretString", "")
        except ClientError as error:
            raise self._meaning(error, "read") from error
        except BotoCoreError as error:
            raise TransientError(f"the PIM's secret cannot be read now: {error}") from error
        try:
            fields = json.loads(text or "{}")
        except ValueError:
            fields = None  # not chained: the JSON error carries the text, which is the secret
        if not isinstance(fields, dict):
            raise ConfigurationError(f"secret {self._arn} is not a JSON object; make it one")
        return fields

    def update(self, **changed: str) -> None:
        """Write some fields and keep the others; Secrets Manager keeps the version before."""
        text = json.dumps(self.read() | changed)
        try:
            self._client.put_secret_value(SecretId=self._arn, SecretString=text)
        except ClientError as error:
            raise self._meaning(error, "written") from error
        except BotoCoreError as error:
            raise TransientError(f"the PIM's secret cannot be written now: {error}") from error

    def wants_extensions(self) -> bool:
        """Return whether somebody asked for tabs and actions in the PIM's pages."""
        return bool(self.read().get("app_extensions"))

    def keep_app(self, app: App) -> None:
        """Keep an app's client id and secret; the token of another app is forgotten."""
        known = self.read().get("app_client_id")
        forgotten = {} if known in (None, app.client_id) else {"app_token": "", "app_scopes": ""}
        self.update(app_client_id=app.client_id, app_client_secret=app.client_secret, **forgotten)

    def _meaning(self, error: ClientError, verb: str) -> Exception:
        code = error.response["Error"]["Code"]
        text = f"secret {self._arn} cannot be {verb}: {code}"
        if code in ("ThrottlingException", "InternalServiceError", "ServiceUnavailable"):
            return TransientError(text)
        return ConfigurationError(f"{text}; check that it exists and the rights of this function")


class AppConnection:
    """Connects the app and signs its users in. `scopes` is asked at each authorization."""

    def __init__(
        self,
        *,
        pim_url: str,
        secret: AppSecret,
        one_time: OneTime,
        scopes: Callable[[], tuple[str, ...]],
        now: Callable[[], float],
        new_http: Callable[[], httpx.Client] | None = None,
        new_word: Callable[[], str] = lambda: random_words.token_urlsafe(32),
    ) -> None:
        self.pim_url = origin_of(pim_url)
        self._secret = secret
        self._one_time = one_time
        self._scopes = scopes
        self._now = now
        self._new_http = new_http or _http_client
        self._new_word = new_word

    def app(self) -> App | None:
        """Return the app's client id and secret, or None where nobody has entered them."""
        fields = self._secret.read()
        if not (fields.get("app_client_id") and fields.get("app_client_secret")):
            return None
        return App(
            client_id=str(fields["app_client_id"]), client_secret=str(fields["app_client_secret"])
        )

    def keep_app(self, client_id: str, client_secret: str) -> None:
        """Keep what the PIM showed when the app was created there."""
        self._secret.keep_app(checked_app(client_id, client_secret))

    def state(self) -> State:
        """Return how the app stands with the PIM now; asks the PIM once.

        TransientError where the PIM does not answer.
        """
        fields = self._secret.read()
        if not fields.get("app_client_id"):
            return "not set up"
        if not fields.get("app_token"):
            return "not connected"
        return "connected" if self._works(str(fields["app_token"])) else "connect again"

    def activated(self, request: Request) -> Answer:
        """Answer the activate URL, which the PIM opens and anybody can: only for our own PIM."""
        named = request.query.get("pim_url", "")
        if not _is_same(named, self.pim_url):
            raise RejectedError(
                f"this console serves {self.pim_url} only. Open the app from that PIM, or deploy a"
                " stack of its own for the other one."
            )
        return self.authorize()

    def authorize(self, *, next_path: str = "/") -> Answer:
        """Send the browser to the PIM, with a state that only this browser can bring back."""
        app = self._app_or_advice()
        state, browser, nonce = (self._new_word() for _ in range(3))
        holds = {"browser": _hash(browser), "nonce": nonce, "next": next_path}
        self._one_time.issue("state", state, seconds=STATE_SECONDS, holds=holds)
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "scope": " ".join(self._scopes()),
            "state": state,
            "nonce": nonce,
        }
        cookie = set_cookie(STATE_COOKIE, browser, seconds=STATE_SECONDS)
        return redirect(f"{self.pim_url}{AUTHORIZE}?{urlencode(query)}", cookie)

    def completed(self, request: Request) -> Completed:
        """Take the PIM's answer: exchange the code, verify who it is, keep the token.

        Nothing is kept unless all of it is right. RejectedError says what was not.
        """
        holds = self._one_time.take("state", request.query.get("state", ""))
        browser = request.cookies.get(STATE_COOKIE, "")
        if holds is None or not hmac.compare_digest(holds["browser"], _hash(browser)):
            raise RejectedError(
                "this answer of the PIM belongs to no sign-in of this browser, or came too late or"
                " twice. Open the app in the PIM again."
            )
        if request.query.get("error"):
            raise RejectedError(_refusal(request.query))
        app = self._app_or_advice()
        granted = self._exchange(app, request.query.get("code", ""))
        user = self._user(app, granted, holds["nonce"])
        kept = self._keep(str(granted["access_token"]), str(granted.get("scope", "")))
        return Completed(user=user, next=holds["next"], newly_connected=kept)

    def _app_or_advice(self) -> App:
        app = self.app()
        if app is None:
            raise RejectedError(
                "the app is not set up yet. Create it in the PIM (Connect › App Store › Create an"
                " App) and enter its client id and secret under Settings › Connection, or with"
                " `pim-connector app connect`."
            )
        return app

    def _exchange(self, app: App, code: str) -> dict[str, Any]:
        if not code:
            raise RejectedError("the PIM sent no code. Open the app in the PIM again.")
        identifier = random_words.token_hex(30)
        challenge = hashlib.sha256((identifier + app.client_secret).encode()).hexdigest()
        form = {
            "client_id": app.client_id,
            "code": code,
            "grant_type": "authorization_code",
            "code_identifier": identifier,
            "code_challenge": challenge,
        }
        answer = self._called("POST", TOKEN, data=form)
        body = _object(answer)
        if answer.status_code != 200 or not isinstance(body.get("access_token"), str):
            raise RejectedError(
                "the PIM did not accept the connection:"
                f" {_shown(body.get('error_description') or body.get('error'))}."
                " Open the app in the PIM again; if it goes on, compare client id and secret."
            )
        return body

    def _user(self, app: App, granted: dict[str, Any], nonce: str) -> PimUser | None:
        token = granted.get("id_token")
        if not isinstance(token, str):
            return None
        certificate = _object(self._called("GET", PUBLIC_KEY)).get("public_key")
        return verify_id_token(
            token,
            str(certificate),
            issuer=self.pim_url,
            client_id=app.client_id,
            nonce=nonce,
            now=self._now(),
        )

    def _keep(self, token: str, scopes: str) -> bool:
        """Keep a token where the one we have is gone, works no longer or allows something else.

        Each *Open app* brings a new one, and the secret would have a version for each.
        """
        fields = self._secret.read()
        old = fields.get("app_token")
        granted = " ".join(sorted(scopes.split()))
        if old and fields.get("app_scopes") == granted and self._works(str(old)):
            return False
        self._secret.update(app_token=token, app_scopes=granted)
        return True

    def _works(self, token: str) -> bool:
        answer = self._called("GET", PROBE, headers={"authorization": f"Bearer {token}"})
        return answer.status_code != 401

    def _called(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            with self._new_http() as http:
                answer = http.request(method, self.pim_url + path, **request)
        except httpx.HTTPError as error:
            kind = type(error).__name__  # not chained: it may hold what was sent
            raise TransientError(f"the PIM did not answer {path} ({kind}); try again") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TransientError(f"the PIM answered {path} with {answer.status_code}; try again")
        return answer


def _http_client() -> httpx.Client:
    """Make a client for one call: a function that sleeps holds no connection open."""
    return httpx.Client(timeout=TIMEOUT_SECONDS, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def checked_app(client_id: str, client_secret: str) -> App:
    """Return an app as somebody typed it. RejectedError where a word is missing or broken."""
    words = (client_id.strip(), client_secret.strip())
    if not all(word and word.isascii() and word.isprintable() for word in words):
        raise RejectedError(
            "client id and secret are needed, as the PIM showed them when the app was created"
        )
    return App(client_id=words[0], client_secret=words[1])


def origin_of(url: str) -> str:
    """Return scheme, host and port of a PIM's address, as its id tokens name it (`iss`)."""
    try:
        read = httpx.URL(url.strip())
    except (httpx.InvalidURL, TypeError):
        raise RejectedError("the PIM's address cannot be read") from None
    if read.scheme not in ("http", "https") or not read.host or read.userinfo:
        raise RejectedError("the PIM's address must look like https://my-pim.example.com")
    return f"{read.scheme}://{read.netloc.decode('ascii')}"


def _is_same(named: str, pim_url: str) -> bool:
    try:
        return origin_of(named) == pim_url and httpx.URL(named).path in ("", "/")
    except RejectedError:
        return False


def _refusal(query: Any) -> str:
    if query["error"] == "access_denied":
        return "nobody agreed in the PIM. Open the app there again when you want to connect it."
    return f"the PIM says: {_shown(query.get('error_description') or query['error'])}"


def _shown(text: object) -> str:
    return str(text)[:200] if text else "no reason was given"


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
