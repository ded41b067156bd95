"""How the values of a rule fit into the PIM: which slot they are for, and what shapes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.mapping.forms import COLLECTIONS, MEDIA, SELECTS, form_of, place_of
from pim_connector.mapping.language import Defaults
from pim_connector.mapping.rules import Cell
from pim_connector.mapping.shaping import Shape, shape_of

if TYPE_CHECKING:
    from pim_connector.structure import Structure

MOST_PLACES = 10_000
"""Locale and channel pairs kept; the file could name any number of them."""


class Fit(Struct, frozen=True, kw_only=True):
    """A slot and its shape; what is a collection takes several values, media lie beside slots."""

    key: tuple[str, str, str, str]
    shape: Shape
    is_collection: bool
    is_media: bool
    is_select: bool


class Fits:
    """The fits of all rules of a mapping under one structure, each worked out once."""

    def __init__(self, structure: Structure | None, defaults: Defaults) -> None:
        self.structure = structure
        self.defaults = defaults
        self._known: dict[tuple[str, str | None, str | None], Fit] = {}

    def of(self, cell: Cell) -> Fit:
        """How a cell's values fit.

        Raises Refusal where the PIM has no such attribute, or says which locale or channel is
        missing or wrong.
        """
        key = (cell.rule.form_key, cell.locale, cell.scope)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_PLACES:
                self._known.clear()
            found = self._known[key] = self._worked_out(cell)
        return found

    def _worked_out(self, cell: Cell) -> Fit:
        form = form_of(cell.rule, self.structure, self.defaults)
        locale, scope = place_of(cell, form)
        return Fit(
            key=("values", form.code, locale, scope),
            shape=shape_of(form, scope),
            is_collection=form.type in COLLECTIONS,
            is_media=form.type in MEDIA,
            is_select=form.type in SELECTS,
        )
