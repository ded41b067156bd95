"""Who is signed in, for how long, and what is good for one use only.

A session is a signed cookie: short, bound to the stack that signed it, unreadable for scripts.
Each sign-in begins a new one, so an identifier that somebody planted in a browser is worth
nothing. What pages need:

    session = door.session(request)             None: send the browser to /sign-in
    sessions.form_token(session)                the hidden field `token` of every form
    sessions.check_change(session, request)     before every change; RejectedError says why not
    session.acts, session.actor                 may change something; who, for the run's record
    sessions.renewed(session)                   a Set-Cookie for pages that are opened, or None
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.table import ItemChange, Table
from pim_connector.console.tokens import derived_key, sign, verified
from pim_connector.console.web import Request, set_cookie
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

COOKIE: Final = "__Host-pim-connector"
SESSION_SECONDS: Final = 3_600
"""A session that nobody uses ends after an hour, one in use after a working day."""
LONGEST_SECONDS: Final = 10 * 3_600
LEAST_KEY: Final = 32
CODE_SECONDS: Final = 300
CODE_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O, U: nothing that is read as something else (Crockford's base 32)."""
CODE_LENGTH: Final = 16
FORM_TOKEN: Final = "token"  # noqa: S105  the name of a field

Way = Literal["pim", "aws"]
Kind = Literal["state", "code", "action"]


class Session(Struct, frozen=True, kw_only=True):
    """One person at one browser. Times are epoch seconds.

    `subject` is the PIM's own name for the user (`sub`), or the AWS identity behind a code.
    """

    id: str
    subject: str
    name: str
    way: Way
    started: float
    until: float
    acts: bool = False

    @property
    def actor(self) -> str:
        """Who did it, as a run's record and the logs say it."""
        return f"{self.name} ({'PIM user' if self.way == 'pim' else 'AWS'} {self.subject})"


class OneTime:
    """What is good once and for a short time: states, codes, signatures of actions.

    Items of the state table; its time to live takes them away. The table holds hashes only, so
    whoever may read it can use nothing of it.
    """

    def __init__(self, table: Table, *, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    def issue(
        self, kind: Kind, word: str, *, seconds: int, holds: Mapping[str, str] | None = None
    ) -> None:
        """Make a word good for one use within so many seconds; `holds` comes back with it."""
        until = int(self._now()) + seconds
        self._table.put({**_key(kind, word), "expires_at": until, "holds": dict(holds or {})})

    def take(self, kind: Kind, word: str) -> dict[str, str] | None:
        """Use a word up and return what it holds; None if it is unknown, too old or used."""
        taken = self._table.update(
            _key(kind, word),
            ItemChange(
                put={"used": True},
                condition="#expires_at > :now AND attribute_not_exists(#used)",
                given={"now": int(self._now())},
            ),
        )
        return None if taken is None else {str(k): str(v) for k, v in taken["holds"].items()}

    def first(self, kind: Kind, word: str, *, seconds: int) -> bool:
        """Return whether a word of somebody else's comes for the first time, and remember it."""
        until = int(self._now()) + seconds
        change = ItemChange(
            put={"expires_at": until}, condition="attribute_not_exists(#expires_at)"
        )
        return self._table.update(_key(kind, word), change) is not None


def _key(kind: str, word: str) -> dict[str, str]:
    return {"pk": f"console#{kind}#{hashlib.sha256(word.encode()).hexdigest()}"}


def read_key(client: SecretsManagerClient, arn: str) -> bytes:
    """Return the stack's key, which its template made: all that is signed here is signed by it.

    ConfigurationError for one that cannot be read or is too short to sign with.
    """
    try:
        key = client.get_secret_value(SecretId=arn).get("SecretString", "").encode()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise ConfigurationError(f"the console's key {arn} cannot be read: {code}") from error
    except BotoCoreError as error:
        raise TransientError(f"the console's key cannot be read now: {error}") from error
    if len(key) < LEAST_KEY:
        raise ConfigurationError(f"the console's key {arn} has fewer than {LEAST_KEY} characters")
    return key


def new_code() -> str:
    """Return a code for people, 80 random bits: `7K2M-90QX-…`."""
    letters = [secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, CODE_LENGTH, 4))


def plain_code(typed: str) -> str:
    """Return a code as it is stored, however it was typed."""
    letters = typed.upper().translate(str.maketrans("ILO", "110"))
    return "".join(letter for letter in letters if letter in CODE_LETTERS)


def issue_code(one_time: OneTime, *, subject: str, name: str) -> str:
    """Make a one-time code for somebody whom AWS knows, and return it.

    Whoever may write the state table may make one: AWS rights vouch for the person.
    """
    code = new_code()
    holds = {"subject": subject, "name": name}
    one_time.issue("code", plain_code(code), seconds=CODE_SECONDS, holds=holds)
    return code


class Sessions:
    """Starts, reads, renews and ends sessions of one stack.

    `key` is the stack's own; `stack` is in every token, so that a cookie of another stack with
    the same key is refused.
    """

    def __init__(
        self,
        *,
        key: bytes,
        stack: str,
        table: Table,
        now: Callable[[], float],
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(16),
    ) -> None:
        self._cookie_key = derived_key(key, "session")
        self._form_key = derived_key(key, "form")
        self._stack = stack
        self._table = table
        self._now = now
        self._new_id = new_id

    def start(self, *, subject: str, name: str, way: Way) -> Session:
        """Begin a session with an id of its own, whatever cookie the browser brought."""
        now = self._now()
        return Session(
            id=self._new_id(),
            subject=subject,
            name=name,
            way=way,
            started=now,
            until=now + SESSION_SECONDS,
        )

    def cookie(self, session: Session) -> str:
        """Return the Set-Cookie of a session."""
        claims = msgspec.to_builtins(replace(session, acts=False))
        token = sign(
            {**claims, "aud": self._stack, "iat": session.started, "exp": session.until},
            self._cookie_key,
        )
        return set_cookie(COOKIE, token, seconds=int(session.until - self._now()))

    def read(self, request: Request) -> Session | None:
        """Return the session of a request's cookie; None without a good one."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return None
        try:
            claims = verified(
                token,
                self._cookie_key,
                algorithm="HS256",
                now=self._now(),
                require=("aud", "id", "subject", "way"),
                audience=self._stack,
            )
            session = msgspec.convert({**claims, "acts": False}, Session)
        except (RejectedError, msgspec.ValidationError):
            return None
        return None if self._table.get(_key("ended", session.id)) else session

    def renewed(self, session: Session) -> str | None:
        """Return a cookie that lasts longer, for one in the second half of its time."""
        now = self._now()
        until = min(now + SESSION_SECONDS, session.started + LONGEST_SECONDS)
        if session.until - now > SESSION_SECONDS / 2 or until <= session.until:
            return None
        return self.cookie(replace(session, until=until))

    def end(self, session: Session) -> str:
        """End a session for every copy of its cookie; return the Set-Cookie that removes it."""
        until = int(session.started) + LONGEST_SECONDS + SESSION_SECONDS
        self._table.put({**_key("ended", session.id), "expires_at": until})
        return set_cookie(COOKIE, "", seconds=0)

    def form_token(self, session: Session) -> str:
        """Return the hidden field that says: this form came from a page of this session."""
        return hmac.new(self._form_key, session.id.encode(), hashlib.sha256).hexdigest()

    def check_change(self, session: Session, request: Request) -> None:
        """Raise RejectedError unless this request may change something.

        It must come from a form of this session, from a page of this site, by POST, and from
        somebody who may act.
        """
        if request.method != "POST":
            raise RejectedError("a change is sent by POST; use the button of the page")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise RejectedError("this change came from another site's page and was not made")
        sent = request.form().get(FORM_TOKEN, "").encode()
        if not hmac.compare_digest(sent, self.form_token(session).encode()):
            raise RejectedError("this page is too old to be sent; open it again and repeat")
        if not session.acts:
            raise RejectedError(
                f"{session.name} may look but not change anything; somebody who may adds you "
                "under Settings › People"
            )
