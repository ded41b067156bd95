"""The editions of the PIM: what each has, and what it lacks.

Source: the versions of the operations and properties in https://api.akeneo.com/api-reference.html.
"""

from dataclasses import dataclass

from simulators.akeneo.catalog import (
    ASSETS,
    ENTITY_MULTI,
    ENTITY_SIMPLE,
    PRODUCT_LINK,
    REFERENCE_MULTI,
    REFERENCE_SIMPLE,
    TABLE,
    TYPES,
    Catalog,
    CatalogError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One edition in one version; its switches name what a route or a rule asks for."""

    name: str
    code: str
    """`edition` of `GET /system-information`."""
    version: str
    enterprise: bool
    """Asset Manager, reference entities, drafts and permissions by user group."""
    saas: bool
    """`add_categories`, product links, `create_missing_options`, `POST /products-uuid/search`, UI
    extensions, units' symbols, and the attributes' settings in `SAAS_SETTINGS`."""
    tables: bool

    @property
    def types(self) -> frozenset[str]:
        """The attribute types that this edition knows."""
        lacking: set[str] = set()
        if not self.enterprise:
            lacking |= {ASSETS, ENTITY_SIMPLE, ENTITY_MULTI}
        if not self.tables:
            lacking.add(TABLE)
        if not self.saas:
            lacking.add(PRODUCT_LINK)
        return TYPES - lacking

    @property
    def column_types(self) -> frozenset[str]:
        """What the columns of a table can be."""
        found = {"select", "text", "number", "boolean", "measurement"}
        if self.enterprise:
            found.add("reference_entity")
        if self.saas:
            found |= {"date", "product_link"}
        return frozenset(found)

    @property
    def creatable(self) -> frozenset[str]:
        """The types that a new attribute can have: reference data is legacy."""
        return self.types - {REFERENCE_SIMPLE, REFERENCE_MULTI} if self.saas else self.types


EDITIONS = {
    edition.name: edition
    for edition in (
        Edition(
            name="ce-7.0",
            code="CE",
            version="7.0.0",
            enterprise=False,
            saas=False,
            tables=False,
        ),
        Edition(
            name="ee-7.0", code="EE", version="7.0.0", enterprise=True, saas=False, tables=True
        ),
        Edition(
            name="ge",
            code="GE",
            version="v20261130010203",
            enterprise=False,
            saas=True,
            tables=True,
        ),
        Edition(
            name="saas",
            code="Serenity",
            version="v20261130010203",
            enterprise=True,
            saas=True,
            tables=True,
        ),
    )
}
DEFAULT = EDITIONS["ee-7.0"]

SAAS_SETTINGS = {
    "is_mandatory": False,
    "decimal_places_strategy": None,
    "decimal_places": None,
    "max_items_count": None,
    "enable_option_creation_during_import": None,
    "display_time": None,
}
"""Properties that only the attributes of a SaaS PIM have, with their defaults."""


SAAS_ASSET_TYPES = frozenset(("boolean", "date", "record"))
"""Types that only the asset attributes of a SaaS PIM have."""


def has(edition: Edition, what: str | None) -> bool:
    """Whether the edition has what this switch of its names; None: every edition has it."""
    return what is None or bool(getattr(edition, what))


def check_catalog(catalog: Catalog, edition: Edition) -> None:
    """Raise `CatalogError` for structure that this edition does not have, with what it is."""
    wrong = [
        f"{row['code']} ({row['type']})"
        for row in catalog.rows["attributes"].values()
        if row["type"] not in edition.types
    ]
    if wrong:
        raise CatalogError(
            f"{edition.name} has no attributes of these types: {', '.join(wrong)}. "
            "Take them out of the catalog, or start another edition."
        )
    wrong = [
        f"{row['code']}.{column.get('code')} ({column.get('data_type')})"
        for row in catalog.rows["attributes"].values()
        for column in row.get("table_configuration") or ()
        if column.get("data_type") not in edition.column_types
    ]
    if wrong:
        raise CatalogError(
            f"{edition.name} has no table columns of these types: {', '.join(wrong)}."
        )
    wrong = [
        f"{family}.{row['code']} ({row['type']})"
        for family, attributes in catalog.asset_attributes.items()
        for row in attributes.values()
        if row.get("type") in SAAS_ASSET_TYPES and not edition.saas
    ]
    if wrong:
        types = ", ".join(wrong)
        raise CatalogError(f"{edition.name} has no asset attributes of these types: {types}.")
    if catalog.rows["asset_families"] and not edition.enterprise:
        raise CatalogError(
            f"{edition.name} has no Asset Manager: take asset_families out of the catalog, "
            "or start another edition."
        )
    if catalog.rows["reference_entities"] and not edition.enterprise:
        raise CatalogError(
            f"{edition.name} has no reference entities: take reference_entities and "
            "reference_entity_records out of the catalog, or start another edition."
        )
