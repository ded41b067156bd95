"""Who may call: connections, tokens, apps, and the rights of their users."""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from simulators.akeneo.refusal import Refusal

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 1_209_600
_MISSING = 'Parameter "grant_type", "username" or "password" is missing, empty or invalid'


@dataclass(slots=True, kw_only=True)
class Connection:
    """What one connection of the PIM logs in with."""

    client_id: str
    secret: str
    username: str
    password: str


@dataclass(slots=True, kw_only=True)
class _Token:
    username: str
    client_id: str
    expires: float
    """On the same clock as `now` of the checks, in seconds."""


@dataclass(slots=True)
class Accounts:
    """Connections and the tokens given to them, and what their users may do.

    `app_tokens` never expire; their user is `app`. A user has every right, or only those in
    `allowed`, and none of those in `denied` ("user:right"). A right is `web_api`, or a resource of
    `RESOURCES` and `list`, `edit` or `remove`, e.g. `product_edit`. `levels` are the permissions of
    the user's group on products (Enterprise): `own` unless it says `edit` or `view`.
    """

    connections: dict[str, Connection] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    app_tokens: set[str] = field(default_factory=set)
    app_users: dict[str, str] = field(default_factory=dict)
    """The user behind each token that an app got by somebody's consent."""
    revoked: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    _access: dict[str, _Token] = field(default_factory=dict)
    _refresh: dict[str, _Token] = field(default_factory=dict)

    def connect(self, connection: Connection) -> None:
        """Add a connection and its user."""
        self.connections[connection.client_id] = connection
        self.users[connection.username] = connection.password

    def may(self, user: str, right: str) -> bool:
        """Whether the user has this right."""
        if f"{user}:{right}" in self.denied:
            return False
        return user not in self.allowed or right in self.allowed[user]

    def set_rights(self, user: str, rights: Iterable[str] | None) -> None:
        """Give a user these rights and no others; None: all. Raises `ValueError`."""
        if rights is None:
            self.allowed.pop(user, None)
            return
        unknown = sorted(set(rights) - RIGHTS)
        if unknown:
            raise ValueError(
                f"unknown rights {', '.join(unknown)}; known: {', '.join(sorted(RIGHTS))}"
            )
        self.allowed[user] = frozenset(rights)

    def set_level(self, user: str, level: str) -> None:
        """Set what the user's group may do with products; raises `ValueError`."""
        if level not in LEVELS:
            raise ValueError(f"unknown permission {level!r}; known: {', '.join(LEVELS)}")
        self.levels[user] = level

    def grant(
        self,
        client: tuple[str, str] | None,
        parameters: dict[str, object],
        *,
        now: float,
        lifetime: float = ACCESS_SECONDS,
    ) -> dict[str, object]:
        """Answer a token request; raises `Refusal` 422 as the PIM does.

        `client` is id and secret of the Basic header; `lifetime` in seconds may be shorter
        than what the answer says, for tokens that expire early.
        """
        connection = self._client(client)
        grant = parameters.get("grant_type")
        if grant == "refresh_token":
            username = self._refreshed(connection, parameters.get("refresh_token"), now)
        elif grant in ("token", "client_credentials", "authorization_code"):
            raise Refusal(422, "This grant type is not authorized for this client")
        elif grant != "password":
            raise Refusal(422, _MISSING)
        else:
            username = self._logged_in(parameters.get("username"), parameters.get("password"))
        return self._issue(username, connection.client_id, now, lifetime)

    def _client(self, client: tuple[str, str] | None) -> Connection:
        connection = self.connections.get(client[0]) if client else None
        if client and connection and hmac.compare_digest(connection.secret, client[1]):
            return connection
        raise Refusal(
            422,
            'Parameter "client_id" is missing or does not match any client, or secret is invalid',
        )

    def _logged_in(self, username: object, password: object) -> str:
        if not (isinstance(username, str) and username and isinstance(password, str) and password):
            raise Refusal(422, _MISSING)
        known = self.users.get(username)
        if known is None or not hmac.compare_digest(known, password):
            raise Refusal(422, "No user found for the given username and password")
        return username

    def _refreshed(self, connection: Connection, refresh: object, now: float) -> str:
        if not (isinstance(refresh, str) and refresh):
            raise Refusal(422, 'Parameter "grant_type" or "refresh_token" is missing or empty')
        token = self._refresh.pop(refresh, None)
        if token is None or token.expires <= now or token.client_id != connection.client_id:
            raise Refusal(422, "Refresh token is invalid or has expired")
        return token.username

    def _issue(
        self, username: str, client_id: str, now: float, lifetime: float
    ) -> dict[str, object]:
        access, refresh = secrets.token_hex(43), secrets.token_hex(43)
        self._access[access] = _Token(
            username=username, client_id=client_id, expires=now + lifetime
        )
        self._refresh[refresh] = _Token(
            username=username, client_id=client_id, expires=now + REFRESH_SECONDS
        )
        return {
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "token_type": "bearer",
            "scope": None,
            "refresh_token": refresh,
        }

    def user_of(self, authorization: str | None, *, now: float) -> str:
        """The user behind an Authorization header; raises `Refusal` 401."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise Refusal(401, "Authentication is required")
        if value in self.app_tokens:
            return "app"
        if value in self.app_users:
            return self.app_users[value]
        if value in self.revoked:
            raise Refusal(
                401,
                "The access token provided is invalid. "
                "Your app has been disconnected from that PIM.",
            )
        token = self._access.get(value)
        if token is None:
            raise Refusal(401, "The access token provided is invalid.")
        if token.expires <= now:
            raise Refusal(401, "The access token provided has expired.")
        return token.username

    def renew_secret(self, client_id: str) -> str:
        """Give a connection a new secret: its tokens are at once invalid."""
        connection = self.connections[client_id]
        connection.secret = secrets.token_hex(25)
        self._drop(lambda token: token.client_id == client_id)
        return connection.secret

    def renew_password(self, client_id: str) -> str:
        """Give a connection's user a new password: its tokens are at once invalid."""
        connection = self.connections[client_id]
        connection.password = secrets.token_hex(8)
        self.users[connection.username] = connection.password
        self._drop(lambda token: token.username == connection.username)
        return connection.password

    def expire_all(self) -> None:
        """Every access token expires now; refresh tokens stay good."""
        for token in self._access.values():
            token.expires = 0.0

    def _drop(self, matches: Callable[[_Token], bool]) -> None:
        for tokens in (self._access, self._refresh):
            for key in [key for key, token in tokens.items() if matches(token)]:
                del tokens[key]


RESOURCES = {
    "product": "products",
    "product_model": "product models",
    "attribute": "attributes",
    "attribute_option": "attribute options",
    "attribute_group": "attribute groups",
    "family": "families",
    "family_variant": "family variants",
    "category": "categories",
    "channel": "channels",
    "locale": "locales",
    "currency": "currencies",
    "association_type": "association types",
    "measurement_family": "measurement families",
    "asset_family": "asset families",
    "asset": "assets",
    "reference_entity": "reference entities",
    "reference_entity_record": "reference entity records",
    "extension": "extensions",
}
SHARED = {"product_model": "product"}
"""Resources without a right of their own, and whose right is asked instead."""
WEB_API = "web_api"
ACTIONS = {"list": "list", "edit": "create or update", "remove": "delete"}
RIGHTS = frozenset(
    (
        WEB_API,
        *(f"{name}_{action}" for name in RESOURCES if name not in SHARED for action in ACTIONS),
    )
)
LEVELS = ("own", "edit", "view")
"""What a user group may do with products: all, make drafts, look."""


def check_web_api(accounts: Accounts, user: str) -> None:
    """Raise `Refusal` 403 when the user may not use the API at all."""
    if not accounts.may(user, WEB_API):
        raise Refusal(403, "You are not allowed to access the web API.")


def check_right(accounts: Accounts, user: str, resource: str | None, action: str) -> None:
    """Raise `Refusal` 403 when the user lacks the right: `action` is list, edit or remove."""
    if resource is None or accounts.may(user, f"{SHARED.get(resource, resource)}_{action}"):
        return
    raise Refusal(
        403, f"Access forbidden. You are not allowed to {ACTIONS[action]} {RESOURCES[resource]}."
    )
