"""Key/value rows: the key of each row chooses the attribute and the rule that reads it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.mapping.compiling import Compiler, Reader
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import Pivot, PivotRule, ValueRule
from pim_connector.mapping.places import Path
from pim_connector.mapping.result import FieldError
from pim_connector.mapping.rule_compiling import compile_rows, compile_rule
from pim_connector.mapping.rules import CompiledRule, Sink, evaluate_row, field_error
from pim_connector.mapping.selection import Node
from pim_connector.mapping.sources import Source
from pim_connector.mapping.view import View, single_text

MOST_KEYS = 10_000
"""Rules kept for keys of the file; it could name any number of them."""


class CompiledPivot(Struct, frozen=True, kw_only=True):
    """Key/value rows: the key of each row chooses the rule that reads it."""

    rows: Callable[[View, Node], list[Node]]
    key: Reader
    rules: dict[str, CompiledRule]
    unlisted: str
    template: CompiledRule
    _by_key: dict[str, CompiledRule] = {}

    def evaluate(self, view: View, node: Node, sink: Sink) -> list[FieldError]:
        """Gives the sink what the rows give; returns warnings of keys that are not listed."""
        warnings: list[FieldError] = []
        try:
            for row in self.rows(view, node):
                key = single_text(self.key.evaluate(view, row))
                rule = self.rules.get(key)
                if rule is None and self.unlisted == "use_key" and key:
                    rule = self._named(key)
                if rule is not None:
                    evaluate_row(rule, view, row, sink)
                elif self.unlisted == "warn":
                    warnings.append(self._unlisted(key))
                elif self.unlisted == "reject":
                    sink.refuse(self._unlisted(key))
        except Refusal as refusal:
            sink.refuse(field_error(None, self.key.label, refusal))
        return warnings

    def _named(self, key: str) -> CompiledRule:
        """The rule of a key that is the attribute's code, too; remembered as far as fits are."""
        rule = self._by_key.get(key)
        if rule is None:
            if len(self._by_key) >= MOST_KEYS:
                self._by_key.clear()
            rule = self._by_key[key] = replace(self.template, attribute=key)
        return rule

    def _unlisted(self, key: str) -> FieldError:
        message = f'the key "{key}" is not listed under `attributes`'
        return FieldError(attribute=None, source=self.key.label, message=message, value=key)


def compile_pivot(pivot: Pivot, path: Path, compiler: Compiler) -> CompiledPivot:
    """Compiles a pivot; rules of keys take from it what they do not say themselves."""
    if pivot.each is None:
        compiler.problem(path, "the key is missing: `each`, the rows of the pivot")
    rules: dict[str, CompiledRule] = {}
    for key, target in pivot.attributes.items():
        place = (*path, "attributes", key)
        attribute = target if isinstance(target, str) else target.attribute
        own = PivotRule(attribute=target) if isinstance(target, str) else target
        rules[key] = compile_rule(attribute, _inherit(own, pivot), place, compiler)
    return CompiledPivot(
        rows=compile_rows(pivot.each or ".", (*path, "each"), compiler),
        key=compiler.source(pivot.key, (*path, "key")),
        rules=rules,
        unlisted=pivot.unlisted,
        template=compile_rule("", _inherit(ValueRule(), pivot), path, compiler),
    )


def _inherit(own: ValueRule, pivot: Pivot) -> ValueRule:
    """The rule of a key; what it does not say is the pivot's, a source as a whole."""
    blank = ValueRule()
    said = {
        name: getattr(own, name)
        for name in ValueRule.__struct_fields__
        if getattr(own, name) != getattr(blank, name)
    }
    given = {
        name: getattr(pivot, name)
        for name in ValueRule.__struct_fields__
        if getattr(pivot, name) != getattr(blank, name)
    }
    if {"from_", "value", "first", "all"} & set(said):
        for name in Source.__struct_fields__:
            given.pop(name, None)
    return ValueRule(**{**given, **said, "each": None})
