"""One attribute rule applied to one asset: slots, wanted options, media files, or errors."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from pim_connector.assets import shaping
from pim_connector.assets.asset import MediaFile, SlotKey
from pim_connector.assets.mapping import AttributeRule
from pim_connector.assets.picking import Picker, Properties
from pim_connector.assets.steps import word
from pim_connector.assets.urls import expiring_parameter, is_web_url, without_query
from pim_connector.errors import RejectedError
from pim_connector.expressions import Expression
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import Scalar
from pim_connector.mapping.result import FieldError, Json, Slot, WantedOption
from pim_connector.structure import AssetAttribute, Structure

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
