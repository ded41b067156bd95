"""Steering and looking: `/_simulator/…`, for tests and for people.

What it loads is checked like a client's call; what it shows is the REST API's own format.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.akeneo.accounts import RIGHTS
from simulators.akeneo.asset_endpoints import asset_json
from simulators.akeneo.catalog import CatalogError, from_resources
from simulators.akeneo.editions import EDITIONS, Edition, check_catalog
from simulators.akeneo.faults import FaultError, Faults
from simulators.akeneo.model_writes import patch_model
from simulators.akeneo.pim import Pim, Product, ProductModel
from simulators.akeneo.product_reading import model_json, product_json
from simulators.akeneo.product_writes import patch_product, patch_product_by_uuid
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import json_answer
from simulators.akeneo.structure_resources import as_api


def dump_of(pim: Pim, base: str, only: str | None = None) -> dict[str, Any]:
    """Resources by name, each a list; `only` names one of them.

    Products have their UUID and identifier; `base` is the API's root URL for links.
    """
    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "products": lambda: [
            product_json(pim, product, base, by_uuid=False) for product in pim.products.values()
        ],
        "product_models": lambda: [model_json(pim, model, base) for model in pim.models.values()],
        "attribute_options": lambda: [
            as_api(row) for options in pim.catalog.options.values() for row in options.values()
        ],
        "assets": lambda: [
            {"asset_family": asset.family, **asset_json(pim, asset, base)}
            for family in pim.assets.by_family
            for asset in pim.assets.all_of(family)
        ],
        "drafts": lambda: [
            {"user": user, **_draft_json(pim, draft, base)}
            for (user, _), draft in pim.drafts.items()
        ],
        "media_files": lambda: [
            {"code": file.key, "filename": file.filename, "size": file.size, "sha256": file.digest}
            for file in pim.media.files.values()
        ],
    }
    return {name: make() for name, make in makers.items() if only in (None, name)}


def _draft_json(pim: Pim, draft: Product | ProductModel, base: str) -> dict[str, Any]:
    if isinstance(draft, Product):
        return product_json(pim, draft, base, by_uuid=False)
    return model_json(pim, draft, base)


Write = Callable[[Pim, str, dict[str, Any]], Any]


class LoadError(ValueError):
    """A product or product model that the PIM refuses: the message says which and why."""


def load_entities(
    pim: Pim, models: Iterable[dict[str, Any]], products: Iterable[dict[str, Any]]
) -> None:
    """Create root models, then sub-models, then products; raises `LoadError`."""
    models = sorted(models, key=lambda model: model.get("parent") is not None)
    for model in models:
        _write(pim, "product model", "code", model, patch_model)
    for product in products:
        if "identifier" in product:
            body = {key: data for key, data in product.items() if key != "uuid"}
            _write(pim, "product", "identifier", body, patch_product)
        else:
            _write(pim, "product", "uuid", product, patch_product_by_uuid)


def _write(pim: Pim, what: str, key: str, body: dict[str, Any], write: Write) -> None:
    code = body.get(key)
    if not isinstance(code, str):
        raise LoadError(f"a {what} has no {key}")
    try:
        write(pim, code, body)
    except Refusal as refusal:
        raise LoadError(f"{what} {code!r}: {refusal.message} {refusal.errors or ''}") from refusal


Steer = Callable[[Pim, dict[str, Any], Request], Any]


class SettingError(ValueError):
    """A setting that is not known, or has a value of the wrong kind."""


def settings_of(pim: Pim) -> dict[str, Any]:
    """The edition, the zone and the limits as JSON."""
    return {
        "edition": pim.edition.name,
        "time_zone": str(pim.time_zone),
        **asdict(pim.counters.limits),
    }


def set_settings(pim: Pim, changes: dict[str, Any]) -> None:
    """Change some settings; raises `SettingError` or `CatalogError`, and then changes nothing."""
    unknown = sorted(changes.keys() - settings_of(pim).keys())
    if unknown:
        known = ", ".join(settings_of(pim))
        raise SettingError(f"unknown settings {', '.join(unknown)}; known: {known}")
    numbers = {key: value for key, value in changes.items() if key not in ("edition", "time_zone")}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SettingError(f"{name}: {value!r} is not a whole number of 0 or more")
    edition, zone = pim.edition, pim.time_zone
    if "edition" in changes:
        edition = edition_of(changes["edition"])
    if "time_zone" in changes:
        zone = zone_of(changes["time_zone"])
    pim.become(edition)
    pim.time_zone = zone
    pim.counters.limits = replace(pim.counters.limits, **numbers)


def edition_of(name: Any) -> Edition:
    """The edition with this name; raises `SettingError`."""
    if name not in EDITIONS:
        raise SettingError(f"unknown edition {name!r}; known: {', '.join(EDITIONS)}")
    return EDITIONS[name]


def zone_of(name: Any) -> tzinfo:
    """The time zone with this name, e.g. Europe/Paris; raises `SettingError`."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise SettingError(f"unknown time zone {name!r}, expected one like Europe/Paris") from None


def _get_settings(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    return settings_of(pim)


def _set_settings(pim: Pim, body: dict[str, Any], _: Request) -> Any:
    set_settings(pim, body)
    return settings_of(pim)


def _rights_of(pim: Pim) -> dict[str, Any]:
    accounts = pim.accounts
    apps = ("app",) if accounts.app_tokens else ()
    users = sorted({*accounts.users, *apps, *accounts.allowed, *accounts.levels})
    return {
        user: {
            "rights": sorted(right for right in RIGHTS if accounts.may(user, right)),
            "products": accounts.levels.get(user, "own"),
        }
        for user in users
    }


def _get_rights(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    return _rights_of(pim)


def _set_rights(pim: Pim, body: dict[str, Any], _: Request) -> Any:
    for user, given in body.items():
        if not isinstance(given, dict) or given.keys() - {"rights", "without", "products"}:
            raise SettingError(f"{user}: expected an object with rights, without or products")
        try:
            if "rights" in given:
                pim.accounts.set_rights(user, given["rights"])
            if "without" in given:
                pim.accounts.set_rights(user, RIGHTS - set(given["without"]))
            if "products" in given:
                pim.accounts.set_level(user, given["products"])
        except (TypeError, ValueError) as error:
            raise SettingError(f"{user}: {error}") from error
    return _rights_of(pim)


def _get_late(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    return pim.late.report()


def _finish_late(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    pim.late.finish(list(pim.late.waiting))
    return pim.late.report()


def _load_catalog(pim: Pim, body: dict[str, Any], _: Request) -> Any:
    catalog = from_resources(body)
    check_catalog(catalog, pim.edition)
    pim.clear(catalog)
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


def _create_app(pim: Pim, body: dict[str, Any], _: Request) -> Any:
    try:
        app = pim.apps.create(
            str(body.get("name", "")),
            str(body.get("activate_url", "")),
            str(body.get("callback_url", "")),
        )
    except ValueError as error:
        raise LoadError(str(error)) from None
    return {"client_id": app.client_id, "secret": app.secret}


def _rotate_certificate(pim: Pim, _: dict[str, Any], __: Request) -> Any:
    pim.apps.rotate()
    return {"certificate": "rotated"}


TABLE: tuple[tuple[str, str, Steer], ...] = (
    ("PUT", "/catalog", _load_catalog),
    ("POST", "/reset", _reset),
    ("GET", "/faults", _get_faults),
    ("PUT", "/faults", _set_faults),
    ("PATCH", "/faults", _set_faults),
    ("DELETE", "/faults", _clear_faults),
    ("GET", "/counters", _counters),
    ("DELETE", "/counters", _clear_counters),
    ("GET", "/settings", _get_settings),
    ("PATCH", "/settings", _set_settings),
    ("GET", "/rights", _get_rights),
    ("PATCH", "/rights", _set_rights),
    ("GET", "/late-calls", _get_late),
    ("POST", "/late-calls", _finish_late),
    ("POST", "/expire-tokens", _expire_tokens),
    ("POST", "/apps", _create_app),
    ("POST", "/rotate-certificate", _rotate_certificate),
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
        except (msgspec.DecodeError, CatalogError, FaultError, LoadError, SettingError) as error:
            return json_answer({"code": 422, "message": str(error)}, 422)

    return answer
