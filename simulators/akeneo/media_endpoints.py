"""Endpoints of product media files."""

from collections.abc import Iterator

from starlette.responses import Response

from simulators.akeneo.call import Call, json_answer
from simulators.akeneo.media import MediaFile
from simulators.akeneo.media_writes import upload_media
from simulators.akeneo.multipart import parts_of
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import Endpoint, get, upload


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
    key = upload_media(call.pim, parts)
    return Response(status_code=201, headers={"Location": f"{call.base}/media-files/{key}"})


def media_endpoints() -> Iterator[Endpoint]:
    """Media files of products and product models."""
    yield get("/media-files", _list)
    yield get("/media-files/{code:path}/download", _download)
    yield get("/media-files/{code:path}", _one)
    yield upload("/media-files", _upload, None)
