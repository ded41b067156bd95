"""A compiled asset mapping: a DAM's properties in, a mapped asset out. Pure, no input or output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pim_connector.assets.asset import LinkTarget, MappedAsset
from pim_connector.assets.filling import Draft, Filling, fill
from pim_connector.assets.mapping import AssetMapping, AttributeRule, Pick, ProductLink
from pim_connector.assets.picking import Picker, Properties
from pim_connector.assets.setup_plan import declared_structure
from pim_connector.assets.steps import word
from pim_connector.errors import RejectedError
from pim_connector.expressions import Expression
from pim_connector.mapping.converters.codes import to_code
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import CodeFormat
from pim_connector.mapping.result import FieldError, Filtered, Rejected
from pim_connector.structure import Structure


class LinkRule(Struct, frozen=True, kw_only=True):
    """A product link with its compiled expression."""

    link: ProductLink
    products: Picker


class AssetProgram(Struct, frozen=True, kw_only=True):
    """A mapping with everything in it compiled. `name` is the source file's, for errors."""

    name: str
    mapping: AssetMapping
    base_url: str | None
    only: Expression | None
    family: Picker
    code: Picker
    locale: Picker | None
    channel: Picker | None
    fillings: tuple[Filling, ...]
    links: tuple[LinkRule, ...]
    declared: Structure

    def identity(self, dam_id: str, properties: Mapping[str, Any]) -> tuple[str | None, str | None]:
        """Give family and code as far as they can be told, of an asset that cannot be sent."""
        data: Properties = {"id": dam_id, **properties}
        return _one(self.family, "family", data, []), _code(self, data, [])

    @property
    def families(self) -> frozenset[str]:
        """The asset families that are known beforehand: constant or declared ones."""
        constant = {self.mapping.family} if isinstance(self.mapping.family, str) else set()
        return frozenset(constant | set(self.mapping.families))


def compile_assets(
    mapping: AssetMapping, *, name: str, base_url: str | None = None
) -> AssetProgram:
    """Compile the mapping of one source file; relative URLs are completed by `base_url`.

    Raises ConfigurationError that names file and key.
    """

    def picker(pick: str | Pick, key: str) -> Picker:
        return Picker(pick, where=f"{name}, assets.{key}", maps=mapping.maps)

    def constant_or(pick: str | Pick | None, key: str) -> Picker | None:
        if pick is None:
            return None
        return picker(Pick(value=pick) if isinstance(pick, str) else pick, key)

    family = constant_or(mapping.family, "family")
    assert family is not None  # noqa: S101 - the type says so
    has_code = mapping.code.source or mapping.code.template or mapping.code.value
    only_at = f"{name}, assets.only"
    return AssetProgram(
        name=name,
        mapping=mapping,
        base_url=base_url,
        only=Expression(mapping.only, where=only_at) if mapping.only else None,
        family=family,
        code=picker(mapping.code if has_code else Pick(source="id"), "code"),
        locale=constant_or(mapping.locale, "locale"),
        channel=constant_or(mapping.channel, "channel"),
        fillings=tuple(_fillings(mapping, name)),
        links=tuple(
            LinkRule(link=link, products=picker(link.products, f"links[{n}].products"))
            for n, link in enumerate(mapping.links)
        ),
        declared=declared_structure(mapping),
    )


def _fillings(mapping: AssetMapping, name: str) -> list[Filling]:
    found: list[Filling] = []
    for attribute, rules in mapping.attributes.items():
        for n, rule in enumerate(rules if isinstance(rules, tuple) else (rules,)):
            typed = AttributeRule(source=rule) if isinstance(rule, str) else rule
            where = f"{name}, assets.attributes.{attribute}" + (f"[{n}]" if n else "")
            found.append(Filling.compile(attribute, typed, where=where, maps=mapping.maps))
    return found


def to_asset(
    dam_id: str,
    properties: Mapping[str, Any],
    program: AssetProgram,
    structure: Structure | None = None,
) -> MappedAsset | Filtered | Rejected:
    """Map one asset. `structure` is the PIM's; without it, what the source file declares.

    All that is wrong with an asset is reported, not only the first thing. Never raises for what
    a DAM may send.
    """
    data: Properties = {"id": dam_id, **properties}
    try:
        if program.only is not None and not program.only.holds(data):
            return Filtered(reason=f"no product asset: `only` does not hold ({program.only.text})")
    except RejectedError as error:
        return Rejected(errors=(FieldError(attribute=None, source="only", message=str(error)),))
    errors: list[FieldError] = []
    family = _one(program.family, "family", data, errors)
    code = _code(program, data, errors)
    locale = _one(program.locale, "locale", data, errors) if program.locale else None
    channel = _one(program.channel, "channel", data, errors) if program.channel else None
    links = _links(program, data, errors)
    if family is None or code is None:
        return Rejected(errors=_missing(family, code, errors))
    draft = Draft(
        family=family,
        locale=locale,
        channel=channel,
        properties=data,
        structure=program.declared if structure is None else structure,
        base_url=program.base_url,
        errors=errors,
    )
    for filling in program.fillings:
        fill(filling, draft)
    if errors:
        return Rejected(errors=tuple(errors))
    return MappedAsset(
        dam_id=dam_id,
        family=family,
        code=code,
        slots=tuple(draft.slots.values()),
        options=tuple(draft.options.values()),
        media=tuple(draft.media),
        links=links,
    )


def _one(picker: Picker, name: str, data: Properties, errors: list[FieldError]) -> str | None:
    try:
        found = picker.first(data)
    except (RejectedError, Refusal) as error:
        errors.append(
            FieldError(
                attribute=name,
                source=picker.source,
                message=str(error),
                value=getattr(error, "value", None),
            )
        )
        return None
    return None if found is None else word(found)


def _code(program: AssetProgram, data: Properties, errors: list[FieldError]) -> str | None:
    rule = program.mapping.code
    found = _one(program.code, "code", data, errors)
    if found is None:
        return None
    style = CodeFormat(lower=rule.lower, distinct=rule.distinct, max_length=255 - len(rule.prefix))
    try:
        return rule.prefix + to_code(found, style)
    except Refusal as error:
        errors.append(
            FieldError(
                attribute="code", source=program.code.source, message=str(error), value=found
            )
        )
        return None


def _links(
    program: AssetProgram, data: Properties, errors: list[FieldError]
) -> tuple[LinkTarget, ...]:
    found: dict[LinkTarget, None] = {}
    for rule in program.links:
        try:
            products = rule.products.values(data)
        except (RejectedError, Refusal) as error:
            source = rule.products.source
            errors.append(FieldError(attribute="links", source=source, message=str(error)))
            continue
        for product in products:
            target = LinkTarget(
                resource=rule.link.resource,
                product=word(product),
                attribute=rule.link.attribute,
                locale=rule.link.locale,
                channel=rule.link.channel,
            )
            found[target] = None
    return tuple(found)


def _missing(
    family: str | None, code: str | None, errors: list[FieldError]
) -> tuple[FieldError, ...]:
    said = {error.attribute for error in errors}
    for name, value in (("family", family), ("code", code)):
        if value is None and name not in said:
            message = f"the asset has no {name}: its expression found nothing"
            errors.append(FieldError(attribute=name, source=None, message=message))
    return tuple(errors)
