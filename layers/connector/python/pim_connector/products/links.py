"""Links of products to others that the PIM has not: which slots they are, and what of them can be.

The PIM refuses the whole product, for associations in a sentence without `errors`, so nothing is
read out of its words: the product is sent without its links, and the links when the rest of the
file is through. What is missing even then, the PIM itself is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from pim_connector.mapping.identity import folded
from pim_connector.mapping.results import Slot
from pim_connector.outcomes import Problem
from pim_connector.products.lines import Accepted, Answer, Line, Unknown, is_link
from pim_connector.products.sending import submit

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.mapping.results import Json

KEYS_PER_SEARCH: Final = 100
MOST_SINGLE_READS: Final = 100
"""Products that a list does not show are asked for one by one, as its index lags behind
(https://api.akeneo.com/documentation/troubleshooting.html); but not without end."""
ADVICE: Final = "the link is tried again with the next file; or correct it in the ERP"

Targets = dict[str, set[str]]
"""Identifiers, UUIDs or codes by kind of link: `products`, `product_models`."""


def link_to_what_is_there(pim: AkeneoClient, answers: Sequence[Answer]) -> list[Answer]:
    """Give products that were taken without their links those links whose targets the PIM has.

    The others are left out, each with a problem that names it. Raises what the client raises.
    """
    bare = {a.line.record.number: a for a in answers if isinstance(a, Accepted) and a.line.unlinked}
    known = _known(pim, [a.line for a in bare.values()]) if bare else {}
    fewer = [line for a in bare.values() if (line := with_known_links(a.line, known))]
    again = {a.line.record.number: a for a in (submit(pim, fewer) if fewer else [])}
    return [
        _joined(answer, again.get(answer.line.record.number))
        if answer.line.record.number in bare
        else answer
        for answer in answers
    ]


def with_known_links(line: Line, known: Targets) -> Line | None:
    """Return the line with the links that were left out, but those to `known` only. Pure.

    None where no target is missing: then the PIM refused the links for another reason.
    """
    slots: list[Slot] = []
    problems: list[Problem] = []
    for slot in (slot for slot in line.mapped.slots if is_link(slot.key) and _is_out(slot, line)):
        missing = [t for t in _targets(slot) if not _is_known(slot, t, known)]
        problems += [_problem(slot, target) for target in missing]
        slots.append(Slot(key=slot.key, data=_without(slot, missing), owner=slot.owner))
    if not problems:
        return None
    return replace(line, slots=tuple(slots), whole=False, problems=(*line.problems, *problems))


def _joined(first: Answer, second: Answer | None) -> Answer:
    if isinstance(second, Unknown):
        return second
    if isinstance(second, Accepted) and isinstance(first, Accepted) and not _refused_again(second):
        line = replace(first.line, problems=second.line.problems, unlinked=())
        return replace(first, line=line)
    return first


def _refused_again(second: Accepted) -> bool:
    return not any(is_link(slot.key) for slot in second.line.slots)


def _is_out(slot: Slot, line: Line) -> bool:
    return slot.key in line.left_out


def _known(pim: AkeneoClient, lines: Sequence[Line]) -> Targets:
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines:
        for slot in line.mapped.slots:
            if is_link(slot.key) and _is_out(slot, line):
                wanted[slot.key[2]] |= {folded(t): t for t in _targets(slot)}
    by_uuid, attribute = lines[0].mapped.uuid is not None, lines[0].mapped.identifier_attribute
    found: Targets = {}
    singles = MOST_SINGLE_READS
    for kind in ("products", "product_models"):
        names = wanted[kind]
        found[kind] = set(_listed(pim, kind, sorted(names.values()), by_uuid, attribute))
        for key in sorted(names.keys() - found[kind])[:singles]:
            singles -= 1
            if _single(pim, kind, names[key], by_uuid):
                found[kind].add(key)
    return found


def _listed(
    pim: AkeneoClient, kind: str, names: Sequence[str], by_uuid: bool, attribute: str
) -> Iterator[str]:
    for start in range(0, len(names), KEYS_PER_SEARCH):
        condition = [{"operator": "IN", "value": list(names[start : start + KEYS_PER_SEARCH])}]
        if kind == "product_models":
            models = pim.list_product_models({"identifier": condition})
            yield from (folded(model["code"]) for model in models)
        elif by_uuid:
            products = pim.list_products_uuid({"uuid": condition})
            yield from (folded(product["uuid"]) for product in products)
        else:
            products = pim.list_products({attribute: condition})
            yield from (folded(product["identifier"]) for product in products)


def _single(pim: AkeneoClient, kind: str, name: str, by_uuid: bool) -> bool:
    if kind == "product_models":
        return pim.get_product_model(name) is not None
    return (pim.get_product_uuid(name) if by_uuid else pim.get_product(name)) is not None


def _target(entry: Any) -> str:
    if isinstance(entry, dict):
        return str(entry.get("uuid") or entry.get("identifier"))
    return str(entry)


def _targets(slot: Slot) -> list[str]:
    """Return what a slot links to; groups are no products, and not looked up."""
    if slot.key[2] == "groups" or not isinstance(slot.data, list):
        return []
    return [_target(entry) for entry in slot.data]


def _is_known(slot: Slot, target: str, known: Targets) -> bool:
    return folded(target) in known[slot.key[2]]


def _without(slot: Slot, missing: Sequence[str]) -> Json:
    if not isinstance(slot.data, list):
        return slot.data
    return [entry for entry in slot.data if _target(entry) not in missing]


def _problem(slot: Slot, target: str) -> Problem:
    thing = "product model" if slot.key[2] == "product_models" else "product"
    return Problem(
        reason=f"not linked: the PIM has no {thing} {target}",
        attribute=f"{slot.key[0]} {slot.key[1]}",
        value=target,
        advice=ADVICE,
    )
