"""Fetches the files of image and file attributes: from a URL, or from beside the ERP's file in S3.

A file is uploaded when its product is in the PIM, and not again while its mark stays the same: the
ETag for what lies in S3, the address itself for a URL.
"""

from __future__ import annotations

import posixpath
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from pim_connector.akeneo.media import CHUNK_BYTES, Downloads, Limits
from pim_connector.aws.errors import translated
from pim_connector.errors import RejectedError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PRODUCT_LIMITS = Limits(max_megabytes=64)
"""An image that is larger belongs in the DAM."""


class MediaFile(Struct, frozen=True, kw_only=True):
    """One file on disk, ready to be uploaded: `open` opens it, for every try anew."""

    filename: str
    path: Path

    def open(self) -> BinaryIO:
        return self.path.open("rb")


class MediaFiles:
    """Where the files of one stack's sources lie.

    RejectedError says what is wrong with a file, TransientError that S3 does not answer.
    """

    def __init__(self, s3: S3Client, bucket: str, downloads: Downloads) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._downloads = downloads

    def mark(self, source: str, location: str) -> str:
        """Return what changes when the file changes, without reading the file."""
        if _is_url(location):
            return location
        key = _key(source, location)
        with _in_bucket(key):
            return f"{key} {self._s3.head_object(Bucket=self._bucket, Key=key)['ETag']}"

    @contextmanager
    def read(self, source: str, location: str) -> Iterator[MediaFile]:
        """Fetch a file within PRODUCT_LIMITS; it is on disk as long as the block lasts."""
        with tempfile.TemporaryDirectory(prefix="media-") as folder:
            path = Path(folder) / "file"
            with path.open("wb") as target:
                if _is_url(location):
                    name = self._download(location, target)
                else:
                    name = self._from_bucket(source, location, target)
            yield MediaFile(filename=name, path=path)

    def _from_bucket(self, source: str, location: str, target: IO[bytes]) -> str:
        key = _key(source, location)
        most = PRODUCT_LIMITS.max_megabytes
        with _in_bucket(key):
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            if answer["ContentLength"] > most * 1024 * 1024:
                raise RejectedError(f"{location} is larger than {most} MB")
            shutil.copyfileobj(answer["Body"], target, CHUNK_BYTES)
            return posixpath.basename(key)

    def _download(self, url: str, target: IO[bytes]) -> str:
        """Download; a server that is down must not hold up the products of a message group."""
        try:
            self._downloads.download(url, target)
        except TransientError as error:
            raise RejectedError(str(error)) from error
        return posixpath.basename(unquote(urlsplit(url).path)) or "file"


@contextmanager
def _in_bucket(key: str) -> Iterator[None]:
    try:
        with translated(f"{key} in the bucket could not be read"):
            yield
    except FileNotFoundError as error:
        message = f"there is no file {key} in the bucket; upload it there"
        raise RejectedError(message) from error


def _is_url(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


def _key(source: str, location: str) -> str:
    path = posixpath.normpath(location.replace("\\", "/").lstrip("/"))
    if path.startswith("..") or path == "." or ":" in path:
        raise RejectedError(f"{location} is neither a URL nor a path below incoming/{source}/")
    return f"incoming/{source}/{path}"
