"""Reads the structure from the PIM's REST API.

What the API user may not read, or what this edition of Akeneo does not have, stays *not known*.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import msgspec

from pim_connector.akeneo.structure import SYSTEM, AttributeOption, Structure

if TYPE_CHECKING:
    from pim_connector.aws.bucket import Bucket

JsonObject = dict[str, Any]

PRODUCT_RESOURCES = frozenset(
    {
        "attributes",
        "attribute_options",
        "families",
        "family_variants",
        "channels",
        "locales",
        "currencies",
        "categories",
        "measurement_families",
        "association_types",
    }
)
ASSET_RESOURCES = frozenset(
    {"channels", "locales", "asset_families", "asset_attributes", "asset_attribute_options"}
)
PLAIN = frozenset(
    {
        "channels",
        "locales",
        "currencies",
        "categories",
        "measurement_families",
        "association_types",
    }
)
EVERYTHING = PRODUCT_RESOURCES | ASSET_RESOURCES


class StructureSource(Protocol):
    """The two questions asked of the Akeneo client."""

    def system_information(self) -> JsonObject:
        """The PIM's edition and version."""

    def list_known(self, path: str, *, search: JsonObject | None = None) -> list[JsonObject] | None:
        """All objects of a list, or None where the PIM has no such list or does not show it."""


def fetch_structure(
    client: StructureSource,
    attribute_codes: Collection[str] | None = None,
    *,
    resources: Collection[str] = PRODUCT_RESOURCES,
) -> Structure:
    """Read the PIM's structure, as far as it is asked for.

    `attribute_codes` limits attributes and their options to those a mapping names: one call per
    100 attributes instead of the whole catalogue's. None means all.
    """
    return Structure.from_catalog(
        fetch_catalog(client, attribute_codes, resources=resources), name="the PIM's answer"
    )


def fetch_catalog(
    client: StructureSource,
    attribute_codes: Collection[str] | None = None,
    *,
    resources: Collection[str] = EVERYTHING,
) -> dict[str, JsonObject | list[JsonObject]]:
    """Read the REST API's own objects by resource, whole: what `structure pull` writes."""
    return {
        resource: objects
        for resource, objects in read_catalog(client, attribute_codes, resources=resources)
        if objects is not None
    }


def read_catalog(
    client: StructureSource,
    attribute_codes: Collection[str] | None = None,
    *,
    resources: Collection[str] = EVERYTHING,
) -> Iterator[tuple[str, JsonObject | list[JsonObject] | None]]:
    """Read one resource after another, for whoever shows progress; None = not known."""
    yield SYSTEM, client.system_information()
    if {"attributes", "attribute_options"} & set(resources):
        attributes = _attributes(client, attribute_codes)
        yield "attributes", attributes
        if "attribute_options" in resources:
            yield "attribute_options", _options(client, attributes)
    if {"families", "family_variants"} & set(resources):
        families = client.list_known("families")
        yield "families", families
        if "family_variants" in resources:
            yield "family_variants", _family_variants(client, families)
    for resource in sorted(PLAIN & set(resources)):
        yield resource, client.list_known(resource.replace("_", "-"))
    if {"asset_families", "asset_attributes", "asset_attribute_options"} & set(resources):
        yield from _asset_structure(client, resources)


def _attributes(client: StructureSource, codes: Collection[str] | None) -> list[JsonObject] | None:
    if codes is None:
        return client.list_known("attributes")
    wanted = sorted(set(codes))
    found: list[JsonObject] = []
    for start in range(0, len(wanted), 100):
        condition = {"operator": "IN", "value": wanted[start : start + 100]}
        page = client.list_known("attributes", search={"code": [condition]})
        if page is None:
            return None
        found.extend(page)
    return found


def _options(
    client: StructureSource, attributes: list[JsonObject] | None
) -> list[JsonObject] | None:
    selects = [
        item["code"]
        for item in attributes or ()
        if item["type"] in ("pim_catalog_simpleselect", "pim_catalog_multiselect")
    ]
    paths = ((f"attributes/{_q(code)}/options", {"attribute": code}) for code in selects)
    return None if attributes is None else _all_or_nothing(client, paths)


def _family_variants(
    client: StructureSource, families: list[JsonObject] | None
) -> list[JsonObject] | None:
    codes = [item["code"] for item in families or ()]
    paths = ((f"families/{_q(code)}/variants", {"family": code}) for code in codes)
    return None if families is None else _all_or_nothing(client, paths)


def _asset_structure(
    client: StructureSource, resources: Collection[str]
) -> Iterator[tuple[str, list[JsonObject] | None]]:
    families = client.list_known("asset-families")
    yield "asset_families", families
    if families is None or not {"asset_attributes", "asset_attribute_options"} & set(resources):
        return
    attributes = _all_or_nothing(
        client,
        (
            (f"asset-families/{_q(item['code'])}/attributes", _of_family(item["code"]))
            for item in families
        ),
    )
    yield "asset_attributes", attributes
    if attributes is not None and "asset_attribute_options" in resources:
        yield "asset_attribute_options", _asset_options(client, attributes)


def _asset_options(
    client: StructureSource, attributes: list[JsonObject]
) -> list[JsonObject] | None:
    selects = [
        (item["asset_family"], item["code"])
        for item in attributes
        if item["type"] in ("single_option", "multiple_options")
    ]
    return _all_or_nothing(
        client,
        (
            (
                f"asset-families/{_q(family)}/attributes/{_q(code)}/options",
                {**_of_family(family), "attribute": code},
            )
            for family, code in selects
        ),
    )


def _q(code: str) -> str:
    return quote(code, safe="")


def _of_family(code: str) -> JsonObject:
    return {"asset_family": code}


def _all_or_nothing(
    client: StructureSource, lists: Iterable[tuple[str, JsonObject]]
) -> list[JsonObject] | None:
    """Join several lists, each object marked with what its URL says about it.

    If one of them is not readable the whole is *not known*: half a list looks like a whole one.
    """
    joined: list[JsonObject] = []
    for path, owner in lists:
        items = client.list_known(path)
        if items is None:
            return None
        joined.extend({**item, **owner} for item in items)
    return joined


# Keeps the PIM's structure at hand: in memory, in S3 for all workers, and fresh where it matters.
#
# Nothing may be rejected on the word of an old cache, so whoever is about to reject a record asks
# for `newer_than` first. Options that were just created are added without asking the PIM again.


KEY = "cache/structure.json"
TTL_SECONDS = 3600
FRESH_SECONDS = 60
"""A structure this young is believed when it says no; so at most one refresh a minute."""


Codes = Collection[str] | None
"""Attribute codes, or None for all that the PIM has."""


class _Cached(msgspec.Struct, frozen=True, kw_only=True):
    fetched: float
    attributes: frozenset[str] | None
    structure: Structure

    def knows(self, codes: Codes) -> bool:
        return self.attributes is None or (codes is not None and self.attributes.issuperset(codes))


class StructureCache:
    """The structure of the attributes that mappings name, read through memory and S3.

    `fetch` asks the PIM for the structure of the given attribute codes (one call per 100) and
    raises what the client raises. Workers may overwrite one another's object in S3: each is whole
    in itself, and what it lacks is fetched again.
    """

    def __init__(
        self,
        bucket: Bucket,
        fetch: Callable[[Codes], Structure],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._fetch = fetch
        self._now = now
        self._memory: _Cached | None = None

    def structure(self, attributes: Codes) -> Structure:
        """Return a structure that knows these attributes and is at most an hour old."""
        return self._at_most(TTL_SECONDS, attributes).structure

    def fresh(self, attributes: Codes) -> Structure:
        """Return a structure at most a minute old: ask before a record is rejected."""
        return self._at_most(FRESH_SECONDS, attributes).structure

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

    def _at_most(self, seconds: float, attributes: Codes) -> _Cached:
        known: _Cached | None = None
        for read in (self._remembered, self._load):
            cached = read()
            if cached and cached.knows(attributes) and self._is_young(cached, seconds):
                self._memory = cached
                return cached
            known = known or cached
        return self._refresh(attributes, known)

    def _remembered(self) -> _Cached | None:
        return self._memory

    def _is_young(self, cached: _Cached, seconds: float) -> bool:
        return self._now() - cached.fetched <= seconds

    def _refresh(self, attributes: Codes, known: _Cached | None) -> _Cached:
        wanted = None if attributes is None else frozenset(attributes)
        if known is not None:
            wanted = _joined(wanted, known.attributes)
        fetched = self._now()
        structure = self._fetch(None if wanted is None else sorted(wanted))
        self._memory = _Cached(fetched=fetched, attributes=wanted, structure=structure)
        self._store(self._memory)
        return self._memory

    def _load(self) -> _Cached | None:
        try:
            return msgspec.json.decode(self._bucket.get(KEY), type=_Cached)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None  # not there yet, or of another release: fetched and written anew

    def _store(self, cached: _Cached) -> None:
        self._bucket.put(KEY, msgspec.json.encode(cached))


def _joined(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other
