"""The versions of a mapping in the bucket: who published which, and what differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from msgspec import Struct

from pim_connector.console.parts import CONFIG

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

MOST: Final = 30
MOST_LINES: Final = 400
PUBLISHED_BY: Final = "published-by"


class Version(Struct, frozen=True, kw_only=True):
    """One version; `id` is the bucket's, `by` is "" where it was not published here."""

    id: str
    at: datetime
    by: str
    is_latest: bool
    size: int


class DiffLine(Struct, frozen=True, kw_only=True):
    """One line of a comparison; `kind` is added, removed, same or place."""

    kind: str
    text: str


def text_of(parts: Parts, source: str, version: str | None = None) -> str | None:
    """Return a mapping as text; None where there is none."""
    try:
        data = parts.bucket.get(f"{CONFIG}{source}.yaml", version)
    except FileNotFoundError:
        return None
    return data.decode("utf-8", "replace")


def versions_of(parts: Parts, source: str) -> Iterator[Version]:
    """Return the newest 30 versions of a mapping, the newest first."""
    key = f"{CONFIG}{source}.yaml"
    answer = parts.client("s3").list_object_versions(
        Bucket=parts.bucket.name, Prefix=key, MaxKeys=MOST
    )
    for one in islice((v for v in answer.get("Versions", []) if v["Key"] == key), MOST):
        known = parts.bucket.describe(key, one["VersionId"])
        yield Version(
            id=one["VersionId"],
            at=one["LastModified"],
            by=unquote(known.metadata.get(PUBLISHED_BY, "")) if known else "",
            is_latest=one["IsLatest"],
            size=one["Size"],
        )


def put(parts: Parts, source: str, text: str, by: str) -> None:
    """Put a mapping in place; S3 keeps metadata in ASCII."""
    parts.client("s3").put_object(
        Bucket=parts.bucket.name,
        Key=f"{CONFIG}{source}.yaml",
        Body=text.encode(),
        Metadata={PUBLISHED_BY: quote(by)[:500]},
    )


def diff(before: str, after: str) -> list[DiffLine]:
    """Compare two texts line by line, with three lines around each change. Pure."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return [
        DiffLine(kind=kinds.get(line[:1], "same"), text=line)
        for line in islice(lines, 2, MOST_LINES)
    ]
