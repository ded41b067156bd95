"""What becomes of a record: identified, filtered, rejected with reasons, or mapped to a product."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from msgspec import Struct

from pim_connector.mapping.language import Mode, Owner, Refused, Resource
from pim_connector.outcomes import Problem

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


class FieldError(Struct, frozen=True, kw_only=True):
    """One reason, in words: the attribute (or field), the expression it was read by, the value.

    `advice` says what to do where that follows from the reason.
    """

    attribute: str | None
    source: str | None
    message: str
    value: str | None = None
    advice: str | None = None


class Identity(Struct, frozen=True, kw_only=True):
    """Whose data a record holds; `family_key` decides the message group.

    The root product model's code where the record says it, else the parent's, else its own.
    `uuid` is set where the mapping addresses products by UUID; `identifier` is then that UUID too.
    """

    resource: Resource
    identifier: str
    family_key: str
    parent: str | None
    uuid: str | None = None


class Filtered(Struct, frozen=True, kw_only=True):
    """The mapping does not want this record."""

    reason: str


class Rejected(Struct, frozen=True, kw_only=True):
    """The record cannot be sent; all its errors, not only the first."""

    errors: tuple[FieldError, ...]


class Slot(Struct, frozen=True, kw_only=True):
    """The smallest thing that is compared, owned and sent by itself.

    `key` is ("values", attribute, locale or "", scope or ""), ("family",), ("family_variant",),
    ("parent",), ("enabled",), ("categories",), ("add_categories",), ("groups",),
    ("associations", type, kind) or ("quantified_associations", type, kind).
    """

    key: tuple[str, ...]
    data: Json
    owner: Owner


class WantedOption(Struct, frozen=True, kw_only=True):
    """A select option the product uses; to be created first where it is missing."""

    attribute: str
    code: str
    labels: dict[str, str]


class Media(Struct, frozen=True, kw_only=True):
    """A file to upload for an image or file attribute: a URL, or a path beside the ERP file.

    Not part of the payload: POST /media-files uploads and links in one go and needs the product
    to exist (https://api.akeneo.com/api-reference.html#post_media_files).
    """

    attribute: str
    locale: str | None
    scope: str | None
    location: str
    owner: Owner


class Mapped(Struct, frozen=True, kw_only=True):
    """A record shaped for the PIM, in slots, with what must be there before it is sent."""

    resource: Resource
    identifier: str
    family_key: str
    parent: str | None
    uuid: str | None = None
    identifier_attribute: str = "sku"
    slots: tuple[Slot, ...]
    options: tuple[WantedOption, ...] = ()
    media: tuple[Media, ...] = ()
    mode: Mode = "create_and_update"
    refused: Refused = "reject"
    warnings: tuple[FieldError, ...] = ()


def payload(mapped: Mapped, slots: Iterable[Slot] | None = None) -> dict[str, Json]:
    """The line of the collection PATCH for all slots of a product, or for a subset of them.

    Shapes: https://api.akeneo.com/concepts/products.html and
    https://api.akeneo.com/documentation/update.html for what a missing key means.
    """
    body: dict[str, Json] = {}
    values: dict[str, list[Json]] = {}
    if mapped.resource == "product_model":
        body["code"] = mapped.identifier
    elif mapped.uuid is not None:
        body["uuid"] = mapped.uuid
    else:
        body["identifier"] = mapped.identifier
    for slot in mapped.slots if slots is None else slots:
        key = slot.key
        if key[0] == "values":
            _, attribute, locale, scope = key
            envelope: Json = {"locale": locale or None, "scope": scope or None, "data": slot.data}
            if attribute in values:
                values[attribute].append(envelope)
            else:
                values[attribute] = [envelope]
        elif len(key) == 3:
            field, link_type, kind = key
            _object_at(_object_at(body, field), link_type)[kind] = slot.data
        else:
            body[key[0]] = slot.data
    if values:
        body["values"] = {**values}
    return body


def _object_at(parent: dict[str, Json], key: str) -> dict[str, Json]:
    found = parent.setdefault(key, {})
    assert isinstance(found, dict)  # noqa: S101 - only this module writes here
    return found


# What a mapping says against a record, in the words of the report.


ADVICE: Final = "correct it in the ERP, or have the mapping changed and replay the record"


def field_problems(errors: Iterable[FieldError]) -> tuple[Problem, ...]:
    """Tell a mapping's errors as reasons, each with what to do about it."""
    return tuple(
        Problem(
            reason=error.message,
            attribute=error.attribute,
            source=error.source,
            value=error.value,
            advice=error.advice or ADVICE,
        )
        for error in errors
    )
