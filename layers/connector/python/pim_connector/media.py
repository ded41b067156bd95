"""Fetches the files of image and file attributes: from a URL, or from beside the ERP's file in S3.

A file is uploaded when its product is in the PIM, and not again while its mark stays the same: the
ETag for what lies in S3, the address itself for a URL.
"""

from __future__ import annotations

import ipaddress
import posixpath
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.errors import RejectedError, TransientError

if TYPE_CHECKING:
    import httpx
    from mypy_boto3_s3.client import S3Client

LARGEST_BYTES = 64 * 1024 * 1024
"""Held in memory while it is uploaded; an image that is larger belongs in the DAM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One file, ready to be uploaded."""

    filename: str
    content: bytes


class MediaFiles:
    """Where the files of one stack's sources lie.

    `http` must follow no redirects. `may_ask` says whether a host may be asked at all
    (`is_elsewhere`: Lambda keeps its runtime API on the machine itself).
    RejectedError says what is wrong with a file, TransientError that S3 does not answer.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        http: httpx.Client,
        *,
        may_ask: Callable[[str], bool],
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._http = http
        self._may_ask = may_ask

    def mark(self, source: str, location: str) -> str:
        """Give what changes when the file changes, without reading the file."""
        if _is_url(location):
            return location
        key = _key(source, location)
        try:
            return f"{key} {self._s3.head_object(Bucket=self._bucket, Key=key)['ETag']}"
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, error) from error

    def read(self, source: str, location: str) -> MediaFile:
        """Read a file whole, at most 64 MiB."""
        return (
            self._download(location) if _is_url(location) else self._from_bucket(source, location)
        )

    def _from_bucket(self, source: str, location: str) -> MediaFile:
        key = _key(source, location)
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            if answer["ContentLength"] > LARGEST_BYTES:
                raise RejectedError(_too_large(location))
            return MediaFile(filename=posixpath.basename(key), content=answer["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise self._failure(key, error) from error

    def _download(self, url: str) -> MediaFile:
        import httpx

        host = urlsplit(url).hostname
        if not host or not self._may_ask(host):
            raise RejectedError(f"{url}: this address is not asked; use a public one")
        content = bytearray()
        try:
            with self._http.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise RejectedError(f"{url}: its server answered {answer.status_code}")
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_BYTES:
                        raise RejectedError(_too_large(url))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RejectedError(f"{url} could not be downloaded: {error}") from error
        name = posixpath.basename(unquote(urlsplit(url).path)) or "file"
        return MediaFile(filename=name, content=bytes(content))

    def _failure(self, key: str, error: Exception) -> RejectedError | TransientError:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in (
            "404",
            "NoSuchKey",
            "NotFound",
        ):
            return RejectedError(f"there is no file {key} in the bucket; upload it there")
        return TransientError(f"{key} in the bucket could not be read: {error}")


def is_elsewhere(host: str) -> bool:
    """Say whether a host is neither this machine nor on its link (169.254.0.0/16, fe80::/10)."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(str(address).partition("%")[0]) for address in found]
    return not any(a.is_loopback or a.is_link_local or a.is_unspecified for a in addresses)


def _is_url(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


def _key(source: str, location: str) -> str:
    path = posixpath.normpath(location.replace("\\", "/").lstrip("/"))
    if path.startswith("..") or path == "." or ":" in path:
        raise RejectedError(f"{location} is neither a URL nor a path below incoming/{source}/")
    return f"incoming/{source}/{path}"


def _too_large(location: str) -> str:
    return f"{location} is larger than {LARGEST_BYTES // 1024 // 1024} MiB"
