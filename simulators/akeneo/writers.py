"""Who writes, and what becomes of it: a change, a draft, or a refusal.

Source: https://api.akeneo.com/documentation/permissions.html.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from simulators.akeneo.catalog import WITH_OPTIONS
from simulators.akeneo.pim import Pim, Product, ProductModel
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.structure_writes import write_option

T = TypeVar("T", Product, ProductModel)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and what the call asks for besides its body."""

    user: str = ""
    create_missing_options: bool = False
    """SaaS: options of selects that a value names are created."""


ANYBODY = Writer()


def only_proposes(pim: Pim, writer: Writer, stored: Product | ProductModel) -> bool:
    """Whether what this user changes becomes a draft; raises `Refusal` 403 for who only looks.

    Source: https://api.akeneo.com/documentation/permissions.html.
    """
    level = pim.accounts.levels.get(writer.user, "own") if pim.edition.enterprise else "own"
    if level == "view":
        raise Refusal(403, f"You may look at this {_kind(stored)}, and not change it.")
    return level == "edit"


def _kind(entity: Product | ProductModel) -> str:
    return "product" if isinstance(entity, Product) else "product model"


def start_of(pim: Pim, writer: Writer, stored: T) -> T:
    """A copy to work on: of the user's draft, where there is one, or of what is stored."""
    draft = pim.drafts.get(pim.draft_key(writer.user, stored))
    return draft.draft() if isinstance(draft, type(stored)) else stored.draft()


def propose(pim: Pim, writer: Writer, stored: T, wanted: T, body: dict[str, Any]) -> None:
    """Keep the change as the user's draft; raises `Refusal` 403 for what is no value."""
    changed = [
        field
        for field, kept in OWNERS_FIELDS.items()
        if field in body and getattr(stored, kept, None) != getattr(wanted, kept, None)
    ]
    if changed:
        said = "following fields" if len(changed) > 1 else "field"
        raise Refusal(
            403,
            f'You cannot update the {said} "{", ".join(changed)}". '
            f"You should at least own this {_kind(stored)} to do it.",
        )
    if wanted.values != stored.values:
        pim.drafts[pim.draft_key(writer.user, stored)] = wanted


OWNERS_FIELDS = {
    "enabled": "enabled",
    "family": "family",
    "parent": "parent",
    "categories": "categories",
    "add_categories": "categories",
    "remove_categories": "categories",
    "groups": "groups",
    "associations": "associations",
    "quantified_associations": "quantified",
}
"""What only an owner may change: the body's field, and where it is kept."""


def create_options(pim: Pim, values: Any) -> None:
    """Create the options that these values name and that there are not (SaaS only)."""
    for code, entries in values.items() if isinstance(values, dict) else ():
        attribute = pim.catalog.attributes.get(code)
        if attribute is None or attribute.type not in WITH_OPTIONS or not isinstance(entries, list):
            continue
        for entry in entries:
            data = entry.get("data") if isinstance(entry, dict) else None
            for option in data if isinstance(data, list) else [data]:
                if isinstance(option, str) and pim.catalog.option_code(code, option) is None:
                    with suppress(Refusal):
                        write_option(pim, code, option, {"code": option})


def workflow_status(pim: Pim, user: str, entity: Product | ProductModel) -> str:
    """`metadata.workflow_status` of an Enterprise Edition, as this user sees it."""
    if pim.accounts.levels.get(user, "own") == "view":
        return "read_only"
    if pim.draft_key(user, entity) in pim.drafts:
        return "draft_in_progress"
    return "working_copy"
