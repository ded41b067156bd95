"""`/_simulator/…`: load, reset, break, count and look into a running simulator."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.akeneo.call import json_answer
from simulators.akeneo.catalog import CatalogError, from_resources
from simulators.akeneo.dump import dump_of
from simulators.akeneo.faults import FaultError, Faults
from simulators.akeneo.pim import Pim
from simulators.akeneo.preload import LoadError, load_entities

Steer = Callable[[Pim, dict[str, Any], Request], Any]


def _load_catalog(pim: Pim, body: dict[str, Any], _: Request) -> Any:
    pim.clear(from_resources(body))
    load_entities(pim, body.get("product_models", []), body.get("products", []))
    return {"attributes": len(pim.catalog.attributes), "products": len(pim.products)}


def _reset(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    pim.clear()
    return {"products": 0}


def _get_faults(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    return pim.faults.settings()


def _set_faults(pim: Pim, body: dict[str, Any], request: Request) -> Any:
    start = Faults() if request.method == "PUT" else pim.faults
    pim.faults = start.changed(body)
    return pim.faults.settings()


def _clear_faults(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    pim.faults = Faults()
    return pim.faults.settings()


def _counters(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    return pim.counters.report()


def _clear_counters(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    pim.counters.clear()
    return pim.counters.report()


def _expire_tokens(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    pim.accounts.expire_all()
    return {"access_tokens": "expired"}


def _state(pim: Pim, _: dict[str, Any], request: Request) -> Any:
    base = f"{str(request.base_url).rstrip('/')}/api/rest/v1"
    return dump_of(pim, base, request.query_params.get("only"))


TABLE: tuple[tuple[str, str, Steer], ...] = (
    ("PUT", "/catalog", _load_catalog),
    ("POST", "/reset", _reset),
    ("GET", "/faults", _get_faults),
    ("PUT", "/faults", _set_faults),
    ("PATCH", "/faults", _set_faults),
    ("DELETE", "/faults", _clear_faults),
    ("GET", "/counters", _counters),
    ("DELETE", "/counters", _clear_counters),
    ("POST", "/expire-tokens", _expire_tokens),
    ("GET", "/state", _state),
)


def admin_routes(pim: Pim) -> Iterator[Route]:
    """The routes, without any login: the server only listens on this machine."""
    for method, path, steer in TABLE:
        yield Route(f"/_simulator{path}", _endpoint(pim, steer), methods=[method])


def _endpoint(pim: Pim, steer: Steer) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        raw = await request.body()
        try:
            body = msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
            with pim.lock:
                return json_answer(steer(pim, body, request))
        except (msgspec.DecodeError, CatalogError, FaultError, LoadError) as error:
            return json_answer({"code": 422, "message": str(error)}, 422)

    return answer
