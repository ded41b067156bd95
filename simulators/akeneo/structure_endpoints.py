"""Routes of the structure: attributes and their options, families, channels, categories…"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from starlette.responses import Response

from simulators.akeneo.catalog import WITH_OPTIONS, Row
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import (
    Call,
    Endpoint,
    get,
    json_answer,
    patch,
    patch_list,
    post,
    written_answer,
)
from simulators.akeneo.stream import stream_answer
from simulators.akeneo.structure_resources import (
    FAMILY_VARIANTS,
    KINDS,
    WRITINGS,
    Kind,
    as_api,
    filtered,
)
from simulators.akeneo.structure_writes import write_option, write_structure


def list_answer(call: Call, path: str, rows: list[Row], show: Callable[[Row], Row]) -> Response:
    """A page of rows, each with a link to itself."""
    query = call.request.query_params
    page = page_of(f"{call.base}/{path}", query, searchable=False)

    def linked(row: Row) -> dict[str, Any]:
        return {"_links": {"self": {"href": f"{call.base}/{path}/{row['code']}"}}, **show(row)}

    return json_answer(paged(page, filtered(rows, query), lambda row: str(row["code"]), linked))


def _list(kind: Kind) -> Callable[[Call], Response]:
    def answer(call: Call) -> Response:
        catalog = call.pim.catalog
        rows = sorted(catalog.rows[kind.resource].values(), key=lambda row: row["code"].lower())
        return list_answer(call, kind.path, rows, lambda row: kind.show(call.pim, row))

    return answer


def _one(kind: Kind) -> Callable[[Call], Response]:
    def answer(call: Call) -> Response:
        row = call.pim.catalog.find(kind.resource, call.params["code"])
        if row is None:
            raise Refusal(404, f'{kind.label} "{call.params["code"]}" does not exist.')
        return json_answer(kind.show(call.pim, row))

    return answer


def _writes(kind: Kind) -> Iterator[Endpoint]:
    writing = WRITINGS[kind.path]

    def many(call: Call) -> Response:
        return stream_answer(
            call, "code", lambda code, body: write_structure(call.pim, writing, code, body)
        )

    def one(call: Call) -> Response:
        code = call.params["code"]
        status = write_structure(call.pim, writing, code, call.object())
        return written_answer(call, status, kind.path, code)

    def create(call: Call) -> Response:
        body = call.object()
        status = write_structure(call.pim, writing, None, body)
        return written_answer(call, status, kind.path, str(body["code"]))

    yield patch_list(f"/{kind.path}", many, kind.right)
    yield patch(f"/{kind.path}/{{code}}", one, kind.right)
    yield post(f"/{kind.path}", create, kind.right)


def _family(call: Call) -> Row:
    row = call.pim.catalog.find("families", call.params["family"])
    if row is None:
        raise Refusal(404, f'Family "{call.params["family"]}" does not exist.')
    return row


def _family_variants(call: Call) -> Response:
    family = _family(call)
    rows = [
        row
        for row in call.pim.catalog.rows["family_variants"].values()
        if row["family"] == family["code"]
    ]
    return list_answer(call, f"families/{family['code']}/variants", rows, _family_variant_json)


def _family_variant(call: Call) -> Response:
    family, code = _family(call), call.params["code"]
    row = call.pim.catalog.find("family_variants", code)
    if row is None or row["family"] != family["code"]:
        raise Refusal(
            404,
            f'Family variant "{code}" does not exist or is not a variant '
            f'of the family "{family["code"]}".',
        )
    return json_answer(_family_variant_json(row))


def _family_variant_json(row: Row) -> Row:
    return {key: value for key, value in as_api(row).items() if key != "family"}


def _patch_family_variants(call: Call) -> Response:
    fixed = {"family": _family(call)["code"]}

    def write(code: str, body: Row) -> int:
        return write_structure(call.pim, FAMILY_VARIANTS, code, body, fixed)

    return stream_answer(call, "code", write)


def _patch_family_variant(call: Call) -> Response:
    family, code = _family(call)["code"], call.params["code"]
    status = write_structure(call.pim, FAMILY_VARIANTS, code, call.object(), {"family": family})
    return written_answer(call, status, "families", family, "variants", code)


def _post_family_variant(call: Call) -> Response:
    family, body = _family(call)["code"], call.object()
    status = write_structure(call.pim, FAMILY_VARIANTS, None, body, {"family": family})
    return written_answer(call, status, "families", family, "variants", str(body["code"]))


def _locale_rows(call: Call) -> list[Row]:
    active = call.pim.catalog.active_locales
    codes = sorted(call.pim.catalog.locales)
    return [{"code": code, "enabled": code in active} for code in codes]


def _currency_rows(call: Call) -> list[Row]:
    currencies = call.pim.catalog.currencies
    return [{"code": code, "enabled": currencies[code]} for code in sorted(currencies)]


def _simple(
    path: str, label: str, right: str, rows_of: Callable[[Call], list[Row]]
) -> Iterator[Endpoint]:
    def many(call: Call) -> Response:
        return list_answer(call, path, rows_of(call), lambda row: row)

    def one(call: Call) -> Response:
        code = call.params["code"]
        for row in rows_of(call):
            if row["code"].lower() == code.lower():
                return json_answer(row)
        raise Refusal(404, f'{label} "{code}" does not exist.')

    yield get(f"/{path}", many, right)
    yield get(f"/{path}/{{code}}", one, right)


def _measurement_families(call: Call) -> Response:
    return json_answer(list(call.pim.catalog.rows["measurement_families"].values()))


def structure_endpoints() -> Iterator[Endpoint]:
    """Reading and writing what the PIM is made of."""
    for kind in KINDS.values():
        yield get(f"/{kind.path}", _list(kind), kind.right)
        yield get(f"/{kind.path}/{{code}}", _one(kind), kind.right)
        yield from _writes(kind)
    yield patch_list("/families/{family}/variants", _patch_family_variants, "family_variant")
    yield get("/families/{family}/variants", _family_variants, "family_variant")
    yield get("/families/{family}/variants/{code}", _family_variant, "family_variant")
    yield patch("/families/{family}/variants/{code}", _patch_family_variant, "family_variant")
    yield post("/families/{family}/variants", _post_family_variant, "family_variant")
    yield from _simple("locales", "Locale", "locale", _locale_rows)
    yield from _simple("currencies", "Currency", "currency", _currency_rows)
    yield get("/measurement-families", _measurement_families, "measurement_family")


_SUPPORTED = ", ".join(f'"{name}"' for name in WITH_OPTIONS)


def _readable_attribute(call: Call) -> str:
    code = call.params["attribute"]
    attribute = call.pim.catalog.attributes.get(code)
    if attribute is None:
        raise Refusal(404, f'Attribute "{code}" does not exist.')
    if attribute.type not in WITH_OPTIONS:
        raise Refusal(
            404,
            f'Attribute "{code}" does not support options. '
            f"Only attributes of type {_SUPPORTED} support options.",
        )
    return code


def _list_options(call: Call) -> Response:
    attribute = _readable_attribute(call)
    rows = list(call.pim.catalog.options.get(attribute, {}).values())
    rows.sort(key=lambda row: (row["sort_order"], row["code"]))
    return list_answer(call, f"attributes/{attribute}/options", rows, _shown)


def _one_option(call: Call) -> Response:
    attribute, code = _readable_attribute(call), call.params["code"]
    row = call.pim.catalog.options.get(attribute, {}).get(code.lower())
    if row is None:
        raise Refusal(
            404,
            f'Attribute option "{code}" does not exist or is not an option '
            f'of the attribute "{attribute}".',
        )
    return json_answer(_shown(row))


def _shown(row: Row) -> Row:
    labels = {locale: label for locale, label in (row["labels"] or {}).items() if label}
    return as_api(row) | {"labels": labels}


def _patch_options(call: Call) -> Response:
    _count(call)
    attribute = call.params["attribute"]

    def write(code: str, body: dict[str, Any]) -> int:
        return write_option(call.pim, attribute, code, body)

    return stream_answer(call, "code", write)


def _patch_option(call: Call) -> Response:
    _count(call)
    attribute, code = call.params["attribute"], call.params["code"]
    status = write_option(call.pim, attribute, code, call.object())
    return written_answer(call, status, "attributes", attribute, "options", code)


def _post_option(call: Call) -> Response:
    _count(call)
    attribute, body = call.params["attribute"], call.object()
    status = write_option(call.pim, attribute, None, body)
    return written_answer(
        call, status, "attributes", attribute, "options", str(body.get("code", ""))
    )


def _count(call: Call) -> None:
    call.pim.counters.option_write(time.monotonic())


def option_endpoints() -> Iterator[Endpoint]:
    """Options of one attribute."""
    path = "/attributes/{attribute}/options"
    yield get(path, _list_options, "attribute_option")
    yield get(f"{path}/{{code}}", _one_option, "attribute_option")
    yield patch_list(path, _patch_options, "attribute_option")
    yield patch(f"{path}/{{code}}", _patch_option, "attribute_option")
    yield post(path, _post_option, "attribute_option")
