"""`/media-files`: an upload is stored and linked to its product in one call."""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from simulators.akeneo.media import MediaFile, Part, parts_of
from simulators.akeneo.model_writes import link_model_value
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_writes import link_product_value
from simulators.akeneo.refusal import PropertyError, Refusal, bad_json
from simulators.akeneo.routing import Call, Endpoint, get, json_answer, upload
from simulators.akeneo.writers import Writer

_KEYS = {"product": "identifier", "product_model": "code"}
_NAMES = {"product": "Product", "product_model": "Product model"}


def upload_media(pim: Pim, parts: dict[str, Part], writer: Writer) -> str:
    """Store the file and set it as a value; returns its key, raises `Refusal`."""
    kinds = [kind for kind in _KEYS if kind in parts]
    if len(kinds) == 2:
        raise Refusal(422, 'You should give either a "product" or a "product_model" key.')
    if not kinds:
        raise Refusal(
            422,
            "You should at least give one of the following properties: "
            '"product" or "product_model".',
        )
    kind = kinds[0]
    target = _target(kind, parts[kind].content)
    owner = _owner(pim, kind, target)
    file = parts.get("file")
    if file is None or file.filename is None:
        raise Refusal(422, 'Property "file" is required.')
    stored = pim.media.store(file.filename, file.content)
    entry = {"locale": target["locale"], "scope": target["scope"], "data": stored.key}
    try:
        link = link_product_value if kind == "product" else link_model_value
        link(pim, owner, target["attribute"], entry, writer)
    except (PropertyError, Refusal) as error:
        del pim.media.files[stored.key]
        if isinstance(error, PropertyError):
            raise Refusal(422, str(error)) from None
        raise
    return stored.key


def _target(kind: str, content: bytes) -> dict[str, Any]:
    try:
        target = decode(content)
    except InvalidJsonError:
        raise bad_json() from None
    if target is None:
        raise bad_json()
    keys = (_KEYS[kind], "attribute", "locale", "scope")
    if not isinstance(target, dict) or not all(key in target for key in keys):
        raise Refusal(
            422,
            f'{_NAMES[kind]} property must contain "{keys[0]}", "attribute", "locale" '
            'and "scope" properties.',
        )
    return target


def _owner(pim: Pim, kind: str, target: dict[str, Any]) -> Any:
    code = str(target[_KEYS[kind]])
    owner = pim.product_by_identifier(code) if kind == "product" else pim.model(code)
    if owner is None:
        raise Refusal(422, f'{_NAMES[kind]} "{code}" does not exist.')
    return owner


def file_answer(file: MediaFile) -> Response:
    """The file itself, as a download."""
    name = file.filename.replace("\\", "").replace('"', "").encode("ascii", "replace").decode()
    disposition = f'attachment; filename="{name}"'
    return Response(
        file.content,
        media_type=None,
        headers={"content-type": file.mime_type, "content-disposition": disposition},
    )


def _shown(call: Call, file: MediaFile) -> dict[str, object]:
    href = f"{call.base}/media-files/{file.key}/download"
    return {
        "code": file.key,
        "original_filename": file.filename,
        "mime_type": file.mime_type,
        "size": file.size,
        "extension": file.extension,
        "_links": {"download": {"href": href}},
    }


def _file(call: Call) -> MediaFile:
    key = call.params["code"]
    file = call.pim.media.files.get(key)
    if file is None:
        raise Refusal(404, f'Media file "{key}" does not exist.')
    return file


def _one(call: Call) -> Response:
    return json_answer(_shown(call, _file(call)))


def _download(call: Call) -> Response:
    file = _file(call)
    if file.content is None:
        raise Refusal(404, f'Media file "{file.key}" is not present on the filesystem.')
    return file_answer(file)


def _list(call: Call) -> Response:
    page = page_of(f"{call.base}/media-files", call.request.query_params, searchable=False)

    def show(file: MediaFile) -> dict[str, object]:
        shown = _shown(call, file)
        download = shown.pop("_links")
        link = {"self": {"href": f"{call.base}/media-files/{file.key}"}}
        return {"_links": link | (download if isinstance(download, dict) else {}), **shown}

    files = list(call.pim.media.files.values())
    return json_answer(paged(page, files, lambda file: file.key, show))


def _upload(call: Call) -> Response:
    parts = parts_of(call.request.headers.get("content-type", ""), call.body)
    key = upload_media(call.pim, parts, Writer(call.user))
    return Response(status_code=201, headers={"Location": f"{call.base}/media-files/{key}"})


def media_endpoints() -> Iterator[Endpoint]:
    """Media files of products and product models."""
    yield get("/media-files", _list)
    yield get("/media-files/{code:path}/download", _download)
    yield get("/media-files/{code:path}", _one)
    yield upload("/media-files", _upload, None)
