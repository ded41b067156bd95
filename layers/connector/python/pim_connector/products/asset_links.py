"""Finds the root product model of products, because that decides their message group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from pim_connector.aws.queue import Outgoing
from pim_connector.errors import RejectedError, TransientError
from pim_connector.mapping.identity import folded
from pim_connector.sync.messages import group_id, group_of

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.client import JsonObject

MOST_REMEMBERED = 50_000
PER_SEARCH = 100
"""Values of one IN filter (https://api.akeneo.com/documentation/filter.html)."""

Product = tuple[str, str]
"""Resource and identifier."""


class FamilyKeys:
    """Root model codes by product, asked of the PIM once in the life of a worker.

    A product's parent may change, but not its root model: Akeneo moves variants within one family
    of models only (https://api.akeneo.com/concepts/products.html#focus-on-product-models).
    Upper and lower case make no difference to the PIM, so they make none here.
    """

    def __init__(self) -> None:
        self._known: dict[Product, str] = {}

    def of(self, pim: AkeneoClient, products: Iterable[Product]) -> dict[Product, str]:
        """Return the message group's key of each product that the PIM has; the others are left out.

        At most three requests per 100 products: products, their models, the models of those. What
        the PIM's search index does not show yet counts as not there. Raises what the client raises.
        """
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        wanted = list(dict.fromkeys(products))
        parents = self._search(pim, wanted)
        grandparents = self._search(pim, _models(parents))
        self._search(pim, _models(grandparents))
        for product, parent in (*grandparents.items(), *parents.items()):
            root = self._known.get(_folded(("product_model", parent))) if parent else None
            if root is not None:
                self._known[product] = root
        known = {product: self._known.get(_folded(product)) for product in wanted}
        return {product: root for product, root in known.items() if root is not None}

    def _search(self, pim: AkeneoClient, wanted: list[Product]) -> dict[Product, str | None]:
        """Return the parents of those that are there; what has none is its own root."""
        found: dict[Product, str | None] = {}
        for resource in ("product", "product_model"):
            unknown = [p[1] for p in wanted if p[0] == resource and _folded(p) not in self._known]
            for product in search(pim, resource, unknown):
                identifier = str(product[_key(resource)])
                key = _folded((resource, identifier))
                found[key] = product.get("parent")
                if found[key] is None:
                    self._known[key] = identifier
        return found


def search(
    pim: AkeneoClient, resource: str, identifiers: list[str], **params: str
) -> Iterator[JsonObject]:
    """Return those products or product models that the PIM has: one request per 100."""
    listing = pim.list_products if resource == "product" else pim.list_product_models
    for start in range(0, len(identifiers), PER_SEARCH):
        condition = {"operator": "IN", "value": identifiers[start : start + PER_SEARCH]}
        yield from listing({"identifier": [condition]}, **params)


def _models(parents: dict[Product, str | None]) -> list[Product]:
    return list(dict.fromkeys(("product_model", parent) for parent in parents.values() if parent))


def _folded(product: Product) -> Product:
    return product[0], folded(product[1])


def _key(resource: str) -> str:
    return "identifier" if resource == "product" else "code"


# Appends assets to products' asset collections, and keeps what marketing put there.
#
# A product is written by one worker at a time, that of its message group of the product queue,
# because Akeneo
# loses values when two calls write one product at once. So the asset mapper does not write
# products:
# it sends a `LinkMessage` into the product's message group, and the product mapper hands that to
# `apply_links`.


VERSION = 1
LINKS_PER_MESSAGE = 100


class ProductLinks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be in, and what is to be out of, one asset collection of one product."""

    resource: str
    product: str
    attribute: str
    locale: str | None = None
    channel: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class LinkMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="asset_links"):
    """One message of the product queue: links of products of one message group, at most 100."""

    v: int = VERSION
    source: str
    group: int
    links: tuple[ProductLinks, ...]


class Linked(Struct, frozen=True, kw_only=True):
    """What became of one product's links: `changed`, `unchanged`, `absent` or `refused`."""

    links: ProductLinks
    state: str
    reason: str = ""


def is_link_message(body: str | bytes) -> bool:
    """Say whether a message of the product queue is one of ours, without reading all of it."""
    head = body[:40].encode() if isinstance(body, str) else body[:40]
    return head.startswith(b'{"kind":"asset_links"')


def decode(body: str | bytes) -> LinkMessage:
    """Read what `outgoing` wrote. RejectedError for what is no such message."""
    try:
        message = msgspec.json.decode(body, type=LinkMessage)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise RejectedError(f"not a message of asset links: {error}") from error
    if message.v != VERSION:
        raise RejectedError(f"links of version {message.v}; this release reads {VERSION}")
    return message


def outgoing(
    source: str,
    links: Iterable[ProductLinks],
    family_keys: Mapping[tuple[str, str], str],
    groups: int,
) -> list[Outgoing]:
    """Make the messages of the product queue, one message group each.

    `family_keys` gives each product's root model code, or its own, as the splitter uses it for
    message groups.
    """
    by_group: dict[int, list[ProductLinks]] = {}
    for one in merged(links):
        group = group_of(family_keys[one.resource, one.product], groups)
        by_group.setdefault(group, []).append(one)
    return [
        _outgoing(LinkMessage(source=source, group=group, links=tuple(chunk)))
        for group, members in sorted(by_group.items())
        for chunk in _chunks(members)
    ]


def merged(links: Iterable[ProductLinks]) -> list[ProductLinks]:
    """Join what concerns the same collection; what is added and removed both ends up added."""
    found: dict[tuple[str, str, str, str | None, str | None], ProductLinks] = {}
    for one in links:
        key = (one.resource, one.product, one.attribute, one.locale, one.channel)
        known = found.get(key)
        add = tuple(dict.fromkeys([*(known.add if known else ()), *one.add]))
        remove = dict.fromkeys([*(known.remove if known else ()), *one.remove])
        found[key] = msgspec.structs.replace(
            one, add=add, remove=tuple(code for code in remove if code not in add)
        )
    return list(found.values())


def joined(current: Sequence[str], links: ProductLinks) -> list[str]:
    """Return the collection as it should be: what is there, in its order, and ours at its end."""
    kept = [code for code in current if code not in links.remove]
    return [*kept, *(code for code in links.add if code not in kept)]


def apply_links(message: LinkMessage, pim: AkeneoClient) -> list[Linked]:
    """Read the products, and PATCH those whose collections change: two calls per resource.

    A product that left the PIM since the asset mapper saw it is `absent`. Raises TransientError
    where the PIM did not answer for all, and what the client raises.
    """
    done: list[Linked] = []
    for resource in ("product", "product_model"):
        lines: dict[str, dict[str, Any]] = {}
        sent: list[ProductLinks] = []
        of_resource = [one for one in message.links if one.resource == resource]
        products = _read(pim, resource, [one.product for one in of_resource])
        for links in of_resource:
            product = products[links.product]
            if product is None:
                done.append(
                    Linked(links=links, state="absent", reason="the PIM has no such product")
                )
                continue
            value = _changed(product, links)
            if value is None:
                done.append(Linked(links=links, state="unchanged"))
                continue
            line = lines.setdefault(links.product, {_key(resource): links.product, "values": {}})
            line["values"].setdefault(links.attribute, []).append(value)
            sent.append(links)
        done += _patch(pim, resource, lines, sent)
    return done


def _read(
    pim: AkeneoClient, resource: str, wanted: Sequence[str]
) -> dict[str, dict[str, Any] | None]:
    """Read products in one request; one that the PIM's search does not show by itself."""
    found: dict[str, dict[str, Any] | None] = {
        str(product[_key(resource)]): product
        for product in search(pim, resource, list(dict.fromkeys(wanted)))
    }
    one = pim.get_product if resource == "product" else pim.get_product_model
    return found | {name: one(name) for name in dict.fromkeys(wanted) if name not in found}


def _changed(product: Mapping[str, Any], links: ProductLinks) -> dict[str, Any] | None:
    values = (product.get("values") or {}).get(links.attribute, ())
    current = next(
        (
            value["data"]
            for value in values
            if (value.get("locale"), value.get("scope")) == (links.locale, links.channel)
        ),
        None,
    )
    before = list(current or ())
    after = joined(before, links)
    if after == before:
        return None
    return {"locale": links.locale, "scope": links.channel, "data": after}


def _patch(
    pim: AkeneoClient,
    resource: str,
    lines: Mapping[str, dict[str, Any]],
    sent: Sequence[ProductLinks],
) -> list[Linked]:
    if not lines:
        return []
    from pim_connector.akeneo import Refused, Unanswered

    upsert = pim.upsert_products if resource == "product" else pim.upsert_product_models
    outcomes = dict(zip(lines, upsert(list(lines.values())), strict=True))
    if any(isinstance(outcome, Unanswered) for outcome in outcomes.values()):
        raise TransientError("the PIM did not answer for all products whose assets change")
    return [_linked(links, outcomes[links.product], Refused) for links in sent]


def _linked(links: ProductLinks, outcome: Any, refused: type[Any]) -> Linked:
    if not isinstance(outcome, refused):
        return Linked(links=links, state="changed")
    said = "; ".join([outcome.message, *(error.message for error in outcome.errors)])
    return Linked(links=links, state="refused", reason=said)


def _chunks(members: list[ProductLinks]) -> Iterable[list[ProductLinks]]:
    for start in range(0, len(members), LINKS_PER_MESSAGE):
        yield members[start : start + LINKS_PER_MESSAGE]


def _outgoing(message: LinkMessage) -> Outgoing:
    encoded = msgspec.json.encode(message)
    body = encoded if encoded.isascii() else _ascii(encoded)
    digest = blake2b(body, digest_size=20).hexdigest()
    return Outgoing(group=group_id(message.group), deduplication=f"links-{digest}", body=body)


def _ascii(encoded: bytes) -> bytes:
    import json

    return json.dumps(msgspec.json.decode(encoded), separators=(",", ":")).encode("ascii")
