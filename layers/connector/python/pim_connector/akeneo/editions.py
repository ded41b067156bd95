"""What the editions of the PIM differ in, as far as the connector needs to know.

`GET /system-information` names edition and version. Sources of the table: the versions of
operations and properties in https://api.akeneo.com/api-reference.html, and a PIM 7.0's answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

Feature = Literal[
    "add_categories",
    "product_link",
    "create_missing_options",
    "search_by_post",
    "asset_manager",
    "reference_entities",
    "ui_extensions",
]

NAMES: Final[Mapping[str, str]] = {
    "CE": "Community Edition",
    "EE": "Enterprise Edition",
    "GE": "Growth Edition",
    "Serenity": "Enterprise Edition, SaaS",
}
"""What `GET /system-information` calls an edition, and what people call it."""

SAAS: Final = frozenset({"GE", "Serenity"})
ENTERPRISE: Final = frozenset({"EE", "Serenity"})


class Need(Struct, frozen=True, kw_only=True):
    """A thing that only some editions have, and what the connector does on the others."""

    what: str
    editions: frozenset[str]
    otherwise: str


NEEDS: Final[Mapping[Feature, Need]] = {
    "add_categories": Need(
        what="`add_categories` of products and product models",
        editions=SAAS,
        otherwise="reads the product's categories and sends them together with the new ones",
    ),
    "product_link": Need(
        what="attributes of type `pim_catalog_product_link`",
        editions=SAAS,
        otherwise="refuses a mapping that names one",
    ),
    "create_missing_options": Need(
        what="the parameter `create_missing_options`",
        editions=SAAS,
        otherwise="creates missing options first; it does so on every edition",
    ),
    "search_by_post": Need(
        what="`POST /products-uuid/search`",
        editions=SAAS,
        otherwise="splits long lists of identifiers over several URLs; it does so on every edition",
    ),
    "asset_manager": Need(
        what="Asset Manager: asset families, assets, asset collections",
        editions=ENTERPRISE,
        otherwise="refuses sources of a DAM; images and files of products work everywhere",
    ),
    "reference_entities": Need(
        what="reference entities and their records",
        editions=ENTERPRISE,
        otherwise="has nothing to write: without them there are no attributes of this type",
    ),
    "ui_extensions": Need(
        what="UI extensions: the console inside the PIM",
        editions=SAAS,
        otherwise="leaves them out; the console has its own address",
    ),
}


class Edition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of `GET /system-information`; every field may be missing."""

    edition: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        name = NAMES.get(self.edition or "", self.edition or "of an unknown edition")
        return f"Akeneo {self.version or 'PIM'} {name}"

    def has(self, feature: Feature) -> bool | None:
        """Say whether this edition has it; None for an edition that is not in the table."""
        return self.edition in NEEDS[feature].editions if self.edition in NAMES else None


def edition_of(answer: Mapping[str, Any]) -> Edition:
    """Read the answer of `GET /system-information`."""
    edition, version = answer.get("edition"), answer.get("version")
    return Edition(
        edition=None if edition is None else str(edition),
        version=None if version is None else str(version),
    )
