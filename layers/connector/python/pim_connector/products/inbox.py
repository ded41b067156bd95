"""What the files below `incoming/<source>/` are: exports, media, or nothing of ours.

The source's mapping says so (`source.inbox`); where it says nothing, or cannot be read, the
defaults hold. Names are compared without regard to case, because the machines that send files do.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from pim_connector.errors import ConfigurationError
from pim_connector.mapping.language import Inbox
from pim_connector.mapping.loading import load_mapping

if TYPE_CHECKING:
    from pim_connector.aws.bucket import Bucket, StoredObject

JUNK: Final = (
    *("*~", "~$*", "#*#", "*.filepart", "*.part", "*.partial", "*.tmp", "*.temp", "*.crdownload"),
    *(
        "*.download",
        "*.swp",
        "*.bak",
        "*.lock",
        "*.lck",
        "*.uploading",
        "*.writing",
        "*.inprogress",
    ),
    *("*.ok", "*.done", "*.ready", "*.trg", "*.fin", "*.flag", "*.ctl", "*.sem"),
    *("*.md5", "*.sha1", "*.sha256", "*.sha512", "*.crc", "*.sfv", "*.asc", "*.sig"),
    *("*.xsd", "*.dtd", "*.lnk", "thumbs.db", "ehthumbs.db", "desktop.ini"),
)
"""Half-sent files, markers, check sums, schemas and what file managers leave behind."""


class Judgement(Struct, frozen=True, kw_only=True):
    """What a file is, and in words why it starts no run."""

    kind: Literal["export", "media", "junk", "other"]
    reason: str = ""


def inbox_of(bucket: Bucket, source: str) -> Inbox:
    """Return what the source's mapping says of its inbox; the defaults where it is of no use.

    A mapping that is missing or wrong must not hide the export: its run tells of the mapping.
    """
    key = f"config/erp/{source}.yaml"
    try:
        return load_mapping(bucket.get(key), name=key).file.source.inbox
    except (FileNotFoundError, ConfigurationError):
        return Inbox()


def judge(name: str, inbox: Inbox) -> Judgement:
    """Say what a file is by its path below the source's folder. Media comes first, then junk."""
    if matches(name, inbox.media):
        return Judgement(kind="media", reason="media for the records that name it: it stays here")
    if _is_hidden(name) or matches(name, JUNK):
        reason = "a temporary, hidden, marker or check sum file: nothing to import"
        return Judgement(kind="junk", reason=reason)
    if matches(name, inbox.ignore):
        return Judgement(kind="junk", reason="the mapping ignores it (source.inbox.ignore)")
    if matches(name, inbox.exports):
        return Judgement(kind="export")
    wanted = ", ".join(inbox.exports)
    reason = f"no export by its name ({wanted}): rename it, or name it in source.inbox.exports"
    return Judgement(kind="other", reason=reason)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Compare a path with patterns: one without a slash is about the last part of the path."""
    path = name.lower()
    last = posixpath.basename(path)
    return any(fnmatchcase(path if "/" in p else last, p.lower()) for p in patterns)


def marker_of(key: str, inbox: Inbox) -> str | None:
    """Return the key of the marker that says that an export is complete, if one is asked for."""
    if inbox.ready is None:
        return None
    folder, name = posixpath.split(key)
    marker = inbox.ready.replace("{name}", name).replace("{stem}", name.partition(".")[0])
    return f"{folder}/{marker}"


def not_ready(file: StoredObject, inbox: Inbox, bucket: Bucket) -> str | None:
    """Say why an export has to wait for its marker, None if it need not.

    A marker older than the file is that of the night before.
    """
    key = marker_of(file.key, inbox)
    if key is None:
        return None
    marker = bucket.describe(key)
    if marker is None:
        return f"not complete yet: waits for its marker {key}"
    if marker.modified and file.modified and marker.modified < file.modified:
        return f"not complete yet: its marker {key} is older than the file itself"
    return None


def marked_by(marker: str, inbox: Inbox, bucket: Bucket) -> Iterator[str]:
    """Return the keys of the exports that a marker, as it arrives, says to be complete."""
    if inbox.ready is None:
        return
    source = "/".join(marker.split("/")[:2]) + "/"
    for key in bucket.keys(posixpath.dirname(marker) + "/"):
        is_export = judge(key.removeprefix(source), inbox).kind == "export"
        if key != marker and is_export and marker_of(key, inbox) == marker:
            yield key


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
