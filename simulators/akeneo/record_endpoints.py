"""Reference entities, their structure and their records (Enterprise only).

Records are written as assets are, under other words. Source:
https://api.akeneo.com/api-reference.html#Referenceentityrecord.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from simulators.akeneo.asset_endpoints import find_items
from simulators.akeneo.asset_writes import write_record
from simulators.akeneo.media import parts_of
from simulators.akeneo.media_endpoints import file_answer
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.pim import Asset, Pim
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import (
    Call,
    Endpoint,
    get,
    json_answer,
    patch,
    upload,
    written_answer,
)
from simulators.akeneo.stream import array_answer
from simulators.akeneo.structure_resources import as_api

ENTITIES = "/reference-entities"
Json = dict[str, Any]


def entity_of(pim: Pim, code: str) -> Json:
    """The reference entity's row; raises `Refusal` 404."""
    row = pim.catalog.find("reference_entities", code)
    if row is None:
        raise Refusal(404, f'Reference entity "{code}" does not exist.')
    return row


def record_json(pim: Pim, record: Asset) -> Json:
    """One record with its values."""
    values: dict[str, list[Json]] = {}
    for (code, channel, locale), data in record.values.items():
        entry = {"locale": locale, "channel": channel, "data": data}
        values.setdefault(code, []).append(entry)
    shown: Json = {"code": record.code, "values": values}
    if record.created:
        shown |= {"created": pim.shown(record.created), "updated": pim.shown(record.updated)}
    return shown


def _records_of(pim: Pim, entity: str) -> list[Asset]:
    """All records: those of the catalog, which may be no more than codes, and those written."""
    codes = pim.catalog.reference_data.get(entity, {})
    return [
        pim.records.get(entity, code) or Asset(code=spelled, family=entity)
        for code, spelled in sorted(codes.items())
    ]


def _record(call: Call) -> Asset:
    entity, code = entity_of(call.pim, call.params["entity"])["code"], call.params["code"]
    found = [record for record in _records_of(call.pim, entity) if record.code == code]
    if not found:
        raise Refusal(404, f'Record "{code}" does not exist for the reference entity "{entity}".')
    return found[0]


def _list_entities(call: Call) -> Response:
    rows = sorted(call.pim.catalog.rows["reference_entities"].values(), key=lambda row: row["code"])
    page = page_of(f"{call.base}{ENTITIES}", call.request.query_params, keyset_only=True)

    def show(row: Json) -> Json:
        return {
            "_links": {"self": {"href": f"{call.base}{ENTITIES}/{row['code']}"}},
            **as_api(row),
        }

    return json_answer(paged(page, rows, lambda row: str(row["code"]), show))


def _get_entity(call: Call) -> Response:
    return json_answer(as_api(entity_of(call.pim, call.params["entity"])))


def _attributes(call: Call) -> dict[str, Json]:
    entity = entity_of(call.pim, call.params["entity"])["code"]
    return call.pim.catalog.record_attributes.get(entity, {})


def _list_attributes(call: Call) -> Response:
    return json_answer([as_api(row) for row in _attributes(call).values()])


def _attribute(call: Call) -> Json:
    entity, code = call.params["entity"], call.params["attribute"]
    row = _attributes(call).get(code)
    if row is None:
        text = f'Attribute "{code}" does not exist for the reference entity "{entity}".'
        raise Refusal(404, text)
    return row


def _get_attribute(call: Call) -> Response:
    return json_answer(as_api(_attribute(call)))


def _list_options(call: Call) -> Response:
    key = (call.params["entity"], str(_attribute(call)["code"]))
    rows = call.pim.catalog.record_options.get(key, {}).values()
    return json_answer([as_api(row) for row in rows])


def _list_records(call: Call) -> Response:
    entity = entity_of(call.pim, call.params["entity"])["code"]
    query = call.request.query_params
    path = f"{call.base}{ENTITIES}/{entity}/records"
    found = find_items(call.pim, _records_of(call.pim, entity), query)

    def show(record: Asset) -> Json:
        link = {"self": {"href": f"{path}/{record.code}"}}
        return {"_links": link, **record_json(call.pim, record)}

    page = page_of(path, query, keyset_only=True)
    return json_answer(paged(page, found, lambda record: record.code, show))


def _get_record(call: Call) -> Response:
    return json_answer(record_json(call.pim, _record(call)))


def _write(call: Call, code: str | None, body: Any) -> int:
    entity = entity_of(call.pim, call.params["entity"])["code"]
    return write_record(call.pim, entity, code, body)


def _patch_record(call: Call) -> Response:
    entity, code = call.params["entity"], call.params["code"]
    status = _write(call, code, call.object())
    return written_answer(call, status, "reference-entities", entity, "records", code)


def _patch_records(call: Call) -> Response:
    entity_of(call.pim, call.params["entity"])
    return array_answer(call, lambda body: _write(call, None, body))


def _upload(call: Call) -> Response:
    part = parts_of(call.request.headers.get("content-type", ""), call.body).get("file")
    if part is None or part.filename is None:
        raise Refusal(422, 'Property "file" is required.')
    key = call.pim.assets.media.store(part.filename, part.content).key
    headers = {
        "Location": f"{call.base}/reference-entities-media-files/{key}",
        "Reference-entities-media-file-code": key,
    }
    return Response(status_code=201, headers=headers)


def _download(call: Call) -> Response:
    file = call.pim.assets.media.files.get(call.params["code"])
    if file is None:
        raise Refusal(404, f'Media file "{call.params["code"]}" does not exist.')
    return file_answer(file)


def record_endpoints() -> Iterator[Endpoint]:
    """Reference entities and their records: Enterprise only."""
    return (replace(endpoint, needs="enterprise") for endpoint in _endpoints())


def _endpoints() -> Iterator[Endpoint]:
    entity = f"{ENTITIES}/{{entity}}"
    attribute = f"{entity}/attributes/{{attribute}}"
    yield get(ENTITIES, _list_entities, "reference_entity")
    yield get(entity, _get_entity, "reference_entity")
    yield get(f"{entity}/attributes", _list_attributes, "reference_entity")
    yield get(attribute, _get_attribute, "reference_entity")
    yield get(f"{attribute}/options", _list_options, "reference_entity")
    yield get(f"{entity}/records", _list_records, "reference_entity_record")
    yield patch(f"{entity}/records", _patch_records, "reference_entity_record")
    yield get(f"{entity}/records/{{code}}", _get_record, "reference_entity_record")
    yield patch(f"{entity}/records/{{code}}", _patch_record, "reference_entity_record")
    yield upload("/reference-entities-media-files", _upload, "reference_entity_record")
    yield get("/reference-entities-media-files/{code:path}", _download, "reference_entity_record")
