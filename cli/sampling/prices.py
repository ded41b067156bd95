"""Rows that are prices: the amount, the currency, and which kind of price each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cli.sampling.kinds import NOT_MONEY, is_money, kind_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.rows import literal, single_in
from cli.sampling.shapes import Shape, local, row_of
from cli.sampling.wishes import CURRENCY_NAMES, Wish, squashed
from cli.sampling.words import CURRENCY, CURRENCY_SIGNS, tokens

AMOUNTS = frozenset(
    ("price", "amount", "priceamount", "money", "preis", "цена", "ціна", "cena", "prix", "fiyat")
)
MOST_OF_A_PRICE = 6
OWN_CODES = frozenset(("sku", "code", "ean", "gtin", "barcode", "articlenumber", "artnr"))


def price_wishes(shape: Shape, prefixes: Prefixes) -> list[Wish]:
    """One wish per kind of price, where the rows are prices; empty otherwise."""
    if not any(AMOUNTS & {squashed(s.name), *tokens(s.name)} for s in single_in(shape)):
        return []
    rows = [(record, row_of(node, prefixes)) for record, node in shape.nodes]
    single = {s.relative(shape) for s in single_in(shape)}
    leaves = dict.fromkeys(leaf for _, row in rows for leaf in row if leaf in single)
    texts = {leaf: [row[leaf] for _, row in rows if row.get(leaf)] for leaf in leaves}
    amount = next((leaf for leaf in leaves if _is_amount(shape, leaf, texts[leaf])), None)
    if amount is None:
        return []
    currency = next(
        (
            leaf
            for leaf in leaves
            if squashed(local(leaf)) in CURRENCY_NAMES
            and all(CURRENCY.fullmatch(text) or text in CURRENCY_SIGNS for text in texts[leaf])
        ),
        None,
    )
    if not is_money(frozenset(tokens(shape.name))) and _is_article(leaves):
        return []
    sort = next((leaf for leaf in leaves if _is_sort(leaf, texts[leaf])), None)
    wishes = []
    for said in list(dict.fromkeys(texts[sort]))[:12] if sort else [None]:
        quoted = literal(said) if said else None
        each = f"{shape.path}[{sort} = {quoted}]" if quoted else shape.path
        mine = [(p, row) for p, row in rows if sort is None or row.get(sort) == said]
        values = [row[amount] for _, row in mine if row.get(amount)]
        name = f"{shape.name}_{said}" if said and sort else shape.name
        wish = Wish(
            path=each,
            names=(name, shape.name, "price"),
            kind=replace(kind_of("price", values), name="price"),
            values=values,
            rule={"each": each, "from": amount},
            currency=_currency(currency, texts[currency]) if currency else None,
        )
        slots = Counter((record, row.get(currency or "")) for record, row in mine)
        if slots and max(slots.values()) > 1:
            wish.rule["each"] = f"{each}[1]"
            wish.doubts.append("the first of several in a record: choose by a predicate")
        wishes.append(wish)
    return wishes


def _is_article(leaves: Iterable[str]) -> bool:
    """Whether rows with a price are articles themselves, variants say."""
    said = [squashed(local(leaf)) for leaf in leaves]
    return len(said) > MOST_OF_A_PRICE or not OWN_CODES.isdisjoint(said)


def _currency(leaf: str, texts: list[str]) -> dict[str, Any]:
    """The source of a currency; signs and abbreviations go through a map."""
    signs = {text: CURRENCY_SIGNS[text] for text in texts if text in CURRENCY_SIGNS}
    return {"from": leaf, "steps": [{"map": signs, "unknown": "keep"}]} if signs else {"from": leaf}


def _is_amount(shape: Shape, leaf: str, texts: list[str]) -> bool:
    last = local(leaf)
    own = squashed(last) if leaf != "." else squashed(shape.name)
    named = own in AMOUNTS or AMOUNTS.intersection(tokens(last)[:1])
    if not named and not (leaf == "." and is_money(frozenset(tokens(shape.name)))):
        return False
    if NOT_MONEY.intersection(tokens(leaf.rpartition("/")[0])):
        return False
    return bool(texts) and kind_of("price", texts).name == "price"


def _is_sort(leaf: str, texts: list[str]) -> bool:
    words = tokens(local(leaf))
    return (
        bool(words)
        and (words[-1] in ("type", "list", "code", "id", "ids", "purpose") or words[0] == "ид")
        and (0 < len(set(texts)) <= 12 and not all(CURRENCY.fullmatch(text) for text in texts))
    )
