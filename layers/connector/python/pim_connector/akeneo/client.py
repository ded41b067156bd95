"""`AkeneoClient`: one method per thing the connector asks of the PIM's REST API.

https://api.akeneo.com/api-reference.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any
from urllib.parse import quote

import httpx

from pim_connector.akeneo.auth import auth_for
from pim_connector.akeneo.bulk import upsert
from pim_connector.akeneo.connection import Connection, http_client
from pim_connector.akeneo.credentials import Credentials
from pim_connector.akeneo.lines import ARRAY, NDJSON
from pim_connector.akeneo.media import Content, upload
from pim_connector.akeneo.outcomes import LineOutcome
from pim_connector.akeneo.pages import read_list
from pim_connector.akeneo.patience import Deadline, NoPace, Pace, Patience, unlimited
from pim_connector.akeneo.tokens import MemoryTokenStore, TokenStore
from pim_connector.errors import ConfigurationError

JsonObject = dict[str, Any]
Search = dict[str, list[JsonObject]]
"""Filters as the API has them: `{"code": [{"operator": "IN", "value": ["a", "b"]}]}`."""


class AkeneoClient:
    """Speaks to one PIM with one set of credentials.

    Transient failures are waited out here, within the deadline; what still fails then is raised as
    TransientError, ConfigurationError or (single objects) RefusedError. Bulk upserts take at most
    100 lines and answer with one outcome per line, in order.

    `base_url` is the PIM's address without `/api/rest/v1`. `credentials` may be a callable that
    reads them: it is asked at once, and again when they are refused (rotation). `pace` keeps
    option writes within the PIM's three a second. `deadline` tells how many seconds are left.
    `transport`, `now`, `sleep` and `chance` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | Callable[[], Credentials],
        *,
        pace: Pace | None = None,
        token_store: TokenStore | None = None,
        deadline: Deadline = unlimited,
        tries: int = 6,
        timeout: httpx.Timeout | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        auth = auth_for(credentials, token_store or MemoryTokenStore(), now=now)
        http = http_client(base_url, auth, timeout=timeout, transport=transport)
        patience = Patience(tries=tries, deadline=deadline, now=now, sleep=sleep, chance=chance)
        self._connection = Connection(http, patience)
        self._pace = pace or NoPace()

    def within(self, deadline: Deadline) -> AkeneoClient:
        """Give the same client (connections, token) bound by another deadline, for one invocation.

        `pim.within(lambda: context.get_remaining_time_in_millis() / 1000 - 20)`
        """
        bound = copy(self)
        bound._connection = self._connection.within(deadline)
        return bound

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> AkeneoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Bulk upserts: at most 100 lines; ValueError otherwise.

    def upsert_products(
        self, lines: Sequence[JsonObject], *, create_missing_options: bool = False
    ) -> list[LineOutcome]:
        """Create and update products by `identifier`.

        `create_missing_options` lets a SaaS PIM add unknown select options itself; 7.0 ignores it.
        """
        return self._products("products", lines, create_missing_options)

    def upsert_products_uuid(
        self, lines: Sequence[JsonObject], *, create_missing_options: bool = False
    ) -> list[LineOutcome]:
        """Create and update products by `uuid`; the identifier is then one of the values."""
        return self._products("products-uuid", lines, create_missing_options)

    def upsert_product_models(
        self, lines: Sequence[JsonObject], *, create_missing_options: bool = False
    ) -> list[LineOutcome]:
        """Create and update product models by `code`. A model goes before its variants."""
        return self._products("product-models", lines, create_missing_options)

    def upsert_attributes(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("attributes", lines)

    def upsert_attribute_groups(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("attribute-groups", lines)

    def upsert_attribute_options(
        self, attribute: str, lines: Sequence[JsonObject]
    ) -> list[LineOutcome]:
        """Create and update options of one attribute, waiting for the pace before every call."""
        path = f"attributes/{_segment(attribute)}/options"
        return upsert(self._connection, path, lines, NDJSON, before_call=self._pace.wait)

    def upsert_families(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("families", lines)

    def upsert_family_variants(self, family: str, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines(f"families/{_segment(family)}/variants", lines)

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
        path = f"asset-families/{_segment(family)}/assets"
        return upsert(self._connection, path, items, ARRAY)

    # Single upserts: True = created, False = updated; RefusedError with the PIM's words.

    def upsert_asset_family(self, item: JsonObject) -> bool:
        return self._connection.patch(f"asset-families/{_segment(item['code'])}", item)

    def upsert_asset_attribute(self, family: str, item: JsonObject) -> bool:
        path = f"asset-families/{_segment(family)}/attributes/{_segment(item['code'])}"
        return self._connection.patch(path, item)

    def upsert_asset_attribute_option(self, family: str, attribute: str, item: JsonObject) -> bool:
        path = (
            f"asset-families/{_segment(family)}/attributes/{_segment(attribute)}"
            f"/options/{_segment(item['code'])}"
        )
        return self._connection.patch(path, item, before_call=self._pace.wait)

    def delete_asset(self, family: str, code: str) -> bool:
        """Delete one asset; False if it was not there."""
        path = f"asset-families/{_segment(family)}/assets/{_segment(code)}"
        return self._connection.delete(path)

    # One object: None if the PIM does not have it (or does not show it to this user).

    def get_product(self, identifier: str) -> JsonObject | None:
        return self._connection.get(f"products/{quote(identifier)}")

    def get_product_uuid(self, uuid: str) -> JsonObject | None:
        return self._connection.get(f"products-uuid/{_segment(uuid)}")

    def get_product_model(self, code: str) -> JsonObject | None:
        return self._connection.get(f"product-models/{_segment(code)}")

    def get_attribute(self, code: str) -> JsonObject | None:
        return self._connection.get(f"attributes/{_segment(code)}")

    def get_family(self, code: str) -> JsonObject | None:
        return self._connection.get(f"families/{_segment(code)}")

    def get_asset_family(self, code: str) -> JsonObject | None:
        return self._connection.get(f"asset-families/{_segment(code)}")

    def get_asset(self, family: str, code: str) -> JsonObject | None:
        return self._connection.get(f"asset-families/{_segment(family)}/assets/{_segment(code)}")

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
        return self._list(f"attributes/{_segment(attribute)}/options")

    def list_families(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("families", search)

    def list_family_variants(self, family: str) -> Iterator[JsonObject]:
        return self._list(f"families/{_segment(family)}/variants")

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
        return self._list(f"asset-families/{_segment(family)}/attributes")

    def list_asset_attribute_options(self, family: str, attribute: str) -> Iterator[JsonObject]:
        path = f"asset-families/{_segment(family)}/attributes/{_segment(attribute)}/options"
        return self._list(path)

    def list_assets(
        self, family: str, search: JsonObject | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list(f"asset-families/{_segment(family)}/assets", search, params)

    def list_known(self, path: str, *, search: JsonObject | None = None) -> list[JsonObject] | None:
        """Read a whole list; None where the PIM has no such list or does not show it to this user.

        This is what `pim_connector.structure.fetch_structure` asks for.
        """
        return self._connection.unless_hidden(lambda: list(self._list(path, search)))

    # Media files: streamed, never whole in memory.

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
        self, path: str, lines: Sequence[JsonObject], create_missing_options: bool
    ) -> list[LineOutcome]:
        suffix = "?create_missing_options=true" if create_missing_options else ""
        return self._lines(path + suffix, lines)

    def _lines(self, path: str, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return upsert(self._connection, path, lines, NDJSON)

    def _list(
        self,
        path: str,
        search: JsonObject | None = None,
        params: dict[str, str] | None = None,
        *,
        by_key: bool = False,
    ) -> Iterator[JsonObject]:
        return read_list(self._connection, path, search, params or {}, by_key=by_key)


def _segment(code: str) -> str:
    """Write a code into a URL path: nothing in it may act as a path or a query."""
    return quote(code, safe="")
