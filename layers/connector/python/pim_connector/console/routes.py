"""Which address is which page, and what every reply has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from pim_connector.console import (
    approvals,
    assets,
    frames,
    gate,
    help_pages,
    products,
    runs,
    settings,
    sign_in,
    sources,
    studio,
    today,
    uploads,
    wizard,
)
from pim_connector.console.exchange import Call, RefusedError, Reply
from pim_connector.console.rendering import STATIC, bare_page, page
from pim_connector.console.web import read_request
from pim_connector.errors import ConfigurationError, ConnectorError, RejectedError, TransientError

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

logger = logging.getLogger(__name__)
Show = Callable[["Parts", Call], Reply]
TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
STATUSES: Final = ((RejectedError, 400), (ConfigurationError, 409), (TransientError, 503))


class Route(Struct, frozen=True):
    """One address; parts in angle brackets vary. Whatever is sent by POST changes something."""

    method: Literal["GET", "POST"]
    path: str
    show: Show
    changes: bool = True


ROUTES: Final = (
    Route("GET", "/", today.today),
    Route("GET", "/start", wizard.wizard),
    Route("POST", "/start/leave", wizard.leave),
    Route("POST", "/start/trial", wizard.trial),
    Route("GET", "/runs", runs.runs),
    Route("GET", "/runs/<run>", runs.run),
    Route("GET", "/runs/<run>/changes", runs.changes),
    Route("GET", "/runs/<run>/records/<record>", runs.record),
    Route("GET", "/runs/<run>/files/<name>", runs.file),
    Route("GET", "/runs/<run>/revert", runs.ask_revert),
    Route("POST", "/runs/<run>/revert", runs.revert),
    Route("GET", "/runs/<run>/send-again", runs.ask_send_again),
    Route("POST", "/runs/<run>/send-again", runs.send_again),
    Route("GET", "/approvals", approvals.approvals),
    Route("GET", "/approvals/<run>", approvals.plan),
    Route("POST", "/approvals/<run>/approve", approvals.approve),
    Route("POST", "/approvals/<run>/discard", approvals.discard),
    Route("GET", "/products", products.products),
    Route("GET", "/sources", sources.sources),
    Route("GET", "/sources/<source>", sources.source),
    Route("POST", "/uploads", uploads.begin),
    Route("POST", "/uploads/done", uploads.done, changes=False),
    Route("GET", "/studio", studio.choose),
    Route("GET", "/studio/<source>", studio.open_studio),
    Route("POST", "/studio/<source>", studio.work, changes=False),
    Route("POST", "/studio/<source>/draft", studio.draft, changes=False),
    Route("POST", "/studio/<source>/whole", studio.whole_file, changes=False),
    Route("POST", "/studio/<source>/review", studio.review, changes=False),
    Route("POST", "/studio/<source>/publish", studio.publish),
    Route("POST", "/studio/<source>/tests", studio.keep_test),
    Route("POST", "/studio/<source>/tests/remove", studio.remove_test),
    Route("GET", "/studio-words", studio.words),
    Route("GET", "/studio/<source>/versions", studio.versions),
    Route("POST", "/studio/<source>/roll-back", studio.roll_back),
    Route("GET", "/assets", assets.assets),
    Route("POST", "/assets/<source>/send-again", assets.send_again),
    Route("POST", "/assets/<source>/approve", assets.approve),
    Route("GET", "/settings", settings.settings),
    Route("GET", "/settings/checks", settings.checks),
    Route("POST", "/settings/app", settings.keep_app),
    Route("POST", "/settings/people", settings.mark),
    Route("POST", "/settings/people/rule", settings.narrow),
    Route("POST", "/settings/channel", settings.keep_webhook),
    Route("GET", "/help", help_pages.index),
    Route("GET", "/help/<document>", help_pages.document),
)
"""In the order in which they are tried; all want somebody who is signed in."""
WITHOUT_SESSION: Final = (
    ("GET", sign_in.SIGN_IN),
    ("POST", sign_in.SIGN_IN),
    ("POST", sign_in.SIGN_OUT),
    ("GET", sign_in.ACTIVATE),
    ("GET", sign_in.APP_SIGN_IN),
    ("GET", sign_in.CALLBACK),
    *frames.FRAMES,
)
"""The addresses of the door, and of what the PIM shows in its pages: none wants a session."""


def shown(route: Route, event: dict[str, Any], names: dict[str, str], parts: Parts) -> Reply:
    """Return the page of an address, to somebody who is signed in, or what there is instead."""
    try:
        return gate.enter(
            read_request(event),
            names,
            parts,
            lambda call: _page(route, call, parts),
            changes=route.changes,
        )
    except ConnectorError as error:
        return _instead(error)


def without_session(event: dict[str, Any], parts: Parts) -> Reply:
    """Return what the door answers, or what the PIM's own pages and its server ask for."""
    try:
        request = read_request(event)
        if (request.method, request.path) in frames.FRAMES:
            return frames.answer(request, parts)
        return gate.at_the_door(request, parts) or nowhere()
    except ConnectorError as error:
        return _instead(error)


def _page(route: Route, call: Call, parts: Parts) -> Reply:
    try:
        return route.show(parts, call)
    except ConnectorError as error:
        return problem(error, call, parts)


def _instead(error: ConnectorError) -> Reply:
    """Tell somebody who is not signed in no more than that; the log has the reason."""
    logger.error("no page was reached", extra={"reason": str(error)})
    message = "The console cannot be opened now. Whoever runs it finds the reason in its log."
    return bare_page("door.html", _status(error), title="This did not work", message=message)


def nowhere() -> Reply:
    """Return the page of an address that is none."""
    return bare_page("door.html", 404, title="Not found", message="There is no such page.")


def problem(error: ConnectorError, call: Call, parts: Parts) -> Reply:
    """Say what went wrong and where to go from here."""
    status = error.status if isinstance(error, RefusedError) else _status(error)
    if status >= 500:
        logger.warning("page not answered", extra={"path": call.path, "reason": str(error)})
    return page("problem.html", call, parts, status=status, problem=str(error), code=status)


def _status(error: ConnectorError) -> int:
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def static(name: str) -> Reply:
    """Return a static file, to be kept for a year: its address changes with its content."""
    if name not in {path.name for path in STATIC.iterdir()}:
        return Reply(status=404, body="There is no such file.", content_type="text/plain")
    return Reply(
        body=(STATIC / name).read_text("utf-8"),
        content_type=f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8",
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )
