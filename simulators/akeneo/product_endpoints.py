"""Endpoints of products and product models."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from simulators.akeneo.call import Call, json_answer, written_answer
from simulators.akeneo.entities import Product, ProductModel
from simulators.akeneo.model_writes import create_model, patch_model
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.product_search import find_models, find_products
from simulators.akeneo.product_writes import (
    create_product,
    create_product_by_uuid,
    patch_product,
    patch_product_by_uuid,
)
from simulators.akeneo.projection import projection_of
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import Endpoint, get, patch, patch_list, post
from simulators.akeneo.standard import model_json, product_json
from simulators.akeneo.streaming import stream_answer


def _patch_products(call: Call) -> Response:
    return stream_answer(
        call, "identifier", lambda code, body: patch_product(call.pim, code, body).status
    )


def _patch_products_by_uuid(call: Call) -> Response:
    return stream_answer(
        call, "uuid", lambda code, body: patch_product_by_uuid(call.pim, code, body).status
    )


def _patch_models(call: Call) -> Response:
    return stream_answer(call, "code", lambda code, body: patch_model(call.pim, code, body).status)


def _patch_product(call: Call) -> Response:
    done = patch_product(call.pim, call.params["code"], call.object())
    return written_answer(call, done.status, "products", done.key)


def _patch_product_by_uuid(call: Call) -> Response:
    done = patch_product_by_uuid(call.pim, call.params["uuid"], call.object())
    return written_answer(call, done.status, "products-uuid", done.key)


def _patch_model(call: Call) -> Response:
    done = patch_model(call.pim, call.params["code"], call.object())
    return written_answer(call, done.status, "product-models", done.key)


def _create_product(call: Call) -> Response:
    done = create_product(call.pim, call.object())
    return written_answer(call, done.status, "products", done.key)


def _create_product_by_uuid(call: Call) -> Response:
    done = create_product_by_uuid(call.pim, call.object())
    return written_answer(call, done.status, "products-uuid", done.key)


def _create_model(call: Call) -> Response:
    done = create_model(call.pim, call.object())
    return written_answer(call, done.status, "product-models", done.key)


def _get_product(call: Call) -> Response:
    product = call.pim.product_by_identifier(call.params["code"])
    return _one_product(call, product, call.params["code"], by_uuid=False)


def _get_product_by_uuid(call: Call) -> Response:
    product = call.pim.products.get(call.params["uuid"].lower())
    return _one_product(call, product, call.params["uuid"], by_uuid=True)


def _one_product(call: Call, product: Product | None, code: str, *, by_uuid: bool) -> Response:
    if product is None:
        text = f'Product "{code}" does not exist or you do not have permission to access it.'
        raise Refusal(404, text)
    return json_answer(product_json(call.pim, product, call.base, by_uuid=by_uuid))


def _get_model(call: Call) -> Response:
    code = call.params["code"]
    model = call.pim.model(code)
    if model is None:
        text = f'Product model "{code}" does not exist or you do not have permission to access it.'
        raise Refusal(404, text)
    return json_answer(model_json(call.pim, model, call.base))


def _list_products(call: Call) -> Response:
    return _product_list(call, "products", by_uuid=False)


def _list_products_by_uuid(call: Call) -> Response:
    return _product_list(call, "products-uuid", by_uuid=True)


def _product_list(call: Call, path: str, *, by_uuid: bool) -> Response:
    pim, query = call.pim, call.request.query_params
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
        return {"_links": link, **project(shown)}

    found.sort(key=lambda product: key_of(product).lower())
    return json_answer(paged(page, found, key_of, show))


def _list_models(call: Call) -> Response:
    query = call.request.query_params
    page = page_of(f"{call.base}/product-models", query, searchable=True)
    project = projection_of(call.pim.catalog, query)

    def show(model: ProductModel) -> dict[str, Any]:
        link = {"self": {"href": f"{call.base}/product-models/{model.code}"}}
        shown = model_json(call.pim, model, call.base)
        return {"_links": link, **project(shown)}

    found = sorted(find_models(call.pim, query), key=lambda model: model.code.lower())
    return json_answer(paged(page, found, lambda model: model.code, show))


def product_endpoints() -> Iterator[Endpoint]:
    """Products by identifier and by UUID, and product models."""
    for path, key, one, many, first, several, created in (
        (
            "/products",
            "code",
            _get_product,
            _list_products,
            _patch_product,
            _patch_products,
            _create_product,
        ),
        (
            "/products-uuid",
            "uuid",
            _get_product_by_uuid,
            _list_products_by_uuid,
            _patch_product_by_uuid,
            _patch_products_by_uuid,
            _create_product_by_uuid,
        ),
    ):
        yield from (
            get(path, many, "product"),
            get(f"{path}/{{{key}:path}}", one, "product"),
            patch_list(path, several, "product"),
            patch(f"{path}/{{{key}:path}}", first, "product"),
            post(path, created, "product"),
        )
    yield get("/product-models", _list_models, "product_model")
    yield get("/product-models/{code:path}", _get_model, "product_model")
    yield patch_list("/product-models", _patch_models, "product_model")
    yield patch("/product-models/{code:path}", _patch_model, "product_model")
    yield post("/product-models", _create_model, "product_model")
