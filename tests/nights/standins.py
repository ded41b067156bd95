"""What is put in the place of AWS, the PIM's network, time and chance while a seed runs."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cache, lru_cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints
from unittest.mock import patch

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from httpx._urlparse import urlparse

from tests.nights.aws.faults import KilledError
from tests.nights.invocations import SECONDS
from tests.nights.plan import Plan

if TYPE_CHECKING:
    from tests.nights.account import Account

_COMPILED_MAPPINGS: dict[int, tuple[Any, Any]] = {}
"""Mappings, as `_loaded` gives them, and the programs made of them."""
_STRUCTURES: dict[tuple[tuple[str, ...], frozenset[tuple[str, str, str]]], Any] = {}
FETCHED_WHOLE = 0.05


@contextmanager
def in_charge(account: Account) -> Iterator[None]:
    """Put an account in the place of AWS, PIM, time and chance."""
    with ExitStack() as undo:
        undo.enter_context(patch.dict(os.environ, account.environment()))
        undo.enter_context(patch("boto3.client", account.world.client))
        undo.enter_context(patch("httpx._urls.urlparse", _parsed))
        undo.enter_context(patch.object(TypeSerializer, "serialize", _typed))
        undo.enter_context(patch.object(TypeDeserializer, "deserialize", _plain))
        handlers = [importlib.import_module(f"functions.{name}.handler") for name in SECONDS]
        for module in handlers:
            _replace(undo, module, account)
        for (module, name), other in account.pim.steady().items():
            undo.enter_context(patch.object(module, name, other))
        undo.enter_context(
            _defaults(
                sleep=account.loop.wait,
                jitter=account.chance.random,
                begin=account.invocations.begin,
            )
        )
        for place, value in [*_read_once(account), *_scale(account.plan)]:
            undo.enter_context(patch(f"pim_connector.{place}", value))
        undo.enter_context(patch.object(sys, "stdout", account.log))
        undo.enter_context(patch.object(sys, "unraisablehook", _unless_killed))
        yield


def _replace(undo: ExitStack, module: ModuleType, account: Account) -> None:
    from pim_connector.products.composition import Surroundings

    undo.enter_context(patch.object(module, "parts", account.invocations.parts_of(module)))
    if hasattr(module, "datetime"):
        undo.enter_context(patch.object(module, "datetime", _Now(account.clock)))
    undo.enter_context(_logged_to(module.logger, account.log))
    if hasattr(module, "compose"):
        around = Surroundings(
            now=account.clock.time,
            sleep=account.loop.wait,
            jitter=account.chance.random,
            begin=account.invocations.begin,
            transport=account.pim.transport,
        )
        with_them = partial(module.compose, surroundings=around)
        undo.enter_context(patch.object(module, "compose", with_them))


def _read_once(account: Account) -> Iterator[tuple[str, Any]]:
    """What follows from its text alone is made once, for the sake of speed."""
    for module in ("products.splitting", "products.delivery_context"):
        yield f"{module}.load_mapping", _loaded
        yield f"{module}.compile_mapping", _compiled
    yield "settings.get_type_hints", _hints
    yield "products.composition.fetch_structure", _Structures(account).fetch


def _scale(plan: Plan) -> Iterator[tuple[str, Any]]:
    """Make windows and messages small, so that small files have many of them."""
    from pim_connector.products.batching import Batcher

    yield "products.decisions.CHUNK", plan.window
    yield "sync.snapshot.BLOCK", plan.block
    yield "sync.snapshot.KEPT_BLOCKS", 6
    yield "products.split.CHECKPOINT_CHUNKS", 2 if plan.window < 1000 else 50
    yield "products.batching.MAX_RECORDS", plan.message_records
    yield "sync.jobs.MAX_RECORDS", plan.message_records
    yield "sync.state.ITEMS_PER_WRITE", 3
    yield "products.acceptance.ITEMS_PER_WRITE", 3
    yield "products.batching.MAX_BYTES", plan.message_bytes
    yield "products.split.Batcher", partial(Batcher, budget=plan.budget)


_parsed = lru_cache(maxsize=1024)(urlparse)
"""A call has its address parsed four times, and there are few of them."""


_hints = cache(get_type_hints)
_SERIALIZE, _DESERIALIZE = TypeSerializer.serialize, TypeDeserializer.deserialize


def _typed(serializer: TypeSerializer, value: Any) -> Any:
    """Write texts and whole numbers, nearly all there is, without trying every other type."""
    if type(value) is str:
        return {"S": value}
    return {"N": str(value)} if type(value) is int else _SERIALIZE(serializer, value)


def _plain(deserializer: TypeDeserializer, value: Any) -> Any:
    if "S" in value:
        return value["S"]
    return Decimal(value["N"]) if "N" in value else _DESERIALIZE(deserializer, value)


@cache
def _loaded(data: bytes, *, name: str) -> Any:
    from pim_connector.mapping.loading import load_mapping

    return load_mapping(data, name=name)


def _compiled(mapping: Any) -> Any:
    from pim_connector.mapping.compiling import compile_mapping

    if id(mapping) not in _COMPILED_MAPPINGS:
        _COMPILED_MAPPINGS[id(mapping)] = mapping, compile_mapping(mapping)
    return _COMPILED_MAPPINGS[id(mapping)][1]


class _Structures:
    """Asks the PIM for its structure with one request instead of nine, but for some of the times.

    It was a quarter of a seed's time. What the one request proves is that the PIM is there; the
    structure is what the nine would have brought.
    """

    def __init__(self, account: Account) -> None:
        self._pim, self._chance = account.pim, account.chance

    def fetch(self, client: Any, codes: Any) -> Any:
        from pim_connector.akeneo.structure_cache import fetch_structure

        if self._chance.random() < FETCHED_WHOLE:
            return fetch_structure(client, codes)
        client.list_known("locales")
        key = tuple(codes or ()), self._options()
        if key not in _STRUCTURES:
            with self._pim.out_of_time():
                _STRUCTURES[key] = fetch_structure(client, codes)
        return _STRUCTURES[key]

    def _options(self) -> frozenset[tuple[str, str, str]]:
        """Give what the connector looks at of each option; by creation they differ in more."""
        options = self._pim.pim.catalog.options
        return frozenset(
            (attribute, row["code"], str(row["labels"]))
            for attribute, rows in options.items()
            for row in rows.values()
        )


def _unless_killed(unraisable: Any) -> None:
    """Say nothing of generators that are closed after their invocation was killed."""
    if not isinstance(unraisable.exc_value, KilledError):
        sys.__unraisablehook__(unraisable)


class _Now:
    """Stands for the class `datetime` in a handler."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def now(self, zone: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(self._clock.now, zone)


@contextmanager
def _defaults(**given: Any) -> Iterator[None]:
    """Replace the defaults of constructors that were bound when the classes were defined."""
    from pim_connector.aws.bucket import Bucket
    from pim_connector.aws.queue import FifoQueue
    from pim_connector.aws.table import Table
    from pim_connector.sync.state import SyncState

    kept = []
    for kind in (Bucket, SyncState, FifoQueue, Table):
        constructor: Any = kind.__init__
        defaults = constructor.__kwdefaults__
        kept.append((defaults, dict(defaults)))
        defaults.update({name: value for name, value in given.items() if name in defaults})
    try:
        yield
    finally:
        for defaults, before in kept:
            defaults.update(before)


@contextmanager
def _logged_to(logger: Any, stream: io.StringIO) -> Iterator[None]:
    changed = []
    for handler in [*logger.handlers, *logging.getLogger("pim_connector").handlers]:
        if isinstance(handler, logging.StreamHandler):
            changed.append((handler, handler.stream))
            handler.stream = stream
    try:
        yield
    finally:
        for handler, before in changed:
            handler.stream = before
