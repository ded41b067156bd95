"""The PIM's content: products, product models and assets, with what finds them."""

import copy
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from simulators.akeneo.accounts import Accounts
from simulators.akeneo.apps import Apps, Extensions
from simulators.akeneo.catalog import DATE, IDENTIFIER, NUMBER, TEXT, Catalog
from simulators.akeneo.editions import DEFAULT, Edition, check_catalog
from simulators.akeneo.faults import Faults, LateCalls
from simulators.akeneo.limits import Counters
from simulators.akeneo.media import MediaStore
from simulators.akeneo.phpjson import to_text

ValueKey = tuple[str, str | None, str | None]
"""Attribute code, channel or None, locale or None."""

Values = dict[ValueKey, Any]
Associations = dict[str, dict[str, list[str]]]
"""Association type → "products" (UUIDs), "product_models" or "groups" (codes) → targets."""

Quantified = dict[str, dict[str, dict[str, int]]]
"""Association type → "products" (UUIDs) or "product_models" (codes) → target → quantity."""

KINDS = ("products", "product_models", "groups")


@dataclass(slots=True, kw_only=True)
class Entity:
    """What products and product models share."""

    values: Values = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)
    parent: str | None = None
    associations: Associations = field(default_factory=dict)
    quantified: Quantified = field(default_factory=dict)
    created: str = ""
    updated: str = ""

    def draft(self) -> "Entity":
        """A copy to work on: the stored one stays until the draft is accepted."""
        other = copy.copy(self)
        other.values = dict(self.values)
        other.categories = list(self.categories)
        other.associations = copy.deepcopy(self.associations) if self.associations else {}
        other.quantified = copy.deepcopy(self.quantified) if self.quantified else {}
        return other


@dataclass(slots=True, kw_only=True)
class Product(Entity):
    """A simple product, or a variant when it has a parent."""

    uuid: str
    family: str | None = None
    groups: list[str] = field(default_factory=list)
    enabled: bool = True

    def draft(self) -> "Product":
        other = Entity.draft(self)
        if not isinstance(other, Product):
            raise TypeError("a draft of a product is a product")
        other.groups = list(self.groups)
        return other


@dataclass(slots=True, kw_only=True)
class ProductModel(Entity):
    """A root model, or a sub-model when it has a parent."""

    code: str
    family_variant: str | None = None

    def draft(self) -> "ProductModel":
        other = Entity.draft(self)
        if not isinstance(other, ProductModel):
            raise TypeError("a draft of a model is a model")
        return other


@dataclass(slots=True, kw_only=True)
class Asset:
    """One asset of a family. The keys of `values` are attribute, channel and locale."""

    code: str
    family: str
    values: Values = field(default_factory=dict)
    created: str = ""
    updated: str = ""


@dataclass(slots=True)
class Assets:
    """All assets by family (whose code is case-sensitive) and code in lower case."""

    by_family: dict[str, dict[str, Asset]] = field(default_factory=dict)
    media: MediaStore = field(default_factory=MediaStore)

    def get(self, family: str, code: str) -> Asset | None:
        """The asset with this code in any case, or None."""
        return self.by_family.get(family, {}).get(code.lower())

    def put(self, asset: Asset) -> None:
        """Keep an asset, in place of the one with its code."""
        self.by_family.setdefault(asset.family, {})[asset.code.lower()] = asset

    def remove(self, family: str, code: str) -> bool:
        """Take an asset out; False when there was none."""
        return self.by_family.get(family, {}).pop(code.lower(), None) is not None

    def all_of(self, family: str) -> list[Asset]:
        """The family's assets by code."""
        held = self.by_family.get(family, {})
        return [held[code] for code in sorted(held)]


UNIQUE_TYPES = (TEXT, NUMBER, DATE, IDENTIFIER)


def utc_now() -> datetime:
    """The time that stamps what is written; pass another to `Pim` in tests."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Pim:
    """One PIM: structure, products, models, files, assets, accounts, faults and counters.

    `edition` decides which routes, properties and attribute types there are; `time_zone` is the
    zone of the PIM's server, in which it shows dates and moments. All writes go through the
    request threads one at a time (`lock`), as each line of a real call is its own transaction.
    """

    catalog: Catalog
    edition: Edition = DEFAULT
    time_zone: tzinfo = UTC
    accounts: Accounts = field(default_factory=Accounts)
    now: Callable[[], datetime] = utc_now
    products: dict[str, Product] = field(default_factory=dict)
    models: dict[str, ProductModel] = field(default_factory=dict)
    identifiers: dict[str, str] = field(default_factory=dict)
    uniques: dict[tuple[str, str], str] = field(default_factory=dict)
    variants: dict[str, dict[str, None]] = field(default_factory=dict)
    submodels: dict[str, dict[str, None]] = field(default_factory=dict)
    media: MediaStore = field(default_factory=MediaStore)
    assets: Assets = field(default_factory=Assets)
    records: Assets = field(default_factory=Assets)
    """Records of reference entities that have values, by entity."""
    faults: Faults = field(default_factory=Faults)
    counters: Counters = field(default_factory=Counters)
    late: LateCalls = field(default_factory=LateCalls)
    drafts: dict[tuple[str, str], "Product | ProductModel"] = field(default_factory=dict)
    """Proposed changes by user and UUID, or code in lower case of a product model."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    apps: Apps = field(init=False)
    extensions: Extensions = field(default_factory=Extensions)

    def __post_init__(self) -> None:
        """Give the apps the same accounts and clock."""
        self.apps = Apps(accounts=self.accounts, now=self.now)

    def draft_key(self, user: str, entity: "Product | ProductModel") -> tuple[str, str]:
        """Where the user's draft of this product or product model is."""
        return user, entity.uuid if isinstance(entity, Product) else entity.code.lower()

    def stamp(self) -> str:
        """Now, as it is kept: UTC, whole seconds."""
        return self.now().astimezone(UTC).replace(microsecond=0).isoformat()

    def shown(self, moment: str) -> str:
        """A kept moment as the API shows it: in the zone of the PIM's server."""
        if not moment or self.time_zone is UTC:
            return moment
        return datetime.fromisoformat(moment).astimezone(self.time_zone).isoformat()

    def identifier_of(self, product: Product) -> str | None:
        """The main identifier's value, or None for a product without one."""
        data = product.values.get((self.catalog.main_identifier, None, None))
        return None if data is None else to_text(data)

    def product_by_identifier(self, identifier: str) -> Product | None:
        """Found without regard to case, as in the PIM's database."""
        uuid = self.identifiers.get(identifier.lower())
        return self.products.get(uuid) if uuid is not None else None

    def model(self, code: object) -> ProductModel | None:
        """The product model with this code in any case, or None."""
        return self.models.get(code.lower()) if isinstance(code, str) else None

    def save_product(self, product: Product) -> None:
        """Put a product in, with its index entries; the one with its UUID goes out first."""
        old = self.products.get(product.uuid)
        if old is not None:
            self.forget_product(old)
        self.products[product.uuid] = product
        identifier = self.identifier_of(product)
        if identifier is not None:
            self.identifiers[identifier.lower()] = product.uuid
        for key in self.unique_keys(product):
            self.uniques[key] = product.uuid
        if product.parent is not None:
            self.variants.setdefault(product.parent.lower(), {})[product.uuid] = None

    def forget_product(self, product: Product) -> None:
        """Take a product and its index entries out."""
        self.products.pop(product.uuid, None)
        identifier = self.identifier_of(product)
        if identifier is not None:
            self.identifiers.pop(identifier.lower(), None)
        for key in self.unique_keys(product):
            self.uniques.pop(key, None)
        if product.parent is not None:
            self.variants.get(product.parent.lower(), {}).pop(product.uuid, None)

    def unique_keys(self, product: Product) -> Iterator[tuple[str, str]]:
        """Attribute and value, in lower case, of all that no other product may have."""
        for (code, _, _), data in product.values.items():
            attribute = self.catalog.attributes.get(code)
            if attribute is not None and attribute.unique and attribute.type in UNIQUE_TYPES:
                yield code, to_text(data).lower()

    def save_model(self, model: ProductModel) -> None:
        """Put a product model in, with its place under its parent."""
        old = self.models.get(model.code.lower())
        if old is not None and old.parent is not None:
            self.submodels.get(old.parent.lower(), {}).pop(model.code.lower(), None)
        self.models[model.code.lower()] = model
        if model.parent is not None:
            self.submodels.setdefault(model.parent.lower(), {})[model.code.lower()] = None

    def children_of(self, model: ProductModel) -> Iterator[Product | ProductModel]:
        """Direct children: sub-models first, then variants."""
        code = model.code.lower()
        yield from (self.models[child] for child in self.submodels.get(code, ()))
        yield from (self.products[child] for child in self.variants.get(code, ()))

    def ancestors_of(self, entity: Product | ProductModel) -> list[ProductModel]:
        """From the parent up to the root model."""
        found: list[ProductModel] = []
        model = self.model(entity.parent)
        while model is not None:
            found.append(model)
            model = self.model(model.parent)
        return found

    def clear(self, catalog: Catalog | None = None) -> None:
        """Empty the PIM, keep its accounts; `catalog` replaces the structure."""
        with self.lock:
            for held in (
                self.products,
                self.models,
                self.identifiers,
                self.uniques,
                self.variants,
                self.submodels,
                self.drafts,
            ):
                held.clear()
            self.media = MediaStore()
            self.assets = Assets()
            self.records = Assets()
            self.faults = Faults()
            self.counters.clear()
            for call in self.late.forget():
                self.counters.end(call.user)
            if catalog is not None:
                self.catalog = copy.deepcopy(catalog)

    def become(self, edition: Edition) -> None:
        """Be another edition; raises `CatalogError` when it has no place for the structure."""
        check_catalog(self.catalog, edition)
        self.edition = edition

    def put(self, entities: Iterable[Product | ProductModel]) -> None:
        """Save entities as they are, unchecked, for a prepared state."""
        for entity in entities:
            if isinstance(entity, Product):
                self.save_product(entity)
            else:
                self.save_model(entity)
