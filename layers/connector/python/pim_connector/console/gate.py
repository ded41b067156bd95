"""Who may come in. Until sign-in is there: whoever sits at the machine, and nobody on AWS."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pim_connector.console.exchange import Call, Reply, Visitor
from pim_connector.console.rendering import bare_page

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

COOKIE: Final = "pim-connector"
LOCAL: Final = "you, on this machine"


def enter(
    call: Call, cookies: Mapping[str, str], parts: Parts, show: Callable[[Call], Reply]
) -> Reply:
    """Show the page to whoever may see it; a change must come from a form of this browser's."""
    if parts.settings.emulated != "true":
        return bare_page("closed.html", 403, problem="Sign in is not set up for this stack.")
    known = cookies.get(COOKIE, "")
    token = known if len(known) == 32 and known.isalnum() else secrets.token_hex(16)
    if call.method == "POST" and not _is_ours(call, known):
        problem = "This page is too old to be sent. Open it again and repeat what you did."
        return bare_page("closed.html", 403, problem=problem)
    visitor = Visitor(actor=LOCAL, name=LOCAL, acts=True, token=token)
    reply = show(replace(call, visitor=visitor))
    if token == known:
        return reply
    cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict"
    return replace(reply, cookies=(*reply.cookies, cookie))


def _is_ours(call: Call, known: str) -> bool:
    if call.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    sent = call.form.get("token") or call.headers.get("x-token", "")
    return bool(known) and hmac.compare_digest(sent.encode(), known.encode())
