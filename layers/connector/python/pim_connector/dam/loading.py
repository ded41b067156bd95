"""A source file, read and checked as far as it can be without asking the DAM."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.dam.event_types import Events, HmacVerification
from pim_connector.dam.expressions import Expression
from pim_connector.dam.pages import Stamps
from pim_connector.dam.source import (
    Cursors,
    DeletedFeed,
    HeaderCursors,
    Listing,
    LoginAuth,
    NextUrls,
    Offsets,
    PageNumbers,
    SignerAuth,
    Source,
    Tokens,
    names_in,
)
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.mapping.loading import Path, Places, YamlError, load_yaml

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

LIST_PLACEHOLDERS = frozenset({"since", "limit", "offset", "page", "cursor"})


def load_source(data: bytes, *, name: str) -> Source:
    """Read a DAM source file. ConfigurationError names the file, the line, the key, the problem."""
    try:
        document, places = load_yaml(data)
    except YamlError as error:
        raise ConfigurationError(f"{name}:{error.line}: {error}") from error
    try:
        source = msgspec.convert(document, Source, strict=False)
    except msgspec.ValidationError as error:
        path, message = _located(str(error))
        raise _error(name, places, path, message) from error
    problems = [_error(name, places, path, message) for path, message in _problems(source)]
    if problems:
        raise ConfigurationError("\n".join(map(str, problems)))
    return source


def _error(name: str, places: Places, path: Path, message: str) -> ConfigurationError:
    key = ".".join(str(part) for part in path)
    return ConfigurationError(f"{name}:{places.line(path)}: {key or 'source'}: {message}")


def _located(message: str) -> tuple[Path, str]:
    """Split msgspec's message into the path it speaks of and what is wrong there."""
    what, _, where = message.partition(" - at `")
    path: list[str | int] = []
    for key, index in re.findall(r"\.([^.\[\]`]+)|\[(\d+|\.\.\.)\]", where):
        if index == "...":
            break
        path.append(key or int(index))
    unknown = re.search(r"unknown field `(.+?)`", what)
    if unknown:
        path.append(unknown.group(1))
        what = "no such key here; see dam.schema.json for those there are"
    return tuple(path), what[:1].lower() + what[1:]


def _problems(source: Source) -> Iterator[tuple[Path, str]]:
    if not re.match(r"https?://[^/?#]+", source.base_url):
        yield ("base_url",), "an address such as https://dam.example.com"
    if isinstance(source.auth, SignerAuth) and not (source.auth.parameter or source.auth.header):
        yield ("auth",), "a signer needs `parameter` or `header`: where the signature goes"
    if isinstance(source.auth, LoginAuth) and "token" not in names_in(source.auth.value):
        yield ("auth", "value"), "must use {{token}}, else the login is for nothing"
    yield from _expressions(source)
    yield from _listing(source.list, ("list",))
    if _needs_stamps(source.list):
        if source.updated is None:
            yield ("updated",), f"needed for mode {source.list.mode}: where an item has its stamp"
        yield from _stamps(source.since, ("since",))
    yield from _pattern(source.events)
    if source.item and "id" not in names_in(
        [source.item.request.path, *_texts(source.item.request)]
    ):
        yield ("item", "get"), "must use {{id}}, else every asset is the same one"
    if feed := source.deleted.feed:
        yield from _listing(feed, ("deleted", "feed"))
        yield from _stamps(feed.since, ("deleted", "feed", "since"))
    if source.deleted.full_list:
        yield from _listing(source.deleted.full_list, ("deleted", "full_list"))


def _pattern(events: Events | None) -> Iterator[tuple[Path, str]]:
    if (
        events is None
        or not isinstance(events.verify, HmacVerification)
        or not events.verify.pattern
    ):
        return
    try:
        groups = re.compile(events.verify.pattern).groupindex
    except re.error as error:
        yield ("events", "verify", "pattern"), f"no regular expression: {error}"
        return
    if "signature" not in groups:
        yield ("events", "verify", "pattern"), "needs the group (?P<signature>…)"


def _needs_stamps(listing: Listing) -> bool:
    return listing.mode != "full" and not isinstance(listing.pagination, Tokens)


def _stamps(since: Any, path: Path) -> Iterator[tuple[Path, str]]:
    try:
        Stamps(since)
    except ConfigurationError as error:
        key, _, message = str(error).partition(": ")
        yield (*path, *key.split(".")[1:]), message


def _texts(request: Any) -> list[Any]:
    return [request.params, request.headers, request.body, request.form]


def _listing(listing: Listing, path: Path) -> Iterator[tuple[Path, str]]:
    names = set(names_in([listing.path, *_texts(listing)]))
    unknown = {n for n in names - LIST_PLACEHOLDERS if not n.startswith("secret.")}
    for name in sorted(unknown):
        known = ", ".join(sorted(LIST_PLACEHOLDERS))
        yield path, f"{{{{{name}}}}}: no such placeholder; there are {known} and secret.NAME"
    if listing.body is not None and listing.form is not None:
        yield (*path, "form"), "either `body` or `form`"
    for name in sorted(_needed(listing) - names):
        yield path, f"{{{{{name}}}}} is missing: pagination {_kind(listing)}, mode {listing.mode}"
    if listing.mode == "requery" and listing.order == "desc":
        yield (*path, "mode"), "requery asks since a stamp, oldest first; for order desc use pages"


def _kind(listing: Listing) -> str:
    return str(listing.pagination.__struct_config__.tag)


def _needed(listing: Listing) -> set[str]:
    paging = listing.pagination
    needed: set[str] = set()
    unique = isinstance(listing, DeletedFeed) and listing.since.format == "serial"
    if isinstance(paging, PageNumbers | Offsets) and not unique:
        needed.add("page" if isinstance(paging, PageNumbers) else "offset")
    if isinstance(paging, Cursors | HeaderCursors):
        needed.add("cursor")
    if listing.mode == "requery" and not isinstance(paging, Tokens):
        needed.add("since")
    return needed


def _expressions(source: Source) -> Iterator[tuple[Path, str]]:
    for path, text in _named_expressions(source):
        try:
            Expression(text, where=".".join(map(str, path)))
        except ConfigurationError as error:
            yield path, str(error).partition(": ")[2]


def _named_expressions(source: Source) -> Iterator[tuple[Path, str]]:
    found: list[tuple[Path, str | None]] = [
        (("id",), source.id),
        (("updated",), source.updated),
        (("deleted", "flag"), source.deleted.flag),
        (("item", "item"), source.item.item if source.item else None),
        (("item", "gone_when"), source.item.gone_when if source.item else None),
        (("auth", "token"), source.auth.token if isinstance(source.auth, LoginAuth) else None),
        *_listing_expressions(source.list, ("list",)),
    ]
    if isinstance(source.auth, LoginAuth):
        found.append((("auth", "expired_when"), source.auth.expired_when))
    if feed := source.deleted.feed:
        found += [(("deleted", "feed", "ids"), feed.ids), (("deleted", "feed", "at"), feed.at)]
        found += _listing_expressions(feed, ("deleted", "feed"))
    if events := source.events:
        for key in ("ids", "deleted_when", "ignored_when", "event_id"):
            found.append((("events", key), getattr(events, key)))
    yield from ((path, text) for path, text in found if text is not None)


def _listing_expressions(listing: Listing, path: Path) -> list[tuple[Path, str | None]]:
    paging = listing.pagination
    found: list[tuple[Path, str | None]] = [
        ((*path, "items"), listing.items),
        ((*path, "total"), listing.total),
    ]
    if isinstance(paging, Cursors | NextUrls | Tokens):
        found.append(((*path, "pagination", "next"), paging.next))
    if isinstance(paging, Cursors):
        found.append(((*path, "pagination", "more"), paging.more))
    if isinstance(paging, Tokens):
        found.append(((*path, "pagination", "last"), paging.last))
    return found


# The DAM source files in the bucket, each with its secret, kept for a minute.
#
# A source file that is replaced counts from the next minute on, and so does a secret that is
# rotated; nothing has to be deployed for either.


FOLDER = "config/dam/"
KEEP_SECONDS = 60


class StoredSource(Struct, frozen=True, kw_only=True):
    """A source file as it is now, and the entries of the secret that it names."""

    source: Source
    secret: Mapping[str, Any]
    key: str


class SourceFiles:
    """Reads `config/dam/<source>.yaml`; `now` is in epoch seconds."""

    def __init__(
        self,
        bucket: Bucket,
        secrets: SecretsManagerClient,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._secrets = secrets
        self._now = now
        self._kept: dict[str, tuple[float, StoredSource | None]] = {}

    def get(self, name: str) -> StoredSource | None:
        """Give one source, or None where there is no such file.

        Raises ConfigurationError for a file or secret that cannot be used, TransientError where
        S3 or Secrets Manager does not answer.
        """
        read_at, kept = self._kept.get(name, (0.0, None))
        if read_at and self._now() - read_at < KEEP_SECONDS:
            return kept
        found = self._read(name)
        self._kept[name] = (self._now(), found)
        return found

    def names(self) -> list[str]:
        """List the sources there are files for."""
        keys = self._bucket.keys(FOLDER)
        return [key[len(FOLDER) : -5] for key in keys if key.endswith(".yaml")]

    def _read(self, name: str) -> StoredSource | None:
        key = f"{FOLDER}{name}.yaml"
        try:
            source = load_source(self._bucket.get(key), name=key)
        except FileNotFoundError:
            return None
        if source.source != name:
            raise ConfigurationError(
                f"{key}: `source: {source.source}` must be {name}, the name of its file"
            )
        return StoredSource(source=source, secret=self._secret(source), key=key)

    def _secret(self, source: Source) -> Mapping[str, Any]:
        if source.secret is None:
            return {}
        try:
            answer = self._secrets.get_secret_value(SecretId=source.secret)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            text = f"the secret of DAM source {source.source} could not be read: {code}"
            if code in ("AccessDeniedException", "ResourceNotFoundException"):
                raise ConfigurationError(f"{text}; check its name and the rights") from error
            raise TransientError(text) from error
        except BotoCoreError as error:
            raise TransientError(f"Secrets Manager did not answer: {error}") from error
        try:
            return msgspec.json.decode(answer["SecretString"], type=dict[str, Any])
        except (msgspec.MsgspecError, KeyError) as error:
            raise ConfigurationError(
                f"the secret of DAM source {source.source} must be a JSON object of texts"
            ) from error
