"""Picks values out of a DAM's properties: expression, template or constant, then the steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pim_connector.assets.mapping import Pick
from pim_connector.assets.steps import compile_steps
from pim_connector.errors import ConfigurationError
from pim_connector.expressions import Expression, Template
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import Scalar

Properties = Mapping[str, Any]


class Picker:
    """One compiled `Pick`. `where` names file and key in errors.

    Raises ConfigurationError for an expression or a step that cannot work.
    """

    __slots__ = ("_constant", "_read", "_steps", "source")

    def __init__(
        self, pick: str | Pick, *, where: str, maps: Mapping[str, Mapping[str, Scalar | None]]
    ) -> None:
        rule = Pick(source=pick) if isinstance(pick, str) else pick
        sources = [rule.source is not None, rule.template is not None, rule.value is not None]
        if sum(sources) != 1:
            raise ConfigurationError(f"{where}: exactly one of from, template and value is needed")
        self._constant = rule.value
        self._read: Expression | Template | None = None
        if rule.source is not None:
            self._read = Expression(rule.source, where=where)
        elif rule.template is not None:
            self._read = Template(rule.template, where=where)
        self._steps = compile_steps(rule.steps, where=where, maps=maps)
        self.source = rule.source or rule.template

    def values(self, properties: Properties) -> list[Any]:
        """Give the values that are there, in order: no nulls, no empty texts, no nested lists.

        Raises RejectedError or Refusal where an expression or a step meets what it cannot take.
        """
        found = self._read.read(properties) if self._read else self._constant
        values = [item for item in _flat(found) if item not in (None, "")]
        return [item for item in self._steps(values) if item not in (None, "")]

    def gives_list(self, properties: Properties) -> bool:
        """Say whether this is a list of values, also where it has only one; raises as `values`."""
        found = self._read.read(properties) if self._read else self._constant
        return isinstance(found, list) or len(self.values(properties)) > 1

    def first(self, properties: Properties) -> Any:
        """Give the only value, or None. Raises Refusal where there are several."""
        values = self.values(properties)
        if len(values) > 1:
            raise Refusal(f"expected one value, found {len(values)}", values)
        return values[0] if values else None


def _flat(found: Any) -> list[Any]:
    if isinstance(found, list):
        return [inner for item in found for inner in _flat(item)]
    return [found]
