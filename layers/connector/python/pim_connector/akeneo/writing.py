"""What can be written to the PIM: bulk upserts, single upserts, deletions, media files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pim_connector.akeneo.bulk import Passed, upsert
from pim_connector.akeneo.lines import ARRAY, NDJSON
from pim_connector.akeneo.media import Content, upload
from pim_connector.akeneo.outcomes import LineOutcome
from pim_connector.akeneo.paths import segment

if TYPE_CHECKING:
    from pim_connector.akeneo.connection import Connection
    from pim_connector.akeneo.patience import Pace

JsonObject = dict[str, Any]


class Writing:
    """The writing half of `AkeneoClient`."""

    _connection: Connection
    _pace: Pace

    # Bulk upserts: at most 100 lines; ValueError otherwise. `passed` hears of lines as they pass.

    def upsert_products(
        self,
        lines: Sequence[JsonObject],
        *,
        create_missing_options: bool = False,
        passed: Passed | None = None,
    ) -> list[LineOutcome]:
        """Create and update products by `identifier`.

        `create_missing_options` lets a SaaS PIM add unknown select options itself; 7.0 ignores it.
        """
        return self._products("products", lines, create_missing_options, passed)

    def upsert_products_uuid(
        self,
        lines: Sequence[JsonObject],
        *,
        create_missing_options: bool = False,
        passed: Passed | None = None,
    ) -> list[LineOutcome]:
        """Create and update products by `uuid`; the identifier is then one of the values."""
        return self._products("products-uuid", lines, create_missing_options, passed)

    def upsert_product_models(
        self,
        lines: Sequence[JsonObject],
        *,
        create_missing_options: bool = False,
        passed: Passed | None = None,
    ) -> list[LineOutcome]:
        """Create and update product models by `code`. A model goes before its variants."""
        return self._products("product-models", lines, create_missing_options, passed)

    def upsert_attributes(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("attributes", lines)

    def upsert_attribute_groups(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("attribute-groups", lines)

    def upsert_attribute_options(
        self, attribute: str, lines: Sequence[JsonObject]
    ) -> list[LineOutcome]:
        """Create and update options of one attribute, waiting for the pace before every call."""
        path = f"attributes/{segment(attribute)}/options"
        return upsert(self._connection, path, lines, NDJSON, before_call=self._pace.wait)

    def upsert_families(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("families", lines)

    def upsert_family_variants(self, family: str, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines(f"families/{segment(family)}/variants", lines)

    def upsert_categories(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("categories", lines)

    def upsert_channels(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("channels", lines)

    def upsert_association_types(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("association-types", lines)

    def upsert_measurement_families(self, items: Sequence[JsonObject]) -> list[LineOutcome]:
        return upsert(self._connection, "measurement-families", items, ARRAY)

    def upsert_assets(self, family: str, items: Sequence[JsonObject]) -> list[LineOutcome]:
        """Create and update assets of one family. The family's code is case-sensitive here."""
        path = f"asset-families/{segment(family)}/assets"
        return upsert(self._connection, path, items, ARRAY)

    # Single upserts: True = created, False = updated; RefusedError with the PIM's words.

    def upsert_asset_family(self, item: JsonObject) -> bool:
        return self._connection.patch(f"asset-families/{segment(item['code'])}", item)

    def upsert_asset_attribute(self, family: str, item: JsonObject) -> bool:
        path = f"asset-families/{segment(family)}/attributes/{segment(item['code'])}"
        return self._connection.patch(path, item)

    def upsert_asset_attribute_option(self, family: str, attribute: str, item: JsonObject) -> bool:
        path = (
            f"asset-families/{segment(family)}/attributes/{segment(attribute)}"
            f"/options/{segment(item['code'])}"
        )
        return self._connection.patch(path, item, before_call=self._pace.wait)

    def delete_asset(self, family: str, code: str) -> bool:
        """Delete one asset; False if it was not there."""
        path = f"asset-families/{segment(family)}/assets/{segment(code)}"
        return self._connection.delete(path)

    # Media files: streamed, never whole in memory.

    def create_ui_extension(self, item: JsonObject) -> None:
        """Create a UI extension; RefusedError where the PIM does not take it."""
        self._connection.send("POST", "ui-extensions", json=item)

    def update_ui_extension(self, uuid: str, item: JsonObject) -> None:
        """Change a UI extension of these credentials."""
        self._connection.send("PATCH", f"ui-extensions/{segment(uuid)}", json=item)

    def delete_ui_extension(self, uuid: str) -> bool:
        """Delete a UI extension; False where there is none any more."""
        return self._connection.delete(f"ui-extensions/{segment(uuid)}")

    def upload_asset_media(
        self, filename: str, content: Content, *, content_type: str | None = None
    ) -> str:
        """Upload one file and give its code, to be used as `data` of a media_file attribute.

        `content` is bytes, or a callable that opens the file anew for every try.
        """
        return upload(
            self._connection, "asset-media-files", filename, content, content_type=content_type
        )

    def upload_product_media(
        self,
        filename: str,
        content: Content,
        *,
        product: JsonObject | None = None,
        product_model: JsonObject | None = None,
        content_type: str | None = None,
    ) -> str:
        """Upload one file, link it to a value, and give its code.

        `product` is `{"identifier", "attribute", "locale", "scope"}`, `product_model` the same
        with `code`: exactly one of them, and it must exist in the PIM (RefusedError otherwise).
        """
        if (product is None) == (product_model is None):
            raise ValueError("exactly one of product and product_model says where the file goes")
        target = {"product": product} if product else {"product_model": product_model}
        return upload(
            self._connection,
            "media-files",
            filename,
            content,
            content_type=content_type,
            target=target,
        )

    def _products(
        self,
        path: str,
        lines: Sequence[JsonObject],
        create_missing_options: bool,
        passed: Passed | None,
    ) -> list[LineOutcome]:
        suffix = "?create_missing_options=true" if create_missing_options else ""
        return self._lines(path + suffix, lines, passed)

    def _lines(
        self, path: str, lines: Sequence[JsonObject], passed: Passed | None = None
    ) -> list[LineOutcome]:
        return upsert(self._connection, path, lines, NDJSON, passed=passed)
