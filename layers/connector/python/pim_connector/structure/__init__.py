"""The PIM's structure as typed data: attributes, options, families, channels, locales, units.

Pure data (msgspec only). `fetch_structure` asks the PIM through whatever client is handed to it.
"""

from pim_connector.structure.fetching import (
    ASSET_RESOURCES,
    EVERYTHING,
    PRODUCT_RESOURCES,
    StructureSource,
    fetch_catalog,
    fetch_structure,
    read_catalog,
)
from pim_connector.structure.objects import (
    AssetAttribute,
    AssetAttributeOption,
    AssetFamily,
    AssociationType,
    Attribute,
    AttributeOption,
    Category,
    Channel,
    Currency,
    Family,
    FamilyVariant,
    Group,
    Locale,
    MeasurementFamily,
    Unit,
    VariantAttributeSet,
)
from pim_connector.structure.structure import Structure

__all__ = [
    "ASSET_RESOURCES",
    "EVERYTHING",
    "PRODUCT_RESOURCES",
    "AssetAttribute",
    "AssetAttributeOption",
    "AssetFamily",
    "AssociationType",
    "Attribute",
    "AttributeOption",
    "Category",
    "Channel",
    "Currency",
    "Family",
    "FamilyVariant",
    "Group",
    "Locale",
    "MeasurementFamily",
    "Structure",
    "StructureSource",
    "Unit",
    "VariantAttributeSet",
    "fetch_catalog",
    "fetch_structure",
    "read_catalog",
]
