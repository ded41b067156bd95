"""The stack's one S3 bucket: objects in and out, and files read as streams that survive a break."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

from botocore.exceptions import BotoCoreError
from msgspec import Struct, field

from pim_connector.aws.errors import backoff, translated
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client

READ_BYTES: Final = 256 * 1024
ATTEMPTS: Final = 6


class StoredObject(Struct, frozen=True, kw_only=True):
    """One version of one object; `version` is "null" in a bucket without versions."""

    key: str
    version: str
    size: int
    modified: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """One bucket. `sleep` takes seconds and serves the wait before a broken stream is taken up."""

    def __init__(
        self, client: S3Client, name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = name
        self._client = client
        self._sleep = sleep

    def describe(self, key: str, version: str | None = None) -> StoredObject | None:
        """Look an object up without reading it; None where there is no such object or version."""
        try:
            with self._consequences(key):
                head = self._client.head_object(**self._named(key, version))
        except FileNotFoundError:
            return None
        return StoredObject(
            key=key,
            version=head.get("VersionId", "null"),
            size=head["ContentLength"],
            modified=head["LastModified"],
            metadata=head.get("Metadata", {}),
        )

    def listed(self, key: str, version: str | None = None) -> StoredObject | None:
        """Look an object up in the bucket's list of versions, for one whose HEAD is denied."""
        with self._consequences(key):
            answer = self._client.list_object_versions(Bucket=self.name, Prefix=key)
        for found in answer.get("Versions", []):
            is_wanted = found["VersionId"] == version if version else found["IsLatest"]
            if found["Key"] == key and is_wanted:
                return StoredObject(
                    key=key,
                    version=found["VersionId"],
                    size=found["Size"],
                    modified=found["LastModified"],
                )
        return None

    def get(self, key: str, version: str | None = None) -> bytes:
        """Read a small object. FileNotFoundError where there is none."""
        with self._consequences(key):
            return self._client.get_object(**self._named(key, version))["Body"].read()

    def put(self, key: str, body: bytes | IO[bytes]) -> None:
        with self._consequences(key):
            self._client.put_object(Bucket=self.name, Key=key, Body=body)

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        with self._consequences(key):
            self._client.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys under a prefix in the order of their bytes."""
        with self._consequences(prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def move(self, file: StoredObject, target: str) -> None:
        """Copy one version to `target`, and take it from its place unless a newer one lies there.

        Doing it again changes nothing but the time of the copy.
        """
        source: Any = self._named(file.key, file.version)
        with self._consequences(file.key):
            self._client.copy(source, self.name, target)
        current = self.describe(file.key)
        if current and current.version == file.version:
            with self._consequences(file.key):
                self._client.delete_object(Bucket=self.name, Key=file.key)

    def open(self, file: StoredObject) -> BinaryIO:
        """Open a file as a stream, to be read once from the beginning or sought in."""
        stream = _ObjectStream(self, file, self._sleep)
        return io.BufferedReader(stream, READ_BYTES)

    def body_from(self, file: StoredObject, position: int) -> StreamingBody:
        """Begin to read a file at a byte."""
        with self._consequences(file.key):
            request = self._named(file.key, file.version) | {"Range": f"bytes={position}-"}
            return self._client.get_object(**request)["Body"]

    def _named(self, key: str, version: str | None) -> dict[str, Any]:
        known = {"VersionId": version} if version and version != "null" else {}
        return {"Bucket": self.name, "Key": key} | known

    def _consequences(self, key: str) -> AbstractContextManager[None]:
        return translated(f"s3://{self.name}/{key}")


class _ObjectStream(io.RawIOBase):
    """An object as a file. Where the connection breaks it is read on from the very byte."""

    def __init__(self, bucket: Bucket, file: StoredObject, sleep: Callable[[float], None]) -> None:
        self._bucket = bucket
        self._file = file
        self._sleep = sleep
        self._position = 0
        self._body: StreamingBody | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        if start + offset != self._position:
            self._position = start + offset
            self._forget_body()
        return self._position

    def readinto(self, buffer: Any) -> int:
        chunk = self._read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._forget_body()
        super().close()

    def _read(self, size: int) -> bytes:
        for attempt in range(ATTEMPTS):
            if self._position >= self._file.size:
                return b""
            try:
                if self._body is None:
                    self._body = self._bucket.body_from(self._file, self._position)
                chunk = self._body.read(size)
            except (BotoCoreError, OSError, TransientError) as error:
                if isinstance(error, FileNotFoundError):
                    raise
                chunk = b""
            if chunk:
                return chunk
            self._forget_body()
            self._sleep(backoff(attempt, 1.0))
        raise TransientError(
            f"s3://{self._bucket.name}/{self._file.key} broke off at byte {self._position} "
            f"of {self._file.size}, {ATTEMPTS} times; try again later"
        )

    def _forget_body(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
