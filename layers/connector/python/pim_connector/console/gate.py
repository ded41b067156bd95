"""Before any page: who is there, and whether a change comes from a page of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pim_connector.console.exchange import Call, Reply, Visitor
from pim_connector.console.rendering import bare_page
from pim_connector.console.sessions import Session
from pim_connector.console.web import Answer, Request
from pim_connector.errors import RejectedError

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts


def at_the_door(request: Request, parts: Parts) -> Reply | None:
    """Answer a call of the door's own paths; None for all others."""
    answer = parts.door.answer(request)
    return None if answer is None else door_page(answer)


def enter(
    request: Request,
    names: dict[str, str],
    parts: Parts,
    show: Callable[[Call], Reply],
    *,
    changes: bool,
) -> Reply:
    """Show a page to somebody who is signed in; send everybody else to the door.

    What `changes` something must come from a form of this session, and from somebody who may act;
    other forms only from this session.
    """
    door = parts.door
    session = door.session(request)
    if session is None:
        return door_page(door.to_sign_in(request))
    if request.method == "POST":
        try:
            door.sessions.check_change(session if changes else replace(session, acts=True), request)
        except RejectedError as error:
            return bare_page("door.html", 403, title="Nothing was changed", message=str(error))
    reply = show(_call(request, names, session, door.sessions.form_token(session)))
    cookie = door.sessions.renewed(session)
    return replace(reply, cookies=(*reply.cookies, cookie)) if cookie else reply


def _call(request: Request, names: dict[str, str], session: Session, token: str) -> Call:
    return Call(
        method=request.method,
        path=request.path,
        query=request.query,
        form=request.form() if request.method == "POST" else {},
        headers=request.headers,
        names=names,
        visitor=Visitor(actor=session.actor, name=session.name, acts=session.acts, token=token),
        session=session,
    )


def door_page(answer: Answer) -> Reply:
    """Return what the door says as a page, or as the way to another one."""
    if answer.location:
        headers = {"location": answer.location}
        return Reply(status=answer.status, headers=headers, cookies=answer.cookies)
    page = bare_page(
        "door.html",
        answer.status,
        title=answer.title,
        message=answer.message,
        form=answer.form,
        data=answer.data or {},
    )
    return replace(page, cookies=answer.cookies)
