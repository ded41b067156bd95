"""Endpoints of the PIM's structure."""

from collections.abc import Callable, Iterator
from typing import Any

from starlette.responses import Response

from simulators.akeneo.call import Call, json_answer, written_answer
from simulators.akeneo.catalog import Row
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import Endpoint, get, patch, patch_list, post
from simulators.akeneo.streaming import stream_answer
from simulators.akeneo.structure_resources import FAMILY_VARIANTS, WRITINGS
from simulators.akeneo.structure_rows import KINDS, Kind, as_api, filtered
from simulators.akeneo.structure_writes import write_structure


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
        return list_answer(call, kind.path, rows, lambda row: kind.show(catalog, row))

    return answer


def _one(kind: Kind) -> Callable[[Call], Response]:
    def answer(call: Call) -> Response:
        row = call.pim.catalog.find(kind.resource, call.params["code"])
        if row is None:
            raise Refusal(404, f'{kind.label} "{call.params["code"]}" does not exist.')
        return json_answer(kind.show(call.pim.catalog, row))

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
    yield from _simple("locales", "Locale", "locale", _locale_rows)
    yield from _simple("currencies", "Currency", "currency", _currency_rows)
    yield get("/measurement-families", _measurement_families, "measurement_family")
