"""The simulator as an ASGI application."""

from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.akeneo.admin import admin_routes
from simulators.akeneo.app_pages import app_routes
from simulators.akeneo.asset_endpoints import asset_endpoints
from simulators.akeneo.browse import browse_routes
from simulators.akeneo.editions import has
from simulators.akeneo.extensions import extension_endpoints, extension_routes
from simulators.akeneo.media_endpoints import media_endpoints
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_endpoints import product_endpoints
from simulators.akeneo.record_endpoints import record_endpoints
from simulators.akeneo.routing import Call, Endpoint, get, json_answer, no_route, refusal_answer
from simulators.akeneo.serving import API, TOKEN_PATH, Serving, TokenServing
from simulators.akeneo.structure_endpoints import option_endpoints, structure_endpoints

PARTS = (
    option_endpoints,
    structure_endpoints,
    media_endpoints,
    asset_endpoints,
    record_endpoints,
    product_endpoints,
    extension_endpoints,
)
"""Who answers what; where two could, the first one does."""


def create_app(pim: Pim) -> Starlette:
    """Serve one PIM: its REST API, `/_simulator/…` to steer it, and HTML pages at `/`.

    The application has no start-up of its own: it works in `httpx.ASGITransport(app)` as well
    as in a server.
    """
    routes = [Route(TOKEN_PATH, TokenServing(pim), methods=["POST"])]
    routes += [
        Route(API + endpoint.path, Serving(pim, endpoint), methods=[endpoint.method])
        for endpoint in _endpoints()
    ]
    routes += [*admin_routes(pim), *app_routes(pim), *extension_routes(pim), *browse_routes(pim)]
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_found})


def _endpoints() -> Iterator[Endpoint]:
    found = [endpoint for part in PARTS for endpoint in part()]
    yield Endpoint(method="GET", path="", handler=lambda call: _root(call, found), public=True)
    yield get("/system-information", _system_information)
    yield from found


def _system_information(call: Call) -> Response:
    edition = call.pim.edition
    return json_answer({"version": edition.version, "edition": edition.code})


def _root(call: Call, endpoints: list[Endpoint]) -> Response:
    routes: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        if has(call.pim.edition, endpoint.needs):
            route: dict[str, object] = {"route": API + endpoint.path, "methods": [endpoint.method]}
            name = _route_name(endpoint)
            routes[name if name not in routes else f"{name} {endpoint.path}"] = route
    token = {"route": TOKEN_PATH, "methods": ["POST"]}
    return json_answer(
        {
            "host": str(call.request.base_url).rstrip("/"),
            "authentication": {"fos_oauth_server_token": token},
            "routes": routes,
        }
    )


def _route_name(endpoint: Endpoint) -> str:
    """The PIM's name of a route, e.g. `pim_api_product_list`."""
    names = [part for part in endpoint.path.split("/") if part and not part.startswith("{")]
    resource = (endpoint.resource or names[0]).replace("-", "_")
    if names[0].endswith("-uuid"):
        resource += "_uuid"
    single = endpoint.path.endswith("}")
    action = {
        "GET": "get" if single else "list",
        "POST": "create" if endpoint.action == "edit" else "search",
        "PATCH": "partial_update" if single else "partial_update_list",
        "DELETE": "delete",
    }[endpoint.method]
    return f"pim_api_{resource}_{action}"


async def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal_answer(no_route(request, status))
