"""One versioned bucket in memory."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody

from tests.nights.aws.faults import Clock, Faults, refusal


@dataclass(frozen=True)
class Version:
    key: str
    id: str
    body: bytes
    stamp: datetime
    metadata: dict[str, str]
    deleted: bool = False
    sequencer: str = ""

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


class _Paginator:
    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def paginate(self, **options: Any) -> Iterator[dict[str, Any]]:
        yield self._s3.list_objects_v2(**options)


class S3:
    """The part of boto3's S3 client that the connector uses."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._versions: dict[str, list[Version]] = {}
        self._count = 0

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(
            k for k, v in self._versions.items() if k.startswith(prefix) and not v[-1].deleted
        )

    def put_object(self, *, Key: str, Body: Any = b"", **options: Any) -> dict[str, Any]:
        self._faults.before("s3.put_object")
        data = (
            Body
            if isinstance(Body, bytes)
            else Body.encode()
            if isinstance(Body, str)
            else Body.read()
        )
        version = self._store(Key, bytes(data), options.get("Metadata") or {})
        self._faults.after("s3.put_object")
        return {"VersionId": version.id, "ETag": version.etag}

    def upload_fileobj(self, Fileobj: Any, Bucket: str, Key: str, **options: Any) -> None:
        self.put_object(Bucket=Bucket, Key=Key, Body=Fileobj, **options)

    def get_object(self, *, Key: str, **options: Any) -> dict[str, Any]:
        self._faults.before("s3.get_object")
        version = self._find(Key, options.get("VersionId"), "GetObject", "NoSuchKey")
        body = version.body
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", options.get("Range", ""))
        if wanted:
            last = int(wanted[2]) + 1 if wanted[2] else len(body)
            body = body[int(wanted[1]) : last]
        return self._facts(version) | {
            "Body": StreamingBody(io.BytesIO(body), len(body)),
            "ContentLength": len(body),
        }

    def head_object(self, *, Key: str, **options: Any) -> dict[str, Any]:
        self._faults.before("s3.head_object")
        return self._facts(self._find(Key, options.get("VersionId"), "HeadObject", "404"))

    def delete_object(self, *, Key: str, **options: Any) -> dict[str, Any]:
        self._faults.before("s3.delete_object")
        if "VersionId" in options:
            kept = [v for v in self._versions.get(Key, []) if v.id != options["VersionId"]]
            self._versions[Key] = kept
            if not kept:
                del self._versions[Key]
        elif Key in self._versions:
            self._store(Key, b"", {}, deleted=True)
        self._faults.after("s3.delete_object")
        return {}

    def copy_object(self, *, Key: str, CopySource: Any, **options: Any) -> dict[str, Any]:
        self._faults.before("s3.copy_object")
        source = self._find(
            CopySource["Key"], CopySource.get("VersionId"), "CopyObject", "NoSuchKey"
        )
        self._store(Key, source.body, dict(source.metadata))
        self._faults.after("s3.copy_object")
        return {}

    def copy(self, CopySource: Any, Bucket: str, Key: str, **options: Any) -> None:
        self.copy_object(Bucket=Bucket, Key=Key, CopySource=CopySource)

    def list_objects_v2(self, *, Prefix: str = "", **options: Any) -> dict[str, Any]:
        self._faults.before("s3.list_objects_v2")
        found = [self._versions[key][-1] for key in self.keys(Prefix)]
        contents = [
            {"Key": v.key, "Size": len(v.body), "LastModified": v.stamp, "ETag": v.etag}
            for v in found
        ]
        return {"Contents": contents, "KeyCount": len(contents), "IsTruncated": False}

    def get_paginator(self, operation: str) -> _Paginator:
        assert operation == "list_objects_v2", operation
        return _Paginator(self)

    def _store(
        self, key: str, body: bytes, metadata: dict[str, str], *, deleted: bool = False
    ) -> Version:
        self._count += 1
        stamp = datetime.fromtimestamp(int(self._clock.now), UTC)
        opaque = hashlib.md5(f"{self._count}".encode(), usedforsecurity=False).hexdigest()
        sequencer = f"{self._count:016X}"
        version = Version(key, opaque, body, stamp, metadata, deleted, sequencer)
        self._versions.setdefault(key, []).append(version)
        return version

    def _find(self, key: str, version: str | None, operation: str, code: str) -> Version:
        found = self._versions.get(key, [])
        if version is not None:
            found = [v for v in found if v.id == version]
        if not found or found[-1].deleted:
            raise refusal(code, operation, f"no object {key}")
        return found[-1]

    def _facts(self, version: Version) -> dict[str, Any]:
        return {
            "VersionId": version.id,
            "ETag": version.etag,
            "LastModified": version.stamp,
            "ContentLength": len(version.body),
            "Metadata": dict(version.metadata),
        }
