"""What a source file says that the PIM should have: asset families, attributes, link rules."""

from __future__ import annotations

from pim_connector.assets.mapping import AssetMapping, AttributeSetup
from pim_connector.structure import AssetAttribute, AssetFamily, Structure


def declared_structure(mapping: AssetMapping) -> Structure:
    """Build the structure a source file declares, to map with where no PIM is at hand.

    A file that declares no families leaves it *not known*, and every attribute is taken for text.
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
