"""Routes of products and product models, and which values their lists show.

Source: https://api.akeneo.com/documentation/filter.html#filter-product-values.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.responses import Response

from simulators.akeneo.catalog import Catalog
from simulators.akeneo.model_writes import create_model, patch_model
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.phpjson import encode
from simulators.akeneo.pim import Pim, Product, ProductModel
from simulators.akeneo.product_reading import find_models, find_products, model_json, product_json
from simulators.akeneo.product_writes import (
    Written,
    create_product,
    create_product_by_uuid,
    patch_product,
    patch_product_by_uuid,
)
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import (
    Call,
    Endpoint,
    Handler,
    get,
    json_answer,
    patch,
    patch_list,
    post,
    written_answer,
)
from simulators.akeneo.stream import stream_answer
from simulators.akeneo.writers import Writer, workflow_status

Json = dict[str, Any]


def projection_of(catalog: Catalog, query: Mapping[str, str]) -> Callable[[Json], Json]:
    """What to leave out of each item; raises `Refusal` 422 for what the PIM does not have."""
    scope = query.get("scope")
    attributes = _codes(query.get("attributes"))
    locales = _codes(query.get("locales"))
    channel = catalog.find("channels", scope)
    if scope is not None and channel is None:
        raise Refusal(422, f'Scope "{scope}" does not exist.')
    if locales is not None:
        _check_locales(catalog, locales, scope, channel)
    unknown = [code for code in attributes or () if code not in catalog.attributes]
    if unknown:
        one = len(unknown) == 1
        noun, verb = ("Attribute", "does") if one else ("Attributes", "do")
        raise Refusal(422, f"{noun} {_quoted(unknown)} {verb} not exist.")
    shown_locales = locales if locales is not None else (channel["locales"] if channel else None)

    def project(item: Json) -> Json:
        values = {
            code: [entry for entry in entries if _fits(entry, scope, shown_locales)]
            for code, entries in item["values"].items()
            if attributes is None or code in attributes
        }
        return item | {"values": {code: entries for code, entries in values.items() if entries}}

    return project


def _codes(text: str | None) -> list[str] | None:
    return None if text is None else [code.strip() for code in text.split(",")]


def _quoted(codes: list[str]) -> str:
    return f'"{", ".join(codes)}"'


def _check_locales(
    catalog: Catalog, locales: list[str], scope: str | None, channel: Json | None
) -> None:
    one = len(locales) == 1
    unknown = [code for code in locales if code not in catalog.active_locales]
    if unknown:
        verb = "does not exist or is" if len(unknown) == 1 else "do not exist or are"
        noun = "Locale" if len(unknown) == 1 else "Locales"
        raise Refusal(422, f"{noun} {_quoted(unknown)} {verb} not activated.")
    outside = [code for code in locales if channel and code not in channel["locales"]]
    if outside:
        noun, verb = ("Locale", "is") if one else ("Locales", "are")
        raise Refusal(
            422, f'{noun} {_quoted(outside)} {verb} not activated for the scope "{scope}".'
        )


def _fits(entry: Json, scope: str | None, locales: list[str] | None) -> bool:
    if scope is not None and entry["scope"] not in (None, scope):
        return False
    return locales is None or entry["locale"] is None or entry["locale"] in locales


def _writer(call: Call) -> Writer:
    return Writer(call.user, "create_missing_options" in call.request.query_params)


Write = Callable[[Pim, str, Json, Writer], Written]


def _many(key: str, write: Write) -> Handler:
    def answer(call: Call) -> Response:
        writer = _writer(call)
        return stream_answer(
            call, key, lambda code, body: write(call.pim, code, body, writer).status
        )

    return answer


def _one(path: str, write: Write) -> Handler:
    def answer(call: Call) -> Response:
        done = write(call.pim, call.params["code"], call.object(), _writer(call))
        return written_answer(call, done.status, path, done.key)

    return answer


def _create(path: str, write: Callable[[Pim, Json, Writer], Written]) -> Handler:
    def answer(call: Call) -> Response:
        done = write(call.pim, call.object(), _writer(call))
        return written_answer(call, done.status, path, done.key)

    return answer


def _get_product(call: Call) -> Response:
    product = call.pim.product_by_identifier(call.params["code"])
    return _one_product(call, product, call.params["code"], by_uuid=False)


def _get_product_by_uuid(call: Call) -> Response:
    product = call.pim.products.get(call.params["code"].lower())
    return _one_product(call, product, call.params["code"], by_uuid=True)


def _one_product(call: Call, product: Product | None, code: str, *, by_uuid: bool) -> Response:
    if product is None:
        text = f'Product "{code}" does not exist or you do not have permission to access it.'
        raise Refusal(404, text)
    shown = product_json(call.pim, product, call.base, by_uuid=by_uuid)
    return json_answer(shown | metadata(call, product))


def _get_model(call: Call) -> Response:
    code = call.params["code"]
    model = call.pim.model(code)
    if model is None:
        text = f'Product model "{code}" does not exist or you do not have permission to access it.'
        raise Refusal(404, text)
    return json_answer(model_json(call.pim, model, call.base) | metadata(call, model))


def _list_products(call: Call) -> Response:
    return _product_list(call, "products", call.request.query_params, by_uuid=False)


def _list_products_by_uuid(call: Call) -> Response:
    return _product_list(call, "products-uuid", call.request.query_params, by_uuid=True)


def _product_list(call: Call, path: str, query: Mapping[str, str], *, by_uuid: bool) -> Response:
    pim = call.pim
    page = page_of(f"{call.base}/{path}", query, searchable=True)
    project = projection_of(pim.catalog, query)
    found = find_products(pim, query)
    if not by_uuid:
        found = [product for product in found if pim.identifier_of(product) is not None]

    def key_of(product: Product) -> str:
        return product.uuid if by_uuid else str(pim.identifier_of(product))

    def show(product: Product) -> dict[str, Any]:
        link = {"self": {"href": f"{call.base}/{path}/{key_of(product)}"}}
        shown = product_json(pim, product, call.base, by_uuid=by_uuid)
        return {"_links": link, **project(shown), **metadata(call, product)}

    found.sort(key=lambda product: key_of(product).lower())
    return json_answer(paged(page, found, key_of, show))


def _list_models(call: Call) -> Response:
    query = call.request.query_params
    page = page_of(f"{call.base}/product-models", query, searchable=True)
    project = projection_of(call.pim.catalog, query)

    def show(model: ProductModel) -> dict[str, Any]:
        link = {"self": {"href": f"{call.base}/product-models/{model.code}"}}
        shown = model_json(call.pim, model, call.base)
        return {"_links": link, **project(shown), **metadata(call, model)}

    found = sorted(find_models(call.pim, query), key=lambda model: model.code.lower())
    return json_answer(paged(page, found, lambda model: model.code, show))


def metadata(call: Call, entity: Product | ProductModel) -> Json:
    """The `metadata` that an Enterprise Edition adds to a product."""
    if not call.pim.edition.enterprise:
        return {}
    return {"metadata": {"workflow_status": workflow_status(call.pim, call.user, entity)}}


def _search_products_by_uuid(call: Call) -> Response:
    """The list by UUID, whose filters come in the body: they may be longer than a URL."""
    query = {key: _as_query(value) for key, value in call.object().items() if value is not None}
    return _product_list(call, "products-uuid", query, by_uuid=True)


def _as_query(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else encode(value)


def product_endpoints() -> Iterator[Endpoint]:
    """Products by identifier and by UUID, and product models."""
    yield post(
        "/products-uuid/search", _search_products_by_uuid, "product", action="list", needs="saas"
    )
    for path, right, key, one, many, write, create in (
        (
            "products",
            "product",
            "identifier",
            _get_product,
            _list_products,
            patch_product,
            create_product,
        ),
        (
            "products-uuid",
            "product",
            "uuid",
            _get_product_by_uuid,
            _list_products_by_uuid,
            patch_product_by_uuid,
            create_product_by_uuid,
        ),
        (
            "product-models",
            "product_model",
            "code",
            _get_model,
            _list_models,
            patch_model,
            create_model,
        ),
    ):
        yield get(f"/{path}", many, right)
        yield get(f"/{path}/{{code:path}}", one, right)
        yield patch_list(f"/{path}", _many(key, write), right)
        yield patch(f"/{path}/{{code:path}}", _one(path, write), right)
        yield post(f"/{path}", _create(path, create), right)
