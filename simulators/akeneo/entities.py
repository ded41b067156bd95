"""Products and product models as the PIM keeps them."""

import copy
from dataclasses import dataclass, field
from typing import Any

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
