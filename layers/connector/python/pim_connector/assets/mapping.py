"""Picks values out of a DAM's properties: expression, template or constant, then the steps."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from pim_connector.akeneo.structure import AssetAttribute, Structure
from pim_connector.assets import values as shaping
from pim_connector.assets.setup import declared_structure
from pim_connector.assets.values import (
    LinkTarget,
    MappedAsset,
    MediaFile,
    SlotKey,
    compile_steps,
    expiring_parameter,
    is_web_url,
    without_query,
    word,
)
from pim_connector.dam.asset_rules import AssetMapping, AttributeRule, Pick, ProductLink
from pim_connector.dam.expressions import Expression, Template
from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.mapping.converters import Refusal, to_code
from pim_connector.mapping.language import CodeFormat, Scalar
from pim_connector.mapping.results import FieldError, Filtered, Json, Rejected, Slot, WantedOption

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
        """Return the values that are there, in order: no nulls, no empty texts, no nested lists.

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
        """Return the only value, or None. Raises Refusal where there are several."""
        values = self.values(properties)
        if len(values) > 1:
            raise Refusal(f"expected one value, found {len(values)}", values)
        return values[0] if values else None


def _flat(found: Any) -> list[Any]:
    if isinstance(found, list):
        return [inner for item in found for inner in _flat(item)]
    return [found]


# One attribute rule applied to one asset: slots, wanted options, media files, or errors.


MOST_OPTIONS = 100
"""Options of one asset attribute (https://api.akeneo.com/documentation/good-practices.html)."""


class Filling(Struct, frozen=True, kw_only=True):
    """An attribute rule with its expressions compiled."""

    attribute: str
    rule: AttributeRule
    picker: Picker
    file_name: Expression | None
    file_version: Expression | None

    @classmethod
    def compile(
        cls,
        attribute: str,
        rule: AttributeRule,
        *,
        where: str,
        maps: Mapping[str, Mapping[str, Scalar | None]],
    ) -> Filling:
        """Compile; ConfigurationError names file and key."""

        def expression(text: str | None, key: str) -> Expression | None:
            return Expression(text, where=f"{where}.{key}") if text else None

        return cls(
            attribute=attribute,
            rule=rule,
            picker=Picker(rule, where=where, maps=maps),
            file_name=expression(rule.file_name, "file_name"),
            file_version=expression(rule.file_version, "file_version"),
        )


class Draft(Struct, kw_only=True):
    """One asset in the making: what it is made from, and what it has so far."""

    family: str
    locale: str | None
    channel: str | None
    properties: Properties
    structure: Structure
    base_url: str | None
    errors: list[FieldError]
    slots: dict[SlotKey, Slot] = field(default_factory=dict)
    options: dict[tuple[str, str], WantedOption] = field(default_factory=dict)
    media: list[MediaFile] = field(default_factory=list)


def fill(filling: Filling, draft: Draft) -> None:
    """Apply one rule: adds a slot to the draft, or an error."""
    if filling.rule.families and draft.family not in filling.rule.families:
        return
    try:
        attribute = _attribute(filling, draft)
        key = _key(filling, attribute, draft)
        values = filling.picker.values(draft.properties)
        if values:
            shaped = _shape(filling, attribute, values, key, draft)
            draft.slots[key] = Slot(key=key, data=shaped, owner=filling.rule.owner)
        else:
            _fill_absent(filling, key, draft)
    except (RejectedError, Refusal) as error:
        draft.errors.append(
            FieldError(
                attribute=filling.attribute,
                source=filling.picker.source,
                message=str(error),
                value=getattr(error, "value", None),
            )
        )


def _attribute(filling: Filling, draft: Draft) -> AssetAttribute:
    structure, family, code = draft.structure, draft.family, filling.attribute
    found = structure.asset_attribute(family, code)
    if found is not None:
        return found
    if structure.asset_families is not None and structure.asset_family(family) is None:
        raise Refusal(f"the PIM has no asset family {family}; create it, or `assets setup`")
    if structure.asset_attributes is not None:
        raise Refusal(f"asset family {family} has no such attribute; create it, or `assets setup`")
    return AssetAttribute(
        code=code,
        asset_family=family,
        type="multiple_options" if filling.picker.gives_list(draft.properties) else "text",
        value_per_locale=filling.rule.locale is not None,
        value_per_channel=filling.rule.channel is not None,
    )


def _key(filling: Filling, attribute: AssetAttribute, draft: Draft) -> SlotKey:
    rule, structure = filling.rule, draft.structure
    locale = _dimension(
        "locale", attribute.value_per_locale, rule.locale or draft.locale, structure.locales
    )
    channels = structure.channels
    codes = None if channels is None else frozenset(channel.code for channel in channels)
    channel = _dimension(
        "channel", attribute.value_per_channel, rule.channel or draft.channel, codes
    )
    for name, said, used in (("locale", rule.locale, locale), ("channel", rule.channel, channel)):
        if said and not used:
            raise Refusal(f"the attribute has no value per {name}; take `{name}` out", said)
    return ("values", filling.attribute, locale, channel)


def _dimension(name: str, wanted: bool, code: str | None, known: frozenset[str] | None) -> str:
    if not wanted:
        return ""
    if code is None:
        raise Refusal(f"the attribute has a value per {name}; say which with `{name}`")
    if known is not None and code not in known:
        raise Refusal(f"{name} {code} is not active in the PIM", code)
    return code


def _fill_absent(filling: Filling, key: SlotKey, draft: Draft) -> None:
    if filling.rule.absent == "reject":
        raise Refusal("the DAM has no value for it, and the source file wants one")
    if filling.rule.absent == "clear":
        draft.slots.setdefault(key, Slot(key=key, data=None, owner=filling.rule.owner))


def _shape(
    filling: Filling, attribute: AssetAttribute, values: list[Any], key: SlotKey, draft: Draft
) -> Json:
    if attribute.type in shaping.PLAIN_TYPES:
        return shaping.PLAIN_TYPES[attribute.type](attribute, values)
    if attribute.type in ("single_option", "multiple_options"):
        return _options(filling, attribute, values, draft)
    if attribute.type == "media_link":
        stable = filling.rule.stable
        return shaping.link(attribute, values, base_url=draft.base_url, stable=stable)
    if attribute.type == "media_file":
        file = _media_file(filling, attribute, values, key, draft)
        draft.media.append(file)
        return file.identity
    raise Refusal(f"attributes of type {attribute.type} are not filled by a DAM; take it out")


def _options(filling: Filling, attribute: AssetAttribute, values: list[Any], draft: Draft) -> Json:
    known = draft.structure.asset_options(draft.family, attribute.code)
    codes: dict[str, None] = {}
    for value in values:
        code = shaping.option(value, known)
        codes[code] = None
        if known is None and filling.rule.options == "reject":
            continue
        if code not in (known or ()):
            wanted = _wanted(filling, code, value, len(known or ()), draft)
            draft.options.setdefault((attribute.code, code), wanted)
    if attribute.type == "multiple_options":
        return [*sorted(codes)]
    if len(codes) > 1:
        raise Refusal(f"one option expected, found {len(codes)}; use `first`", values)
    return next(iter(codes))


def _wanted(filling: Filling, code: str, value: Any, known: int, draft: Draft) -> WantedOption:
    if filling.rule.options == "reject":
        raise Refusal("the PIM has no such option, and it may not be created", value)
    if known >= MOST_OPTIONS:
        raise Refusal(f"a new option, and the attribute has its {MOST_OPTIONS} already", value)
    labels = {draft.locale: word(value)} if draft.locale else {}
    return WantedOption(attribute=filling.attribute, code=code, labels=labels)


def _media_file(
    filling: Filling, attribute: AssetAttribute, values: list[Any], key: SlotKey, draft: Draft
) -> MediaFile:
    url = shaping.absolute(str(shaping.text(attribute, values)), draft.base_url)
    if not is_web_url(url):
        raise Refusal("not a web address to download from; write it out with a `template`", url)
    named = filling.file_name.read(draft.properties) if filling.file_name else None
    name = word(named) if named else unquote(PurePosixPath(urlsplit(url).path).name)
    version = filling.file_version.read(draft.properties) if filling.file_version else None
    lasting = without_query(url) if version or expiring_parameter(url) else url
    sign = blake2b(f"{lasting}\n{version or ''}".encode(), digest_size=8).hexdigest()
    extension = PurePosixPath(name).suffix.lstrip(".").lower()
    allowed = [item.lower() for item in attribute.allowed_extensions]
    if allowed and extension not in allowed:
        raise Refusal(f"the PIM takes only files named {', '.join(allowed)} here", name)
    return MediaFile(key=key, url=url, name=name or "file", identity=f"file:{sign}")


# A compiled asset mapping: a DAM's properties in, a mapped asset out. Pure, no input or output.


class _LinkRule(Struct, frozen=True, kw_only=True):
    """A product link with its compiled expression."""

    link: ProductLink
    products: Picker


class CompiledAssetMapping(Struct, frozen=True, kw_only=True):
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
    links: tuple[_LinkRule, ...]
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
) -> CompiledAssetMapping:
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
    return CompiledAssetMapping(
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
            _LinkRule(link=link, products=picker(link.products, f"links[{n}].products"))
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
    compiled: CompiledAssetMapping,
    structure: Structure | None = None,
) -> MappedAsset | Filtered | Rejected:
    """Map one asset. `structure` is the PIM's; without it, what the source file declares.

    All that is wrong with an asset is reported, not only the first thing. Never raises for what
    a DAM may send.
    """
    data: Properties = {"id": dam_id, **properties}
    try:
        if compiled.only is not None and not compiled.only.holds(data):
            return Filtered(reason=f"no product asset: `only` does not hold ({compiled.only.text})")
    except RejectedError as error:
        return Rejected(errors=(FieldError(attribute=None, source="only", message=str(error)),))
    errors: list[FieldError] = []
    family = _one(compiled.family, "family", data, errors)
    code = _code(compiled, data, errors)
    locale = _one(compiled.locale, "locale", data, errors) if compiled.locale else None
    channel = _one(compiled.channel, "channel", data, errors) if compiled.channel else None
    links = _links(compiled, data, errors)
    if family is None or code is None:
        return Rejected(errors=_missing(family, code, errors))
    draft = Draft(
        family=family,
        locale=locale,
        channel=channel,
        properties=data,
        structure=compiled.declared if structure is None else structure,
        base_url=compiled.base_url,
        errors=errors,
    )
    for filling in compiled.fillings:
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


def _code(compiled: CompiledAssetMapping, data: Properties, errors: list[FieldError]) -> str | None:
    rule = compiled.mapping.code
    found = _one(compiled.code, "code", data, errors)
    if found is None:
        return None
    style = CodeFormat(lower=rule.lower, distinct=rule.distinct, max_length=255 - len(rule.prefix))
    try:
        return rule.prefix + to_code(found, style)
    except Refusal as error:
        errors.append(
            FieldError(
                attribute="code", source=compiled.code.source, message=str(error), value=found
            )
        )
        return None


def _links(
    compiled: CompiledAssetMapping, data: Properties, errors: list[FieldError]
) -> tuple[LinkTarget, ...]:
    found: dict[LinkTarget, None] = {}
    for rule in compiled.links:
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
