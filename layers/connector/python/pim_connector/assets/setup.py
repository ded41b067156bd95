"""What a source file says that the PIM should have: asset families, attributes, link rules."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from pim_connector.akeneo.structure import AssetAttribute, AssetFamily, Structure
from pim_connector.dam.asset_rules import AssetMapping, AttributeSetup, FamilySetup


def declared_structure(mapping: AssetMapping) -> Structure:
    """Build the structure a source file declares, to map with where no PIM is at hand.

    A file that declares no families leaves it *not known*: a list is taken for options, all else
    for text, and what has a locale or channel for an attribute with a value for each.
    """
    if not mapping.families:
        return Structure()
    return Structure(
        asset_families=tuple(
            AssetFamily(
                code=code,
                labels=family.labels,
                attribute_as_main_media=family.main_media,
                product_link_rules=family.link_rules,
            )
            for code, family in mapping.families.items()
        ),
        asset_attributes=tuple(
            asset_attribute(family_code, code, attribute)
            for family_code, family in mapping.families.items()
            for code, attribute in family.attributes.items()
        ),
    )


def asset_attribute(family: str, code: str, setup: AttributeSetup) -> AssetAttribute:
    """Give one declared attribute in the PIM's own words."""
    return AssetAttribute(
        code=code,
        asset_family=family,
        type=setup.type,
        value_per_locale=setup.per_locale,
        value_per_channel=setup.per_channel,
        labels=setup.labels,
        media_type=setup.media_type,
        prefix=setup.prefix,
        suffix=setup.suffix,
        decimals_allowed=setup.decimals,
        is_textarea=setup.textarea,
        reference_entity=setup.reference_entity,
        allowed_extensions=setup.extensions,
        max_file_size=None if setup.max_file_megabytes is None else str(setup.max_file_megabytes),
    )


class SetupStep(Struct, frozen=True, kw_only=True):
    """One object of the PIM: what it is, what is wrong with it, and what to PATCH.

    `state`: `ok`, `create`, `change`, or `conflict` where only a person can decide, because Akeneo
    never changes a code, a type, or whether there is a value per locale or channel.
    """

    kind: Literal["family", "attribute"]
    family: str
    code: str
    state: Literal["ok", "create", "change", "conflict"]
    body: dict[str, Any]
    differences: tuple[str, ...] = ()


def setup_steps(mapping: AssetMapping, structure: Structure) -> list[SetupStep]:
    """Compare what a source file declares with the PIM, in the order in which to create it.

    That order is Akeneo's own (https://api.akeneo.com/guides/dam-connection/): family, its
    attributes, then main media and link rules, which name attributes.
    """
    steps: list[SetupStep] = []
    for code, family in mapping.families.items():
        existing = structure.asset_family(code)
        body: dict[str, Any] = {"code": code}
        body |= {"labels": family.labels} if family.labels else {}
        if existing is None:
            steps.append(
                SetupStep(kind="family", family=code, code=code, state="create", body=body)
            )
        steps += [
            _attribute_step(code, name, setup, structure)
            for name, setup in family.attributes.items()
        ]
        steps += _rules(code, family, existing)
    return steps


def unmapped(mapping: AssetMapping, structure: Structure) -> list[str]:
    """Say which attributes the file fills that the PIM has not and the file does not declare."""
    families = [mapping.family] if isinstance(mapping.family, str) else list(mapping.families)
    problems: list[str] = []
    for attribute, rules in mapping.attributes.items():
        for rule in rules if isinstance(rules, tuple) else (rules,):
            wanted = families if isinstance(rule, str) or not rule.families else rule.families
            for family in wanted:
                declared = mapping.families.get(family)
                if declared and attribute in declared.attributes:
                    continue
                if structure.asset_attribute(family, attribute) is None:
                    problems.append(f"asset family {family} has no attribute {attribute}")
    return list(dict.fromkeys(problems))


def _attribute_step(
    family: str, code: str, setup: AttributeSetup, structure: Structure
) -> SetupStep:
    existing = structure.asset_attribute(family, code)
    body = _attribute_body(code, setup)
    if existing is None:
        return SetupStep(kind="attribute", family=family, code=code, state="create", body=body)
    fixed = [
        f"{name} is {getattr(existing, name)}, the file says {body[name]}"
        for name in ("type", "value_per_locale", "value_per_channel")
        if getattr(existing, name) != body[name]
    ]
    changed = [
        f"{name}: {getattr(existing, name)!r} → {value!r}"
        for name, value in body.items()
        if name not in ("code", "labels", "type", "value_per_locale", "value_per_channel")
        and _plain(getattr(existing, name)) != _plain(value)
    ]
    changed += [
        f"label {locale}: {existing.labels.get(locale)!r} → {label!r}"
        for locale, label in setup.labels.items()
        if existing.labels.get(locale) != label
    ]
    state: Literal["ok", "change", "conflict"] = (
        "conflict" if fixed else "change" if changed else "ok"
    )
    differences = tuple(fixed or changed)
    return SetupStep(
        kind="attribute", family=family, code=code, state=state, body=body, differences=differences
    )


def _attribute_body(code: str, setup: AttributeSetup) -> dict[str, Any]:
    """Write the attribute as the API has it, with only what its type knows.

    https://api.akeneo.com/api-reference.html#patch_asset_attributes__code_
    """
    body: dict[str, Any] = {
        "code": code,
        "type": setup.type,
        "value_per_locale": setup.per_locale,
        "value_per_channel": setup.per_channel,
    }
    body |= {"labels": setup.labels} if setup.labels else {}
    if setup.type in ("media_link", "media_file"):
        body["media_type"] = setup.media_type or (
            "image" if setup.type == "media_file" else "other"
        )
    if setup.type == "media_link":
        body |= {"prefix": setup.prefix, "suffix": setup.suffix}
    if setup.type == "media_file":
        body |= {"allowed_extensions": list(setup.extensions)} if setup.extensions else {}
        size = setup.max_file_megabytes
        body |= {"max_file_size": str(size)} if size is not None else {}
    if setup.type == "number":
        body["decimals_allowed"] = setup.decimals
    if setup.type == "text":
        body["is_textarea"] = setup.textarea
    if setup.type == "record":
        body["reference_entity"] = setup.reference_entity
    return body


def _rules(code: str, family: FamilySetup, existing: AssetFamily | None) -> list[SetupStep]:
    body: dict[str, Any] = {"code": code}
    differences: list[str] = []
    if family.main_media is not None:
        body["attribute_as_main_media"] = family.main_media
        now = existing.attribute_as_main_media if existing else None
        if now != family.main_media:
            differences.append(f"attribute_as_main_media: {now} → {family.main_media}")
    if family.link_rules:
        body["product_link_rules"] = list(family.link_rules)
        if existing is None or list(existing.product_link_rules) != list(family.link_rules):
            differences.append("product_link_rules differ")
    if len(body) == 1:
        return []
    state: Literal["ok", "change"] = "change" if differences else "ok"
    return [
        SetupStep(
            kind="family",
            family=code,
            code=code,
            state=state,
            body=body,
            differences=tuple(differences),
        )
    ]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value or None
