"""Endpoints of attribute options."""

import time
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from simulators.akeneo.attribute import WITH_OPTIONS
from simulators.akeneo.call import Call, json_answer, written_answer
from simulators.akeneo.catalog import Row
from simulators.akeneo.option_writes import write_option
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import Endpoint, get, patch, patch_list, post
from simulators.akeneo.streaming import stream_answer
from simulators.akeneo.structure_endpoints import list_answer
from simulators.akeneo.structure_rows import as_api

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


def _list(call: Call) -> Response:
    attribute = _readable_attribute(call)
    rows = list(call.pim.catalog.options.get(attribute, {}).values())
    rows.sort(key=lambda row: (row["sort_order"], row["code"]))
    return list_answer(call, f"attributes/{attribute}/options", rows, _shown)


def _one(call: Call) -> Response:
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


def _patch_list(call: Call) -> Response:
    _count(call)
    attribute = call.params["attribute"]

    def write(code: str, body: dict[str, Any]) -> int:
        return write_option(call.pim, attribute, code, body)

    return stream_answer(call, "code", write)


def _patch(call: Call) -> Response:
    _count(call)
    attribute, code = call.params["attribute"], call.params["code"]
    status = write_option(call.pim, attribute, code, call.object())
    return written_answer(call, status, "attributes", attribute, "options", code)


def _post(call: Call) -> Response:
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
    yield get(path, _list, "attribute_option")
    yield get(f"{path}/{{code}}", _one, "attribute_option")
    yield patch_list(path, _patch_list, "attribute_option")
    yield patch(f"{path}/{{code}}", _patch, "attribute_option")
    yield post(path, _post, "attribute_option")
