"""The limits of the house, each with what it is now."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.house.measures import measure
from tests.house.way import follow

LIMITS: Final = {
    "modules": ("modules in the layer", "<= 104"),
    "mean_lines": ("mean lines of a module", ">= 220"),
    "lines": ("lines in the layer", "<= 31000"),
    "public_names": ("public names", "<= 760"),
    "import_depth": ("import depth", "<= 19"),
    "package_cycles": ("package cycles", "<= 0"),
    "loose_modules": ("loose modules at the top of the package", "<= 8"),
    "names_twice_in_sight": ("module names twice within sight of each other", "<= 4"),
    "glossary_terms": ("terms in the glossary", "<= 30"),
    "error_translations": ("modules that translate errors of AWS", "<= 5"),
    "backoff_formulas": ("back-off formulas", "<= 4"),
    "unused_client_methods": ("client methods that nothing calls", "<= 0"),
}


class Row(NamedTuple):
    """A figure, what it is now, and what it may be at most or at least."""

    name: str
    now: int
    limit: str

    @property
    def holds(self) -> bool:
        sign, number = self.limit.split()
        return self.now <= int(number) if sign == "<=" else self.now >= int(number)


def rows() -> list[Row]:
    """Measure everything and return it beside its limit."""
    figures = measure()._asdict()
    found = [Row(name, figures[key], limit) for key, (name, limit) in LIMITS.items()]
    way = follow()
    return [
        *found,
        Row("modules that one new product enters, mapper warm", len(way.modules), "<= 36"),
        Row("functions that it enters", way.functions, "<= 240"),
        Row("deepest stack of ours", way.deepest, "<= 28"),
    ]
