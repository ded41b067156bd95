"""Whose data a record holds, by the mapping and by the PIM's rules for identifiers."""

from __future__ import annotations

import re
from uuid import UUID

from pim_connector.mapping.compiled import CompiledRecord
from pim_connector.mapping.compiling import Reader
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.result import FieldError, Filtered, Identity, Rejected
from pim_connector.mapping.rules import field_error
from pim_connector.mapping.view import View, single_text

_NOT_IN_IDENTIFIERS = re.compile(r"[,;\r\n]")
_is_usual = re.compile(r"[\w.\-/+]{1,255}", re.ASCII).fullmatch
MAX_IDENTIFIER = 255


def identify(rule: CompiledRecord, view: View) -> Identity | Filtered | Rejected:
    """The identity of the record in view, or why it has none or is not wanted."""
    try:
        if rule.when is not None and not rule.when.holds(view.record, view):
            return Filtered(reason=f"{rule.name}: `when` is false: {rule.when.text}")
    except Refusal as refusal:
        return Rejected(errors=(field_error("when", rule.rule.when, refusal),))
    errors: list[FieldError] = []

    def read(name: str, reader: Reader | None) -> str:
        if reader is None:
            return ""
        try:
            return single_text(reader.evaluate(view, view.record))
        except Refusal as refusal:
            errors.append(field_error(name, reader.label, refusal))
            return ""

    uuid = read("uuid", rule.uuid)
    identifier = read("identifier", rule.identifier)
    parent = read("parent", rule.parent[0] if rule.parent else None)
    root_model = read("root_model", rule.root_model)
    if errors:
        return Rejected(errors=tuple(errors))
    return _concluded(rule, identifier, uuid, parent, root_model)


def _concluded(
    rule: CompiledRecord, identifier: str, uuid: str, parent: str, root_model: str
) -> Identity | Rejected:
    if rule.uuid is not None or not _is_usual(identifier):
        errors = _identity_errors(rule, identifier, uuid)
        if errors:
            return Rejected(errors=tuple(errors))
    name = uuid.lower() if rule.uuid else identifier
    return Identity(
        resource=rule.rule.resource,
        identifier=name,
        family_key=root_model or parent or name,
        parent=parent or None,
        uuid=name if rule.uuid else None,
    )


def _identity_errors(rule: CompiledRecord, identifier: str, uuid: str) -> list[FieldError]:
    """The PIM's rules for identifiers: https://api.akeneo.com/concepts/products.html."""
    errors: list[FieldError] = []

    def say(name: str, reader: Reader, message: str, value: str) -> None:
        error = FieldError(
            attribute=name,
            source=reader.label,
            message=message,
            value=value,
            advice="correct it in the ERP: without it nobody knows whose data this is",
        )
        errors.append(error)

    if rule.uuid is not None:
        try:
            UUID(uuid)
        except ValueError:
            say("uuid", rule.uuid, "not a UUID", uuid)
    if rule.identifier is not None:
        if not identifier and rule.uuid is None:
            say("identifier", rule.identifier, "the record has no identifier", identifier)
        if len(identifier) > MAX_IDENTIFIER:
            say("identifier", rule.identifier, "longer than 255 characters", identifier[:80])
        if _NOT_IN_IDENTIFIERS.search(identifier) or identifier != identifier.strip():
            message = "comma, semicolon, line break or space around it; the PIM refuses that"
            say("identifier", rule.identifier, message, identifier)
    return errors
