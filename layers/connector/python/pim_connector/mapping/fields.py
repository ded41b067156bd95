"""The product's own fields beside its values: family, categories, groups, associations, enabled."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from pim_connector.mapping.compiling import Compiler, Reader
from pim_connector.mapping.converters.booleans import read_boolean
from pim_connector.mapping.converters.numbers import read_number
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.drafting import Drafts
from pim_connector.mapping.language import FieldRule, NumberFormat, Quantified, RecordRule, Source
from pim_connector.mapping.places import Path
from pim_connector.mapping.result import FieldError, Json, Slot
from pim_connector.mapping.rule_compiling import compile_policy, compile_rows
from pim_connector.mapping.rules import Policy, field_error, silence
from pim_connector.mapping.selection import Node
from pim_connector.mapping.view import Evaluate, Value, View, present, single, single_text, to_text

CODES = frozenset({"family", "family_variant"})
LISTS = frozenset({"categories", "add_categories", "groups"})
MAX_QUANTITY = 2_147_483_647


class CompiledField(Struct, frozen=True, kw_only=True):
    """One field: where its data comes from and how it is shaped."""

    key: tuple[str, ...]
    reader: Reader
    policy: Policy
    quantity: Reader | None = None

    @property
    def name(self) -> str:
        return ".".join(self.key)


def compile_fields(rule: RecordRule, path: Path, compiler: Compiler) -> tuple[CompiledField, ...]:
    """All fields that a record rule fills; `parent` is part of the identity and comes with it."""
    compiled = []
    for name in ("family", "family_variant", "categories", "add_categories", "groups"):
        said = getattr(rule, name)
        if said is not None:
            compiled.append(_compile(said, (name,), (*path, name), compiler))
    if rule.enabled is not None:
        enabled = FieldRule(value=rule.enabled) if isinstance(rule.enabled, bool) else rule.enabled
        compiled.append(_compile(enabled, ("enabled",), (*path, "enabled"), compiler))
    for link_type, links in rule.associations.items():
        for kind in ("products", "product_models", "groups"):
            said = getattr(links, kind)
            if said is not None:
                key = ("associations", link_type, kind)
                compiled.append(_compile(said, key, (*path, *key), compiler))
    for link_type, quantified in rule.quantified_associations.items():
        for kind in ("products", "product_models"):
            said = getattr(quantified, kind)
            if said is not None:
                key = ("quantified_associations", link_type, kind)
                compiled.append(_compile_quantified(said, key, (*path, *key), compiler))
    return tuple(compiled)


def _compile(
    said: str | FieldRule, key: tuple[str, ...], path: Path, compiler: Compiler
) -> CompiledField:
    reader = compiler.code(said, path) if key[0] in CODES else compiler.source(said, path)
    rule = said if isinstance(said, FieldRule) else None
    return CompiledField(key=key, reader=reader, policy=compile_policy(rule, compiler))


def _compile_quantified(
    said: Quantified, key: tuple[str, ...], path: Path, compiler: Compiler
) -> CompiledField:
    rows = compile_rows(said.each, (*path, "each"), compiler)
    target = compiler.source(said, path)
    quantity = compiler.source(said.quantity, (*path, "quantity"))

    def on_rows(evaluate: Evaluate) -> Evaluate:
        def run(view: View, node: Node) -> list[Value]:
            return [single_text(evaluate(view, row)) for row in rows(view, node)]

        return run

    policy = compile_policy(FieldRule(owner=said.owner), compiler)
    return CompiledField(
        key=key,
        reader=Reader(on_rows(target.evaluate), target.label),
        policy=policy,
        quantity=Reader(on_rows(quantity.evaluate), quantity.label),
    )


def draft_fields(
    fields: tuple[CompiledField, ...], by_uuid: bool, view: View, node: Node, drafts: Drafts
) -> None:
    """Adds the slots of the fields to the drafts; what cannot be read is an error of the record."""
    for compiled in fields:
        try:
            values = compiled.reader.evaluate(view, node)
            if present(values):
                data = _data(compiled, values, by_uuid, view, node, drafts)
                drafts.fields.append(Slot(key=compiled.key, data=data, owner=compiled.policy.owner))
                continue
            asked = silence(compiled.policy, bool(values))
            if asked == "reject":
                raise Refusal("there is no value, and the mapping asks for one")
            if asked == "clear" and compiled.key != ("enabled",):
                nothing: Json = None if compiled.key[0] in CODES else []
                slot = Slot(key=compiled.key, data=nothing, owner=compiled.policy.owner)
                drafts.fields.append(slot)
        except Refusal as refusal:
            drafts.errors.append(field_error(compiled.name, compiled.reader.label, refusal))


def _data(
    compiled: CompiledField,
    values: list[Value],
    by_uuid: bool,
    view: View,
    node: Node,
    drafts: Drafts,
) -> Json:
    if compiled.key == ("enabled",):
        said = single(values)
        if isinstance(said, bool):
            return said
        return read_boolean("" if said is None else to_text(said), drafts.fits.defaults.boolean)
    if compiled.quantity is not None:
        quantities = compiled.quantity.evaluate(view, node)
        id_key = "uuid" if by_uuid and compiled.key[2] == "products" else "identifier"
        return _quantified(values, quantities, id_key)
    if compiled.key[0] in CODES:
        return single_text(values)
    return [*dict.fromkeys(to_text(value) for value in present(values))]


def _quantified(values: list[Value], quantities: list[Value], id_key: str) -> Json:
    """One link per target, whole quantities (https://api.akeneo.com/concepts/products.html)."""
    links: dict[str, Json] = {}
    for target, quantity in zip(values, quantities, strict=True):
        if target == "":
            continue
        number = quantity if isinstance(quantity, Decimal) else _quantity(to_text(quantity))
        if number != number.to_integral_value() or not 1 <= number <= MAX_QUANTITY:
            raise Refusal(f"a quantity is a whole number from 1 to {MAX_QUANTITY}", str(quantity))
        code = to_text(target)
        if code in links and links[code] != int(number):
            raise Refusal("two quantities for one product", code)
        links[code] = int(number)
    return [{id_key: code, "quantity": quantity} for code, quantity in links.items()]


def _quantity(text: str) -> Decimal:
    return read_number(text, NumberFormat())


def optional(source: str | Source | None, path: Path, compiler: Compiler) -> Reader | None:
    """A source that need not be there."""
    return None if source is None else compiler.source(source, path)


def missing(name: str, message: str, label: str | None = None) -> FieldError:
    """An error of a field that every record needs."""
    return FieldError(attribute=name, source=label, message=message)
