"""What a user's role allows, by resource: taken away with `Accounts.denied`."""

from simulators.akeneo.refusal import Refusal
from simulators.akeneo.tokens import Accounts

RESOURCES = {
    "product": "products",
    "product_model": "product models",
    "attribute": "attributes",
    "attribute_option": "attribute options",
    "attribute_group": "attribute groups",
    "family": "families",
    "family_variant": "family variants",
    "category": "categories",
    "channel": "channels",
    "locale": "locales",
    "currency": "currencies",
    "association_type": "association types",
    "measurement_family": "measurement families",
    "asset_family": "asset families",
    "asset": "assets",
}
SHARED = {"product_model": "product"}
"""Resources without a right of their own, and whose right is asked instead."""
WEB_API = "web_api"


def check_web_api(accounts: Accounts, user: str) -> None:
    """Raise `Refusal` 403 when the user may not use the API at all."""
    if f"{user}:{WEB_API}" in accounts.denied:
        raise Refusal(403, "You are not allowed to access the web API.")


def check_right(accounts: Accounts, user: str, resource: str | None, action: str) -> None:
    """Raise `Refusal` 403 when the user lacks the right: `action` is list, edit or remove."""
    right = SHARED.get(resource or "", resource)
    if resource is None or f"{user}:{right}_{action}" not in accounts.denied:
        return
    words = {"list": "list", "edit": "create or update", "remove": "delete"}[action]
    raise Refusal(403, f"Access forbidden. You are not allowed to {words} {RESOURCES[resource]}.")
