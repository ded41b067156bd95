"""Plain HTML pages of what is in the PIM, for people: products, one product, assets."""

from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from simulators.akeneo.asset_endpoints import asset_json
from simulators.akeneo.extensions import shown_at
from simulators.akeneo.media_endpoints import file_answer
from simulators.akeneo.pim import Pim, Product, ProductModel
from simulators.akeneo.product_reading import model_json, product_json

PAGE_SIZE = 25
_TEMPLATES = Environment(loader=PackageLoader("simulators.akeneo", "templates"), autoescape=True)

Show = Callable[[Pim, Request], Response]


def _page(name: str, status: int = 200, **shown: Any) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(name).render(shown), status)


def _missing(what: str) -> Response:
    return _page("missing.html", 404, what=what)


def _cut(request: Request, items: list[Any]) -> dict[str, Any]:
    text = request.query_params.get("page", "1")
    number = max(1, int(text)) if text.isdecimal() and len(text) < 9 else 1
    start = (number - 1) * PAGE_SIZE
    return {
        "q": request.query_params.get("q", ""),
        "page": number,
        "is_last": start + PAGE_SIZE >= len(items),
        "count": len(items),
        "items": items[start : start + PAGE_SIZE],
    }


def _products(pim: Pim, request: Request) -> Response:
    wanted = request.query_params.get("q", "").strip().lower()

    def name_of(product: Product) -> str:
        return pim.identifier_of(product) or product.uuid

    found = [
        product
        for product in pim.products.values()
        if not wanted or any(wanted in str(data).lower() for data in product.values.values())
    ]
    found.sort(key=name_of)
    label = pim.catalog.main_identifier
    return _page("products.html", **_cut(request, found), name_of=name_of, label=label)


def _product(pim: Pim, request: Request) -> Response:
    product = pim.products.get(request.path_params["uuid"])
    if product is None:
        return _missing("product")
    shown = product_json(pim, product, "", by_uuid=False)
    context = {"product[uuid]": product.uuid}
    if shown["identifier"]:
        context["product[identifier]"] = shown["identifier"]
    positions = ("pim.product.tab", "pim.product.panel", "pim.product.header")
    extensions = shown_at(pim, request, context, *positions)
    collections = _collections(pim)
    return _page("product.html", product=shown, collections=collections, extensions=extensions)


def _models(pim: Pim, request: Request) -> Response:
    wanted = request.query_params.get("q", "").strip().lower()
    found = sorted(
        (model for model in pim.models.values() if wanted in model.code.lower()),
        key=lambda model: model.code,
    )
    return _page("models.html", **_cut(request, found))


def _model(pim: Pim, request: Request) -> Response:
    model = pim.model(request.path_params["code"])
    if model is None:
        return _missing("product model")
    children = [
        ("/models/", child.code, child.code)
        if isinstance(child, ProductModel)
        else ("/products/", child.uuid, pim.identifier_of(child) or child.uuid)
        for child in pim.children_of(model)
    ]
    shown = model_json(pim, model, "")
    kind = "sub-product-model" if model.parent else "product-model"
    positions = (f"pim.{kind}.tab", f"pim.{kind}.panel", f"pim.{kind}.header")
    return _page(
        "model.html",
        model=shown,
        collections=_collections(pim),
        children=children,
        extensions=shown_at(pim, request, {"product[code]": model.code}, *positions),
    )


def _collections(pim: Pim) -> dict[str, str | None]:
    """Attributes that hold assets, with the asset family."""
    return {
        code: attribute.reference_data_name
        for code, attribute in pim.catalog.attributes.items()
        if attribute.type == "pim_catalog_asset_collection"
    }


def _assets(pim: Pim, request: Request) -> Response:
    wanted = request.query_params.get("q", "").strip().lower()
    found = [
        asset
        for family in sorted(pim.assets.by_family)
        for asset in pim.assets.all_of(family)
        if wanted in asset.code.lower()
    ]
    return _page("assets.html", **_cut(request, found))


def _asset(pim: Pim, request: Request) -> Response:
    asset = pim.assets.get(request.path_params["family"], request.path_params["code"])
    if asset is None:
        return _missing("asset")
    return _page("asset.html", asset=asset_json(pim, asset, ""), family=asset.family)


def _media(pim: Pim, request: Request) -> Response:
    key = request.path_params["key"]
    file = pim.media.files.get(key) or pim.assets.media.files.get(key)
    if file is None or file.content is None:
        return _missing("file")
    response = file_answer(file)
    if file.mime_type in ("image/jpeg", "image/png", "image/gif", "image/webp"):
        response.headers["content-disposition"] = "inline"
    response.headers["x-content-type-options"] = "nosniff"
    return response


def browse_routes(pim: Pim) -> Iterator[Route]:
    """The pages; they only read."""
    for path, show in (
        ("/", _products),
        ("/products/{uuid}", _product),
        ("/models", _models),
        ("/models/{code}", _model),
        ("/assets", _assets),
        ("/assets/{family}/{code}", _asset),
        ("/media/{key:path}", _media),
    ):
        yield Route(path, _endpoint(pim, show), methods=["GET"])


def _endpoint(pim: Pim, show: Show) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        with pim.lock:
            return show(pim, request)

    return answer
