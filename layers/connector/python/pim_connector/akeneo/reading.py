"""What can be read from the PIM: single objects, lists, system information."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pim_connector.akeneo.connection import decoded
from pim_connector.akeneo.pages import read_list
from pim_connector.akeneo.paths import segment
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.akeneo.connection import Connection

JsonObject = dict[str, Any]
Search = dict[str, list[JsonObject]]
"""Filters as the API has them: `{"code": [{"operator": "IN", "value": ["a", "b"]}]}`."""


class Reading:
    """The reading half of `AkeneoClient`."""

    _connection: Connection

    # One object: None if the PIM does not have it (or does not show it to this user).

    def get_product(self, identifier: str) -> JsonObject | None:
        return self._connection.get(f"products/{quote(identifier)}")

    def get_product_uuid(self, uuid: str) -> JsonObject | None:
        return self._connection.get(f"products-uuid/{segment(uuid)}")

    def get_product_model(self, code: str) -> JsonObject | None:
        return self._connection.get(f"product-models/{segment(code)}")

    def get_attribute(self, code: str) -> JsonObject | None:
        return self._connection.get(f"attributes/{segment(code)}")

    def get_family(self, code: str) -> JsonObject | None:
        return self._connection.get(f"families/{segment(code)}")

    def get_asset_family(self, code: str) -> JsonObject | None:
        return self._connection.get(f"asset-families/{segment(code)}")

    def get_asset(self, family: str, code: str) -> JsonObject | None:
        return self._connection.get(f"asset-families/{segment(family)}/assets/{segment(code)}")

    def system_information(self) -> JsonObject:
        """Tell the PIM's `version` and `edition`: `Serenity`, `GE`, `EE` or `CE`."""
        found = self._connection.get("system-information")
        if found is None:
            raise ConfigurationError(
                f"{self._connection.origin} has no system-information: check the PIM's URL."
            )
        return found

    # Lists: iterators that ask for the next page when they get there.

    def list_products(self, search: Search | None = None, **params: str) -> Iterator[JsonObject]:
        """Products with an identifier; `params` such as `attributes="sku,name"` go along."""
        return self._list("products", search, params, by_key=True)

    def list_products_uuid(
        self, search: Search | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list("products-uuid", search, params, by_key=True)

    def list_product_models(
        self, search: Search | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list("product-models", search, params, by_key=True)

    def list_attributes(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("attributes", search)

    def list_attribute_options(self, attribute: str) -> Iterator[JsonObject]:
        return self._list(f"attributes/{segment(attribute)}/options")

    def list_families(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("families", search)

    def list_family_variants(self, family: str) -> Iterator[JsonObject]:
        return self._list(f"families/{segment(family)}/variants")

    def list_categories(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("categories", search)

    def list_channels(self) -> Iterator[JsonObject]:
        return self._list("channels")

    def list_locales(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("locales", search)

    def list_currencies(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("currencies", search)

    def list_measurement_families(self) -> Iterator[JsonObject]:
        return self._list("measurement-families")

    def list_association_types(self) -> Iterator[JsonObject]:
        return self._list("association-types")

    def list_asset_families(self) -> Iterator[JsonObject]:
        return self._list("asset-families")

    def list_asset_attributes(self, family: str) -> Iterator[JsonObject]:
        return self._list(f"asset-families/{segment(family)}/attributes")

    def list_asset_attribute_options(self, family: str, attribute: str) -> Iterator[JsonObject]:
        path = f"asset-families/{segment(family)}/attributes/{segment(attribute)}/options"
        return self._list(path)

    def list_assets(
        self, family: str, search: JsonObject | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list(f"asset-families/{segment(family)}/assets", search, params)

    def list_ui_extensions(self) -> list[JsonObject] | None:
        """Return the UI extensions of these credentials; None where the PIM has none to manage.

        SaaS only: https://api.akeneo.com/extensions/api.html. The answer is a plain array.
        """
        return self._connection.unless_hidden(
            lambda: decoded(self._connection.send("GET", "ui-extensions"), list)
        )

    def list_known(self, path: str, *, search: JsonObject | None = None) -> list[JsonObject] | None:
        """Read a whole list; None where the PIM has no such list or does not show it to this user.

        This is what `pim_connector.structure.fetch_structure` asks for.
        """
        return self._connection.unless_hidden(lambda: list(self._list(path, search)))

    def _list(
        self,
        path: str,
        search: JsonObject | None = None,
        params: dict[str, str] | None = None,
        *,
        by_key: bool = False,
    ) -> Iterator[JsonObject]:
        return read_list(self._connection, path, search, params or {}, by_key=by_key)
