"""Keeps the PIM's structure at hand: in memory, in S3 for all workers, and fresh where it matters.

Nothing may be rejected on the word of an old cache, so whoever is about to reject a record asks
for `newer_than` first. Options that were just created are added without asking the PIM again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.errors import TransientError
from pim_connector.structure import AttributeOption, Structure

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

KEY = "cache/structure.json"
TTL_SECONDS = 3600
FRESH_SECONDS = 60
"""A structure this young is believed when it says no; so at most one refresh a minute."""


class _Cached(msgspec.Struct, frozen=True, kw_only=True):
    fetched: float
    attributes: frozenset[str]
    structure: Structure


class StructureCache:
    """The structure of the attributes that mappings name, read through memory and S3.

    `fetch` asks the PIM for the structure of the given attribute codes (one call per 100) and
    raises what the client raises. Workers may overwrite one another's object in S3: each is whole
    in itself, and what it lacks is fetched again.
    """

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        fetch: Callable[[Collection[str]], Structure],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._fetch = fetch
        self._now = now
        self._memory: _Cached | None = None

    def structure(self, attributes: Collection[str]) -> Structure:
        """Give a structure that knows these attributes and is at most an hour old."""
        return self._at_most(TTL_SECONDS, frozenset(attributes)).structure

    def fresh(self, attributes: Collection[str]) -> Structure:
        """Give a structure at most a minute old: ask before a record is rejected."""
        return self._at_most(FRESH_SECONDS, frozenset(attributes)).structure

    def add_options(self, options: Sequence[AttributeOption]) -> None:
        """Note options that the PIM has just accepted, for this worker and the others."""
        if self._memory is None or not options:
            return
        known = self._memory.structure
        merged = {(o.attribute, o.code.casefold()): o for o in known.attribute_options or ()}
        merged |= {(o.attribute, o.code.casefold()): o for o in options}
        grown = msgspec.structs.replace(known, attribute_options=tuple(merged.values()))
        self._memory = msgspec.structs.replace(self._memory, structure=grown)
        self._store(self._memory)

    def _at_most(self, seconds: float, attributes: frozenset[str]) -> _Cached:
        for read in (self._remembered, self._load):
            cached = read()
            if cached and attributes <= cached.attributes and self._is_young(cached, seconds):
                self._memory = cached
                return cached
        return self._refresh(attributes)

    def _remembered(self) -> _Cached | None:
        return self._memory

    def _is_young(self, cached: _Cached, seconds: float) -> bool:
        return self._now() - cached.fetched <= seconds

    def _refresh(self, attributes: frozenset[str]) -> _Cached:
        known = self._memory or self._load()
        wanted = attributes | (known.attributes if known else frozenset())
        fetched = self._now()
        self._memory = _Cached(
            fetched=fetched, attributes=wanted, structure=self._fetch(sorted(wanted))
        )
        self._store(self._memory)
        return self._memory

    def _load(self) -> _Cached | None:
        try:
            with _transient("read"):
                body = self._s3.get_object(Bucket=self._bucket, Key=KEY)["Body"].read()
            return msgspec.json.decode(body, type=_Cached)
        except (_MissingError, msgspec.MsgspecError):
            return None  # not there yet, or of another release: fetched and written anew

    def _store(self, cached: _Cached) -> None:
        with _transient("written"):
            self._s3.put_object(Bucket=self._bucket, Key=KEY, Body=msgspec.json.encode(cached))


class _MissingError(Exception):
    """Nobody has stored a structure yet."""


@contextmanager
def _transient(verb: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise _MissingError from error
        raise TransientError(f"{KEY} in the bucket could not be {verb}: {error}") from error
    except BotoCoreError as error:
        raise TransientError(f"{KEY} in the bucket could not be {verb}: {error}") from error
