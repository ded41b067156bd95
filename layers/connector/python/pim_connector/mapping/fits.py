"""How a rule fits into the PIM: which slot its values are for, and what shapes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from pim_connector.mapping.forms import COLLECTIONS, MEDIA, SELECTS, form_of, place_of
from pim_connector.mapping.language import Defaults, Owner
from pim_connector.mapping.rules import CompiledRule
from pim_connector.mapping.shaping import Shape, shape_of

if TYPE_CHECKING:
    from pim_connector.structure import Structure

Place: TypeAlias = tuple[CompiledRule, str | None, str | None]
"""A rule, and the locale and channel that stand beside its values."""
MOST_PLACES = 10_000
"""Fits kept; the file could name any number of locales and channels."""


class Fit(Struct, frozen=True, kw_only=True):
    """A slot, and how it is filled.

    What is a collection takes several values; media lie beside the slots.
    """

    key: tuple[str, str, str, str]
    owner: Owner
    label: str
    shape: Shape
    is_collection: bool
    is_media: bool
    creates_options: bool


class Fits(dict[Place, Fit]):
    """The fits of all rules of a mapping under one structure, each worked out when first asked for.

    Asking raises Refusal where the PIM has no such attribute, or says which locale or channel is
    missing or wrong.
    """

    def __init__(self, structure: Structure | None, defaults: Defaults) -> None:
        super().__init__()
        self.structure = structure
        self.defaults = defaults

    def __missing__(self, place: Place) -> Fit:
        if len(self) >= MOST_PLACES:
            self.clear()
        rule, locale, scope = place
        form = form_of(rule, self.structure, self.defaults)
        locale, scope = place_of(form, locale, scope)
        fit = self[place] = Fit(
            key=("values", rule.attribute, locale, scope),
            owner=rule.policy.owner,
            label=rule.reader.label,
            shape=shape_of(form, rule, scope),
            is_collection=form.type in COLLECTIONS,
            is_media=form.type in MEDIA,
            creates_options=form.type in SELECTS and rule.options == "create",
        )
        return fit
