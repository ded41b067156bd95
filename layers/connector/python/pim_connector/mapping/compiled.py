"""A mapping's records, tables and head values, compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from uuid import UUID

from lxml import etree
from msgspec import Struct

from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.context import Evaluate, RowsOf, View, record_node, single_text
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.expressions import Reader
from pim_connector.mapping.fields import CompiledField, Drafts, draft_fields
from pim_connector.mapping.identity import invisible_names, is_spreadsheet_damage, without_invisible
from pim_connector.mapping.language import RecordRule, Spelling
from pim_connector.mapping.loading import Mapping
from pim_connector.mapping.results import FieldError, Filtered, Identity, Mapped, Rejected, Slot
from pim_connector.mapping.rules import (
    CompiledPivot,
    CompiledRule,
    Policy,
    evaluate_rule,
    field_error,
    silence,
)
from pim_connector.mapping.values import Fits
from pim_connector.mapping.xpath import Node, XPathExpression
from pim_connector.records import ElementPath, Row, SourceRecord


class Contents(Struct, frozen=True, kw_only=True):
    """What a record gives beside its identity."""

    fields: tuple[CompiledField, ...]
    values: tuple[CompiledRule, ...]
    pivots: tuple[CompiledPivot, ...]


class CompiledRecord(Struct, frozen=True, kw_only=True):
    """One record rule, compiled, with what must travel with its records.

    `asking` is the part of its contents that looks rows up in tables.
    """

    name: str
    rule: RecordRule
    spelling: Spelling
    path: ElementPath
    within: ElementPath | None
    when: XPathExpression | None
    let: MappingOf[str, Evaluate]
    identifier: Reader | None
    uuid: Reader | None
    root_model: Reader | None
    parent: tuple[Reader, Policy] | None
    contents: Contents
    asking: Contents
    head_names: frozenset[str]
    table_names: frozenset[str]
    sees_ancestors: bool


class CompiledTable(Struct, frozen=True, kw_only=True):
    """A look-up table: where its rows are and how key and columns are read."""

    name: str
    file: str | None
    path: ElementPath
    each: XPathExpression | None
    key: Reader
    columns: MappingOf[str, Reader]
    sees_ancestors: bool


class HeadValue(Struct, frozen=True, kw_only=True):
    """A value of the file's head: the elements it is read from, and how."""

    name: str
    anchors: tuple[ElementPath, ...]
    reader: Reader


# Whose data a record holds, by the mapping and by the PIM's rules for identifiers.


_NOT_IN_IDENTIFIERS = re.compile(r"[,;\r\n]")
_is_usual = re.compile(r"[\w.\-/+]{1,255}", re.ASCII).fullmatch
_is_plain = re.compile(r"[\w.\-/]{1,255}", re.ASCII).fullmatch
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
            return _named(rule.spelling, single_text(reader.evaluate(view, view.record)))
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


def _named(spelling: Spelling, text: str) -> str:
    """Return an identifier or a code as the PIM may see it. Raises Refusal."""
    if _is_plain(text):
        return text
    name = text.strip()
    if spelling.invisible == "strip":
        name = without_invisible(name).strip()
    hidden = invisible_names(name)
    if hidden:
        message = (
            f"an invisible character in it: {', '.join(hidden)}; it would be another product that "
            "looks the same"
        )
        advice = "correct it in the ERP, or say source: {identifiers: {invisible: strip}}"
        raise Refusal(message, name, advice=advice)
    if spelling.spreadsheet_damage == "reject" and is_spreadsheet_damage(name):
        message = "a spreadsheet has written this in place of the identifier"
        advice = (
            "format the column as text before the export is saved; if it is right, say "
            "source: {identifiers: {spreadsheet_damage: allow}}"
        )
        raise Refusal(message, name, advice=advice)
    return name


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


# A compiled mapping: identifies and maps records. Pure; the same record gives the same result.


class CompiledMapping(Struct, kw_only=True):
    """A mapping ready to run. `by_uuid` says that products are addressed by UUID."""

    mapping: Mapping
    records: MappingOf[str, CompiledRecord]
    tables: MappingOf[str, CompiledTable]
    head: MappingOf[str, HeadValue]
    order: HeadValue | None
    exports: HeadValue | None
    by_uuid: bool
    _fits: Fits | None = None
    _parsed: tuple[str, Node] | None = None

    @property
    def digest(self) -> str:
        """The mapping's digest."""
        return self.mapping.digest

    @property
    def attribute_codes(self) -> frozenset[str] | None:
        """The attributes the mapping can fill; None where the file itself names some."""
        pivots = [pivot for record in self.records.values() for pivot in record.contents.pivots]
        if any(pivot.unlisted == "use_key" for pivot in pivots):
            return None
        rules = [rule for record in self.records.values() for rule in record.contents.values]
        rules += [rule for pivot in pivots for rule in pivot.rules.values()]
        return frozenset(rule.attribute for rule in rules)

    def identify(self, record: SourceRecord) -> Identity | Filtered | Rejected:
        """Whose data the record holds, without looking at its values.

        Never raises for bad data; a record of a rule the mapping no longer has is rejected.
        """
        seen = self._open(record)
        return seen if isinstance(seen, Rejected) else identify(*seen)

    def map(
        self, record: SourceRecord, structure: Structure | None
    ) -> Mapped | Filtered | Rejected:
        """The record as the PIM wants it, or all reasons why not.

        Without a structure the mapping's own `type`s decide the shapes, and nothing is checked
        against the PIM. Never raises for bad data.
        """
        seen = self._open(record)
        if isinstance(seen, Rejected):
            return seen
        identity = identify(*seen)
        if isinstance(identity, Filtered):
            return identity
        rule, view = seen
        drafts = Drafts(fits=self._fits_of(structure), refused=rule.rule.refused)
        if isinstance(identity, Rejected):
            drafts.errors.extend(identity.errors)
        _draft_parent(rule, view, drafts)
        self._draft(rule.contents, view, drafts)
        if rule.uuid is not None and rule.identifier is not None:
            self._draft_identifier(rule, view, drafts)
        slots, media = drafts.finish()
        if drafts.errors or isinstance(identity, Rejected):
            return Rejected(errors=tuple(drafts.errors))
        notes = (FieldError(attribute=None, source="code", message=note) for note in view.notes)
        return Mapped(
            resource=identity.resource,
            identifier=identity.identifier,
            family_key=identity.family_key,
            parent=identity.parent,
            uuid=identity.uuid,
            identifier_attribute=self.mapping.file.identifier_attribute,
            slots=slots,
            options=tuple(drafts.options.values()),
            media=media,
            mode=rule.rule.mode,
            refused=rule.rule.refused,
            warnings=(*drafts.warnings, *dict.fromkeys(notes)),
        )

    def rows_used(self, record: SourceRecord, rows: RowsOf) -> None:
        """Asks `rows` for every look-up row that identifying and mapping the record will ask for.

        Whoever hands in `rows` notes what is asked: those rows travel with the record.
        """
        seen = self._open(record, rows)
        if isinstance(seen, Rejected):
            return
        rule, view = seen
        if isinstance(identify(rule, view), Filtered):
            return
        drafts = Drafts(fits=self._fits_of(None), refused="reject")
        self._draft(rule.asking, view, drafts)

    def chosen(self, names: tuple[str, ...], record: SourceRecord, rows: RowsOf) -> str:
        """The first of several rules whose condition the record meets, else the last of them."""
        for name in names[:-1]:
            seen = self._open(record, rows, name)
            if isinstance(seen, Rejected):
                return name
            rule, view = seen
            try:
                if rule.when is None or rule.when.holds(view.record, view):
                    return name
            except Refusal:
                return name
        return names[-1]

    def _draft(self, contents: Contents, view: View, drafts: Drafts) -> None:
        draft_fields(contents.fields, self.by_uuid, view, view.record, drafts)
        for value in contents.values:
            evaluate_rule(value, view, view.record, drafts)
        for pivot in contents.pivots:
            drafts.warnings.extend(pivot.evaluate(view, view.record, drafts))

    def _fits_of(self, structure: Structure | None) -> Fits:
        """The fits under a structure; one structure is in use for many records in a row."""
        if self._fits is None or self._fits.structure is not structure:
            self._fits = Fits(structure, self.mapping.file.defaults)
        return self._fits

    def _draft_identifier(self, rule: CompiledRecord, view: View, drafts: Drafts) -> None:
        """By UUID the identifier is a value: https://api.akeneo.com/concepts/products.html."""
        assert rule.identifier is not None  # noqa: S101 - the caller asked
        identifier = _named(rule.spelling, single_text(rule.identifier.evaluate(view, view.record)))
        if identifier:
            key = ("values", self.mapping.file.identifier_attribute, "", "")
            drafts.fields.append(Slot(key=key, data=identifier, owner="on_change"))

    def _open(
        self, record: SourceRecord, rows: RowsOf | None = None, rule_name: str | None = None
    ) -> tuple[CompiledRecord, View] | Rejected:
        rule = self.records.get(rule_name or record.rule)
        if rule is None:
            return _rejected(f"the mapping has no record rule {record.rule} any more")
        if record.fault:
            return _rejected(record.fault)
        try:
            node = self._node(record.xml)
        except etree.XMLSyntaxError as error:
            return _rejected(f"the record is not XML by itself: {error.msg}")
        return rule, View(record.head, rule.let, node, rows or _carried(record))

    def _node(self, xml: str) -> Node:
        """The record's element; several questions about one record are asked in a row."""
        parsed = self._parsed
        if parsed is None or parsed[0] is not xml:
            parsed = self._parsed = None  # the record before may be large
            parsed = self._parsed = xml, record_node(xml)
        return parsed[1]


def _carried(record: SourceRecord) -> RowsOf:
    def rows(table: str, key: str) -> list[Row]:
        return record.tables.get(table, {}).get(key, [])

    return rows


def _draft_parent(rule: CompiledRecord, view: View, drafts: Drafts) -> None:
    if rule.parent is None:
        return
    reader, policy = rule.parent
    try:
        values = reader.evaluate(view, view.record)
        parent = _named(rule.spelling, single_text(values))
    except Refusal:
        return  # identifying the record has already said so
    asked = silence(policy, bool(values))
    if parent or asked == "clear":
        drafts.fields.append(Slot(key=("parent",), data=parent or None, owner=policy.owner))
    elif asked == "reject":
        message = "there is no value, and the mapping asks for one"
        drafts.errors.append(FieldError(attribute="parent", source=reader.label, message=message))


def _rejected(message: str) -> Rejected:
    return Rejected(errors=(FieldError(attribute=None, source=None, message=message),))
