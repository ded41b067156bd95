"""Uploads media files without ever holding one in memory.

https://api.akeneo.com/api-reference.html#post_media_files and `#post_asset_media_files`: the
answer has no body; the file's code is in a header.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.akeneo.connection import Connection

Content = bytes | Callable[[], BinaryIO]


class Reopened:
    """A file for the multipart encoder, opened anew whenever it is wound back.

    Every try, and the replay after a renewed token, sends the file from its beginning; a download
    that is passed through cannot be wound back, but it can be asked for again.
    """

    def __init__(self, opener: Callable[[], BinaryIO]) -> None:
        self._opener = opener
        self._file: BinaryIO | None = None

    def read(self, size: int = -1) -> bytes:
        if self._file is None:
            self._file = self._opener()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only the way back to the beginning")
        self.close()
        return 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def upload(
    connection: Connection,
    path: str,
    filename: str,
    content: Content,
    *,
    content_type: str | None = None,
    target: dict[str, Any] | None = None,
) -> str:
    """Send one file as multipart and give the code the PIM has filed it under."""
    opener = content if callable(content) else lambda: io.BytesIO(content)
    file = Reopened(opener)
    part = (filename, file, content_type) if content_type else (filename, file)
    fields = {name: json.dumps(value) for name, value in (target or {}).items()}
    try:
        response = connection.send("POST", path, files={"file": part}, data=fields)
    finally:
        file.close()
    code = response.headers.get("Asset-media-file-code")
    code = code or unquote(response.headers.get("Location", "").partition(f"/{path}/")[2])
    if not code:
        raise ConfigurationError(
            f"POST {path}: the PIM took the file, but its answer does not name it: a proxy between"
            " drops the headers Location and Asset-media-file-code."
        )
    return code
