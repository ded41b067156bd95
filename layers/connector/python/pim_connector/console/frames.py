"""The console inside the PIM's own pages: where a product's values come from, the last imports.

The PIM shows these pages in iframes, where our cookies are not sent. A page holds no data: its
script gets the PIM's token and fetches the data with it (`extensions.frame_user`). Links open the
console beside the PIM, where one is signed in as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pim_connector.console.app_connection import origin_of
from pim_connector.console.doorway import mappings
from pim_connector.console.exchange import Reply, as_json
from pim_connector.console.extensions import (
    ACTIVITY_TAB,
    MOST_PRODUCTS,
    PRODUCT_TAB,
    SEND_AGAIN,
    Action,
    frame_user,
    verified_action,
)
from pim_connector.console.products import look_up, provenance
from pim_connector.console.rendering import bare_page, templates
from pim_connector.console.web import Request, security_headers
from pim_connector.errors import ConnectorError, RejectedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pim_connector.console.parts import Parts
    from pim_connector.sync.runs import Run

DATA: Final = "/data"
LONGEST: Final = 255
LAST_RUNS: Final = 10


def answer(request: Request, parts: Parts) -> Reply:
    """Answer a call of `FRAMES`. What fails is said in the frame, in the PIM's user's words."""
    try:
        return FRAMES[request.method, request.path](request, parts)
    except RejectedError as error:
        return bare_page("frame_problem.html", 403, problem=str(error))
    except TransientError as error:
        return bare_page("frame_problem.html", 503, problem=str(error))
    except ConnectorError as error:
        return bare_page("frame_problem.html", 409, problem=str(error))


def _frame(_: Request, parts: Parts) -> Reply:
    """Return the page without data; the PIM alone may show it."""
    pim = origin_of(parts.settings.akeneo_url)
    page = bare_page("frame.html", 200, pim=pim)
    headers = security_headers(frame_ancestors=pim)
    return Reply(status=page.status, body=page.body, headers=headers)


def _product(request: Request, parts: Parts) -> Reply:
    """Return where the values of one product come from."""
    _checked(request, parts)
    identifier = _identifier(request, parts)
    product = look_up(parts, identifier)
    runs = {}
    names = sorted({entry.run for entry in product.entries})
    runs = {run.id: run for run in parts.registry.each(names)}
    return _data(parts, "frame_product.html", identifier=identifier, product=product, runs=runs)


def _activity(request: Request, parts: Parts) -> Reply:
    """Return the last imports."""
    _checked(request, parts)
    runs = parts.newest(LAST_RUNS)
    return _data(parts, "frame_activity.html", runs=runs, held=[run for run in runs if run.hold])


def _checked(request: Request, parts: Parts) -> None:
    secret = parts.extension_secret
    frame_user(request.headers, secret, now=parts.clock().timestamp())


def _identifier(request: Request, parts: Parts) -> str:
    """Return which product the PIM shows: a model's code, an identifier, or that of a uuid."""
    named = request.query.get("product[code]") or request.query.get("product[identifier]")
    if named:
        return named[:LONGEST]
    uuid = request.query.get("product[uuid]", "")[:LONGEST]
    with parts.pim() as pim:
        product = pim.get_product_uuid(uuid) if uuid else None
    if product is None:
        raise RejectedError("open a product in the PIM to see where its values come from")
    return _main_identifier(product, _identifier_attributes(parts)) or uuid


def _identifier_attributes(parts: Parts) -> frozenset[str]:
    """Return what the sources' mappings call the PIM's main identifier."""
    return frozenset(mapping.identifier_attribute for mapping in mappings(parts))


def _main_identifier(product: dict[str, Any], attributes: frozenset[str]) -> str:
    """Return the identifier of a product that was read by uuid: there it is a value like others."""
    for attribute in attributes & product.get("values", {}).keys():
        return str(product["values"][attribute][0]["data"])
    return ""


def _data(parts: Parts, template: str, **shown: object) -> Reply:
    zone = templates(parts.settings.time_zone)
    return Reply(body=zone.get_template(template).render(shown))


def _send_again(request: Request, parts: Parts) -> Reply:
    """Send products again from the last export that had them, as an action of the PIM asks."""
    action = verified_action(
        request.headers,
        request.body,
        secret=parts.extension_secret,
        one_time=parts.door.one_time,
        now=lambda: parts.clock().timestamp(),
    )
    if parts.door.people.only_marked():
        raise RejectedError(
            "who may act is narrowed to people who are marked in the console; open it to send again"
        )
    sent = [run.id for run in _replays(parts, action)]
    if not sent:
        raise RejectedError("no export has set a value of these; there is nothing to send again")
    return as_json({"runs": sent})


def _replays(parts: Parts, action: Action) -> Iterator[Run]:
    """Begin a replay for each run that last had some of the products."""
    from pim_connector.products.replaying import Selection, replay
    from pim_connector.sync.messages import Force

    for of, numbers in _numbers(parts, action).items():
        run = parts.registry.get(of)
        if run is None:
            continue
        selection = Selection(numbers=frozenset(numbers))
        begun = replay(run, selection, parts.replays(), force=Force())
        what = "sent products again"
        parts.history.note_run(of, action.actor, what, parts.clock(), led_to=begun.id)
        yield begun


def _numbers(parts: Parts, action: Action) -> dict[str, set[int]]:
    """Return which records of which runs last had the products."""
    found: dict[str, set[int]] = {}
    for identifier in (*_identifiers(parts, action.products), *action.models):
        for entry in provenance(parts, identifier)[:1]:
            found.setdefault(entry.run, set()).add(entry.record)
    return found


def _identifiers(parts: Parts, uuids: tuple[str, ...]) -> Iterator[str]:
    if not uuids:
        return
    attributes = _identifier_attributes(parts)
    search = {"uuid": [{"operator": "IN", "value": list(uuids[:MOST_PRODUCTS])}]}
    with parts.pim() as pim:
        for product in pim.list_products_uuid(search):
            if identifier := _main_identifier(product, attributes):
                yield identifier


FRAMES: Final = {
    ("GET", PRODUCT_TAB): _frame,
    ("GET", PRODUCT_TAB + DATA): _product,
    ("GET", ACTIVITY_TAB): _frame,
    ("GET", ACTIVITY_TAB + DATA): _activity,
    ("POST", SEND_AGAIN): _send_again,
}
"""The addresses that the PIM's pages and its server call; none of them asks for a session."""
