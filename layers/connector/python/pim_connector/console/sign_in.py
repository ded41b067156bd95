"""The door of the console: every way in, and nothing else.

    GET  /sign-in        the page with a field for a one-time code; with ?code=… it is used at once
    POST /sign-in        the code from that field
    POST /sign-out
    GET  /app/activate   what the PIM opens: Connect, and Open app
    GET  /app/sign-in    the same from our own page, for those who come by a link
    GET  /app/callback   the PIM's answer

The console asks `answer` first; None means the path is a page's. `session` says who is there, and
`to_sign_in` sends the others here. `/app/…` are the two addresses that are entered in the PIM.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.console.app_connection import STATE_COOKIE, AppConnection
from pim_connector.console.people import People
from pim_connector.console.sessions import OneTime, Session, Sessions, plain_code
from pim_connector.console.web import Answer, Request, redirect, set_cookie
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
ACTIVATE: Final = "/app/activate"
APP_SIGN_IN: Final = "/app/sign-in"
CALLBACK: Final = "/app/callback"
HOW_TO_COME_IN: Final = (
    "Open the app in the PIM (Connect › Connected apps › Open app), or run"
    " `pim-connector console` with your AWS rights and enter the code it shows."
)


class Door(Struct, frozen=True, kw_only=True):
    """What signing in works with; made once and kept."""

    sessions: Sessions
    one_time: OneTime
    people: People
    app: AppConnection

    def session(self, request: Request) -> Session | None:
        """Return who is there, with the rights of this moment; None: nobody."""
        found = self.sessions.read(request)
        return found and replace(found, acts=self.people.may_act(found))

    def to_sign_in(self, request: Request) -> Answer:
        """Return the way to the door, and back to the page that was asked for."""
        wanted = request.path if request.method == "GET" else "/"
        return redirect(f"{SIGN_IN}?next={quote(local_path(wanted), safe='/')}")

    def answer(self, request: Request) -> Answer | None:
        """Answer a call of the door's own paths; None for all others.

        What is refused is a page that says why and what to do; nothing else is raised.
        """
        found = _WAYS.get((request.method, request.path))
        if found is None:
            return None
        try:
            return found(self, request)
        except RejectedError as error:
            return _page(403, "You are not signed in", str(error))
        except ConfigurationError as error:
            return _page(500, "The console is not set up", str(error))
        except TransientError as error:
            return _page(503, "This did not work just now", str(error))

    def _show(self, request: Request) -> Answer:
        if request.query.get("code"):
            return self._use_code(request.query["code"], request.query.get("next", "/"))
        return _page(200, "Sign in", HOW_TO_COME_IN, next_path=request.query.get("next", "/"))

    def _typed(self, request: Request) -> Answer:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise RejectedError("this came from another site's page; open the console itself")
        form = request.form()
        return self._use_code(form.get("code", ""), form.get("next", "/"))

    def _use_code(self, code: str, next_path: str) -> Answer:
        holds = self.one_time.take("code", plain_code(code))
        if holds is None:
            raise RejectedError(
                "this code is not known, was used, or is older than five minutes. Run"
                " `pim-connector console` again for a new one."
            )
        session = self.sessions.start(subject=holds["subject"], name=holds["name"], way="aws")
        return redirect(local_path(next_path), self.sessions.cookie(session))

    def _leave(self, request: Request) -> Answer:
        session = self.sessions.read(request)
        if session is None:
            return redirect(SIGN_IN)
        self.sessions.check_change(replace(session, acts=True), request)
        return redirect(SIGN_IN, self.sessions.end(session))

    def _activate(self, request: Request) -> Answer:
        return self.app.activated(request)

    def _app_sign_in(self, request: Request) -> Answer:
        return self.app.authorize(next_path=local_path(request.query.get("next", "/")))

    def _callback(self, request: Request) -> Answer:
        done = self.app.completed(request)
        no_state = set_cookie(STATE_COOKIE, "", seconds=0)
        if done.user is None:
            return redirect(SIGN_IN, no_state)
        self.people.met(done.user.subject, done.user.name)
        session = self.sessions.start(subject=done.user.subject, name=done.user.name, way="pim")
        return redirect(local_path(done.next), self.sessions.cookie(session), no_state)


_WAYS: Final = {
    ("GET", SIGN_IN): Door._show,
    ("POST", SIGN_IN): Door._typed,
    ("POST", SIGN_OUT): Door._leave,
    ("GET", ACTIVATE): Door._activate,
    ("GET", APP_SIGN_IN): Door._app_sign_in,
    ("GET", CALLBACK): Door._callback,
}


def local_path(path: str) -> str:
    r"""Return the path if it leads to a page of this console, else `/`.

    A browser takes `//host` and `/\host` for another site.
    """
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if local else "/"


def _page(status: int, title: str, message: str, *, next_path: str = "/") -> Answer:
    return Answer(
        status=status,
        title=title,
        message=message,
        form="sign-in",
        data={"next": local_path(next_path), "app_sign_in": APP_SIGN_IN},
    )
