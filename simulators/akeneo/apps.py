"""Apps: created, consented to, opened and disconnected by the PIM's users.

OAuth 2.0 with an authorization code and the PIM's own challenge, and OpenID Connect:
https://api.akeneo.com/apps/authentication-and-authorization.html. The simulator has no login: a
cookie says which of its users a browser is, Julia if it says nothing.
"""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from simulators.akeneo.accounts import WEB_API, Accounts

CODE_SECONDS = 30
ID_TOKEN_SECONDS = 3600
SIGN_IN = frozenset({"openid", "profile", "email"})
GRANTS = {
    "products": ("product",),
    "catalog_structure": ("attribute", "attribute_group", "family", "family_variant"),
    "attribute_options": ("attribute_option",),
    "categories": ("category",),
    "channel_localization": ("locale", "currency"),
    "channel_settings": ("channel",),
    "association_types": ("association_type",),
    "asset_families": ("asset_family",),
    "assets": ("asset",),
    "reference_entities": ("reference_entity",),
    "reference_entity_records": ("reference_entity_record",),
    "extensions": ("extension",),
}
"""Which resources a scope is about, without its `read_`, `write_` or `delete_`."""
ACTIONS_OF = {
    "read": ("list",),
    "write": ("list", "edit"),
    "delete": ("remove",),
    "manage": ("list", "edit", "remove"),
}
FREE = frozenset({"measurement_family_list"})
"""What every app may do."""
SCOPES = frozenset(
    {f"{verb}_{what}" for verb in ("read", "write") for what in GRANTS if what != "extensions"}
    | {"delete_products", "delete_assets", "manage_extensions"}
    | SIGN_IN
) - {"write_channel_localization"}
WORDS = {"read": "Read", "write": "Create, update and read", "delete": "Delete"}


class OAuthError(Exception):
    """An error of the token endpoint (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who works in the PIM, and what the role lets them do with apps."""

    username: str
    firstname: str
    lastname: str
    number: str
    may_manage: bool = True
    may_open: bool = True

    @property
    def uuid(self) -> str:
        """The PIM's own name of the user, the same for everybody."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.username))


@dataclass(slots=True, kw_only=True)
class App:
    """One app; `scopes` are what somebody consented to, empty until it is connected."""

    client_id: str
    secret: str
    name: str
    activate_url: str
    callback_url: str
    scopes: frozenset[str] = frozenset()
    tokens: list[str] = field(default_factory=list)
    sign_ins: dict[str, frozenset[str]] = field(default_factory=dict)
    """Which sign-in scopes each user consented to, by user name."""
    waiting: frozenset[str] = frozenset()
    """Scopes that the app said it will ask for."""

    @property
    def user(self) -> str:
        """The user of the API that the app's tokens stand for."""
        return f"app-{self.client_id}"

    def subject(self, user: User) -> str:
        """The user's name for this app and no other."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.client_id} {user.username}"))

    def lacks(self, scopes: Iterable[str], user: User) -> frozenset[str]:
        """What a user must still be asked for."""
        return frozenset(scopes) - self.scopes - self.sign_ins.get(user.username, frozenset())


@dataclass(slots=True, kw_only=True)
class _Code:
    client_id: str
    user: User
    scopes: frozenset[str]
    nonce: str
    expires: float


@dataclass(slots=True)
class Certificate:
    """The key that signs id tokens, and its certificate in PEM."""

    key: rsa.RSAPrivateKey
    pem: str


def new_certificate(now: datetime) -> Certificate:
    """A key of 2048 bits with a certificate by itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Simulated PIM")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Certificate(key=key, pem=pem)


JULIA = User(username="julia", firstname="Julia", lastname="Stark", number="1")
PETER = User(username="peter", firstname="Peter", lastname="Voss", number="2", may_manage=False)
MARY = User(
    username="mary", firstname="Mary", lastname="Lee", number="3", may_manage=False, may_open=False
)


@dataclass(slots=True, kw_only=True)
class Apps:
    """The apps of one PIM, its users, and the key that signs who they are."""

    accounts: Accounts
    now: Callable[[], datetime]
    apps: dict[str, App] = field(default_factory=dict)
    users: dict[str, User] = field(
        default_factory=lambda: {user.username: user for user in (JULIA, PETER, MARY)}
    )
    _codes: dict[str, _Code] = field(default_factory=dict)
    _certificate: Certificate | None = None

    @property
    def certificate(self) -> Certificate:
        """The certificate of now; made when it is first asked for."""
        if self._certificate is None:
            self._certificate = new_certificate(self.now().astimezone(UTC))
        return self._certificate

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self._certificate = None

    def create(self, name: str, activate_url: str, callback_url: str) -> App:
        """Create an app; its secret is shown once. Raises `ValueError` for what is missing."""
        if not name.strip():
            raise ValueError("An app needs a name.")
        for url in (activate_url, callback_url):
            if not url.startswith(("http://", "https://")):
                raise ValueError("Activate and callback URL must be absolute URLs.")
        app = App(
            client_id=secrets.token_hex(16),
            secret=secrets.token_hex(25),
            name=name.strip(),
            activate_url=activate_url,
            callback_url=callback_url,
        )
        self.apps[app.client_id] = app
        return app

    def connected(self) -> list[App]:
        """Apps that somebody connected, by name."""
        return sorted((app for app in self.apps.values() if app.tokens), key=lambda app: app.name)

    def authorize(self, app: App, user: User, asked: str, nonce: str) -> str:
        """Consent to all scopes that are asked for and make the code; unknown ones are left out."""
        scopes = known_scopes(asked)
        if scopes - SIGN_IN - app.scopes:
            app.scopes = scopes - SIGN_IN
            app.waiting = frozenset()
        app.sign_ins[user.username] = scopes & SIGN_IN
        code = secrets.token_hex(20)
        self._codes[code] = _Code(
            client_id=app.client_id,
            user=user,
            scopes=scopes,
            nonce=nonce,
            expires=self._seconds() + CODE_SECONDS,
        )
        return code

    def token(self, form: dict[str, str], issuer: str) -> dict[str, Any]:
        """Answer the token endpoint; raises `OAuthError`."""
        app = self.apps.get(form.get("client_id", ""))
        if app is None:
            raise OAuthError("invalid_client", "Client is not known")
        if form.get("grant_type") != "authorization_code":
            raise OAuthError("unsupported_grant_type", "Grant type must be authorization_code")
        identifier = form.get("code_identifier", "")
        expected = hashlib.sha256((identifier + app.secret).encode()).hexdigest()
        if not identifier or not hmac.compare_digest(expected, form.get("code_challenge", "")):
            raise OAuthError("invalid_client", "Code challenge is not valid")
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.client_id != app.client_id:
            raise OAuthError("invalid_grant", "Code is not valid")
        if code.expires <= self._seconds():
            raise OAuthError("invalid_grant", "Code has expired")
        return self._granted(app, code, issuer)

    def _granted(self, app: App, code: _Code, issuer: str) -> dict[str, Any]:
        token = secrets.token_hex(43)
        app.tokens.append(token)
        self.accounts.app_users[token] = app.user
        self._allow(app)
        answer = {
            "access_token": token,
            "token_type": "bearer",
            "scope": " ".join(sorted(code.scopes | app.scopes)),
        }
        if "openid" in code.scopes:
            answer["id_token"] = self.id_token(app, code.user, code.scopes, issuer, code.nonce)
        return answer

    def _allow(self, app: App) -> None:
        """Give the app's user the rights of its scopes and no others."""
        self.accounts.set_rights(app.user, rights_of(app.scopes))

    def id_token(
        self, app: App, user: User, scopes: frozenset[str], issuer: str, nonce: str
    ) -> str:
        """Sign who the user is, as the PIM does: times with fractions, an hour long."""
        now = self._seconds()
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": app.subject(user),
            "aud": app.client_id,
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        if nonce:
            claims["nonce"] = nonce
        if "profile" in scopes:
            claims |= {"firstname": user.firstname, "lastname": user.lastname}
        if "email" in scopes:
            claims |= {"email": f"{user.username}@example.com", "email_verified": False}
        return jwt.encode(claims, self.certificate.key, algorithm="RS256")

    def disconnect(self, client_id: str) -> None:
        """Revoke all tokens of an app and forget what was consented to; the app itself stays."""
        app = self.apps[client_id]
        for token in app.tokens:
            self.accounts.app_users.pop(token, None)
            self.accounts.revoked.add(token)
        app.tokens.clear()
        app.sign_ins.clear()
        app.scopes = frozenset()

    def _seconds(self) -> float:
        return self.now().timestamp()


@dataclass(slots=True, kw_only=True)
class Extension:
    """One extension; `owner` is the user of the API that made it."""

    uuid: str
    owner: str
    name: str
    type: str
    position: str
    url: str
    label: str
    labels: dict[str, str]
    secret: str
    version: str | None = None

    def shown(self) -> dict[str, Any]:
        """What the API answers; a secret never comes back."""
        return {
            "uuid": self.uuid,
            "name": self.name,
            "version": self.version,
            "type": self.type,
            "position": self.position,
            "configuration": {
                "url": self.url,
                "default_label": self.label,
                "labels": self.labels,
            },
        }


@dataclass(slots=True)
class Extensions:
    """The extensions of one PIM, by uuid."""

    by_uuid: dict[str, Extension] = field(default_factory=dict)

    def at(self, *positions: str) -> list[Extension]:
        """Those at some positions, in the order of their labels."""
        found = [each for each in self.by_uuid.values() if each.position in positions]
        return sorted(found, key=lambda each: each.label)


def known_scopes(asked: str) -> frozenset[str]:
    """The scopes of a request that the PIM knows."""
    return frozenset(asked.split()) & SCOPES


def rights_of(scopes: Iterable[str]) -> set[str]:
    """The API rights that scopes give: writing includes reading, deleting is apart."""
    rights = {WEB_API, *FREE}
    for scope in scopes:
        verb, _, what = scope.partition("_")
        for resource in GRANTS.get(what, ()):
            rights |= {f"{resource}_{action}" for action in ACTIONS_OF[verb]}
    return rights


def in_words(scope: str) -> str:
    """A scope as the consent page says it."""
    verb, _, what = scope.partition("_")
    if verb in WORDS and what:
        return f"{WORDS[verb]} {what.replace('_', ' ')}"
    return {"openid": "Know who you are", "profile": "See your name", "email": "See your mail"}.get(
        scope, "Manage its own extensions of the PIM's pages"
    )
