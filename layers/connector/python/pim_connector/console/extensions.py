"""Inside the PIM: tabs of its own pages that show the console's, and actions that call it.

https://api.akeneo.com/extensions/. What the PIM puts into an iframe's address proves nothing. The
page asks the PIM's page for a token (`postMessage`), and sends it with each call for data; an
action's body is signed. Both with one secret, which is derived from the stack's key: nothing more
has to be kept or rotated.

    GET  /pim/product, /pim/activity      pages without data, which only the PIM may frame
    GET  /pim/…/data                      with `Authorization: Bearer` and the token: `frame_user`
    POST /pim/send-again                  an action: `verified_action`
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct, field

from pim_connector.console.sessions import OneTime
from pim_connector.console.tokens import derived_key, verified
from pim_connector.errors import ConfigurationError, RejectedError

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient

PREFIX: Final = "pim_connector_"
PRODUCT_TAB: Final = "/pim/product"
ACTIVITY_TAB: Final = "/pim/activity"
SEND_AGAIN: Final = "/pim/send-again"
ACTION_SECONDS: Final = 300
"""How old an action's time stamp may be; the PIM waits five seconds and does not repeat."""
MOST_BYTES: Final = 200_000
MOST_PRODUCTS: Final = 500
_WHERE_FROM: Final = "Where do these values come from?"
_SEND_AGAIN: Final = "Send again from the last export"


class Wanted(Struct, frozen=True, kw_only=True):
    """One extension as it should be in the PIM."""

    name: str
    type: Literal["iframe", "action"]
    position: str
    path: str
    label: str


WANTED: Final = (
    *(
        Wanted(
            name=f"{PREFIX}{kind.replace('-', '_')}_tab",
            type="iframe",
            position=f"pim.{kind}.tab",
            path=PRODUCT_TAB,
            label=_WHERE_FROM,
        )
        for kind in ("product", "product-model", "sub-product-model")
    ),
    Wanted(
        name=f"{PREFIX}activity_tab",
        type="iframe",
        position="pim.activity.navigation.tab",
        path=ACTIVITY_TAB,
        label="Imports",
    ),
    *(
        Wanted(
            name=f"{PREFIX}send_again_{place.replace('-', '_').replace('.', '_')}",
            type="action",
            position=f"pim.{place}",
            path=SEND_AGAIN,
            label=_SEND_AGAIN,
        )
        for place in (
            "product.header",
            "product-model.header",
            "sub-product-model.header",
            "product-grid.action-bar",
        )
    ),
)


class Registered(Struct, frozen=True, kw_only=True):
    """What `register` did, by name."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]


def extension_secret(key: bytes) -> str:
    """Return the secret that the PIM signs with, of 64 characters."""
    return derived_key(key, "ui-extension").hex()


def register(pim: AkeneoClient, console_url: str, secret: str) -> Registered:
    """Put our extensions into the PIM as this release wants them; saying it again changes nothing.

    ConfigurationError for an edition without extensions, and for an address that the PIM's users'
    browsers do not open in a page.
    """
    address = console_url.rstrip("/")
    here = _ours(pim)
    wanted = {extension.name: extension for extension in WANTED}
    for name, extension in wanted.items():
        item = _item(extension, address, secret)
        if name in here:
            pim.update_ui_extension(here[name], item)
        else:
            pim.create_ui_extension(item)
    return Registered(
        created=tuple(sorted(wanted.keys() - here.keys())),
        updated=tuple(sorted(wanted.keys() & here.keys())),
        removed=_removed(pim, {n: u for n, u in here.items() if n not in wanted}),
    )


def unregister(pim: AkeneoClient) -> tuple[str, ...]:
    """Take all our extensions out of the PIM; return their names."""
    return _removed(pim, _ours(pim))


def _removed(pim: AkeneoClient, by_name: Mapping[str, str]) -> tuple[str, ...]:
    for uuid in by_name.values():
        pim.delete_ui_extension(uuid)
    return tuple(sorted(by_name))


def _ours(pim: AkeneoClient) -> dict[str, str]:
    """Return the uuids of our extensions by name; the PIM shows each app its own only."""
    found = pim.list_ui_extensions()
    if found is None:
        raise ConfigurationError(
            "this PIM has no UI extensions, or does not let us manage them: they are part of the"
            " SaaS editions, and need the app's scope manage_extensions (connect the app again) or"
            " the right Extensions › Manage your extensions using the API of the connection's role"
        )
    return {
        str(item["name"]): str(item["uuid"])
        for item in found
        if str(item.get("name", "")).startswith(PREFIX)
    }


def _item(extension: Wanted, address: str, secret: str) -> dict[str, Any]:
    return {
        "name": extension.name,
        "type": extension.type,
        "position": extension.position,
        "configuration": {
            "url": address + extension.path,
            "default_label": extension.label,
            "secret": secret,
        },
    }


def frame_user(headers: Mapping[str, str], secret: str, *, now: float) -> str:
    """Return the uuid of the PIM's user who looks at a tab. RejectedError without a good token.

    The token says nothing of the product: every user of the PIM may ask where values come from.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise RejectedError("this page is shown inside the PIM only; open the product there")
    claims = verified(
        token.strip(), secret.encode(), algorithm="HS256", now=now, require=("iat", "userUuid")
    )
    user = claims["userUuid"]
    if not isinstance(user, str) or not user:
        raise RejectedError("the PIM's token names no user")
    return user


class ActionUser(Struct, frozen=True):
    """Who pressed the button in the PIM."""

    uuid: str
    username: str = ""


class ActionData(Struct, frozen=True, rename="camel"):
    """What the button was pressed for; one or several, by uuid or code."""

    product_uuid: str = ""
    product_model_code: str = ""
    product_uuids: tuple[str, ...] = ()
    product_model_codes: tuple[str, ...] = ()


class Action(Struct, frozen=True):
    """An action's body, as far as it is used."""

    user: ActionUser
    timestamp: float
    data: ActionData = field(default_factory=ActionData)

    @property
    def products(self) -> tuple[str, ...]:
        one = (self.data.product_uuid,) if self.data.product_uuid else ()
        return (*one, *self.data.product_uuids)

    @property
    def models(self) -> tuple[str, ...]:
        one = (self.data.product_model_code,) if self.data.product_model_code else ()
        return (*one, *self.data.product_model_codes)

    @property
    def actor(self) -> str:
        """Who did it, as a run's record says it."""
        return f"{self.user.username or 'somebody'} (in the PIM, user {self.user.uuid})"


def verified_action(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    one_time: OneTime,
    now: Callable[[], float],
) -> Action:
    """Return an action that the PIM signed just now and sent for the first time.

    The signature is the HMAC with SHA-512 of the body. The PIM's documents do not name its header:
    it is looked for in each whose name says signature, which takes nothing from its strength.
    RejectedError says what is wrong.
    """
    if len(body) > MOST_BYTES:
        raise RejectedError("the action is larger than any that the PIM sends")
    expected = hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
    sent = [value for name, value in headers.items() if "signature" in name.lower()]
    if not any(_same(each, expected) for each in sent):
        raise RejectedError("the action is not signed by this PIM's extension")
    try:
        action = msgspec.json.decode(body, type=Action)
    except msgspec.DecodeError:
        raise RejectedError("the action's body is not as the PIM sends it") from None
    if abs(now() - action.timestamp) > ACTION_SECONDS:
        raise RejectedError("the action is older than five minutes")
    if not one_time.first("action", expected, seconds=2 * ACTION_SECONDS + 60):
        raise RejectedError("this action was sent before")
    if len(action.products) + len(action.models) > MOST_PRODUCTS:
        raise RejectedError(f"at most {MOST_PRODUCTS} products at a time")
    return action


def _same(sent: str, expected: str) -> bool:
    plain = sent.strip().lower().removeprefix("sha512=")
    return hmac.compare_digest(plain.encode("utf-8", "replace"), expected.encode())
