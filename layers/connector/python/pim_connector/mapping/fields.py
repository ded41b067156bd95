"""The options of selects that a record needs, and may have created."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from pim_connector.mapping.context import (
    Evaluate,
    Value,
    View,
    present,
    single,
    single_text,
    to_text,
)
from pim_connector.mapping.converters import Refusal, read_boolean
from pim_connector.mapping.expressions import Compiler, Reader
from pim_connector.mapping.language import (
    FieldRule,
    Missing,
    NumberFormat,
    Quantified,
    RecordRule,
    Refused,
    Source,
)
from pim_connector.mapping.loading import Path
from pim_connector.mapping.numbers import read_number
from pim_connector.mapping.results import FieldError, Json, Media, Slot, WantedOption
from pim_connector.mapping.rules import (
    Beside,
    CompiledRule,
    Policy,
    compile_policy,
    compile_rows,
    field_error,
    silence,
)
from pim_connector.mapping.values import Fit, Fits
from pim_connector.mapping.xpath import Node


def _wanted_options(attribute: str, data: Json, beside: Beside) -> list[WantedOption]:
    """The options of a select's `data`; labels are taken in the order of the values."""
    codes = data if isinstance(data, list) else [data]
    wanted = []
    for n, code in enumerate(codes):
        labels = {
            locale: to_text(texts[n])
            for locale, texts in beside.labels.items()
            if n < len(texts) and len(texts) == len(codes) and texts[n] != ""
        }
        wanted.append(WantedOption(attribute=attribute, code=str(code), labels=labels))
    return wanted


# Gathers what rules give into slots; several rules may fill one slot, and must not contradict.


class _Draft(Struct):
    """A slot on its way: what the rules gave, or else what their silence asks for."""

    fit: Fit
    given: list[Json] = []
    silence: Missing = "leave"
    media: Media | None = None

    def fall_silent(self, asked: Missing) -> None:
        """A rule gave nothing; of several that do, the first that asks for something is heard."""
        if asked == "reject" or self.silence == "leave":
            self.silence = asked


class Drafts(Struct, kw_only=True):
    """The slots, options, files, errors and warnings of one record."""

    fits: Fits
    refused: Refused
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[FieldError] = field(default_factory=list)
    options: dict[tuple[str, str], WantedOption] = field(default_factory=dict)
    fields: list[Slot] = field(default_factory=list)
    _drafts: dict[tuple[str, str, str, str], _Draft] = field(default_factory=dict)

    def refuse(self, error: FieldError) -> None:
        """A bad value: an error of the record, or a warning where the mapping drops such values."""
        (self.errors if self.refused == "reject" else self.warnings).append(error)

    def add(self, rule: CompiledRule, values: list[Value], beside: Beside) -> None:
        """What a rule gave in one row."""
        try:
            fit = self.fits[rule, beside.locale, beside.scope]
            draft = self._drafts.get(fit.key)
            if draft is None:
                draft = self._drafts[fit.key] = _Draft(fit)
            found = values if len(values) == 1 and values[0] else present(values)
            if not found and not (beside.columns and _has_row(beside)):
                draft.fall_silent(silence(rule.policy, bool(values or beside.columns)))
                return
            data = fit.shape(found, beside)
        except Refusal as refusal:
            place = ", ".join(part for part in (beside.locale, beside.scope) if part)
            self.refuse(field_error(rule.attribute, rule.reader.label, refusal, place))
            return
        if fit.creates_options:
            for option in _wanted_options(rule.attribute, data, beside):
                self._want(option)
        if draft.fit.is_collection and isinstance(data, list):
            draft.given.extend(data)
        else:
            draft.given.append(data)
        if fit.is_media:
            draft.media = Media(
                attribute=rule.attribute,
                locale=fit.key[2] or None,
                scope=fit.key[3] or None,
                location=str(data),
                owner=fit.owner,
            )

    def _want(self, option: WantedOption) -> None:
        key = (option.attribute, option.code.casefold())
        known = self.options.get(key)
        labels = {**option.labels, **(known.labels if known else {})}
        self.options[key] = WantedOption(
            attribute=option.attribute, code=known.code if known else option.code, labels=labels
        )

    def finish(self) -> tuple[tuple[Slot, ...], tuple[Media, ...]]:
        """All slots, fields first; contradictions and missing values become errors."""
        slots, media = list(self.fields), []
        for key, draft in self._drafts.items():
            given, fit = draft.given, draft.fit
            if len(given) == 1:
                data = given if fit.is_collection else given[0]
            elif not given:
                self._silent(draft, slots)
                continue
            else:
                try:
                    data = _merge(draft)
                except Refusal as refusal:
                    self.refuse(field_error(key[1], fit.label, refusal))
                    continue
            if draft.media is not None:
                media.append(draft.media)
            else:
                slots.append(Slot(key=key, data=data, owner=fit.owner))
        return tuple(slots), tuple(media)

    def _silent(self, draft: _Draft, slots: list[Slot]) -> None:
        fit = draft.fit
        if draft.silence == "reject":
            message = "there is no value, and the mapping asks for one"
            self.refuse(FieldError(attribute=fit.key[1], source=fit.label, message=message))
        elif draft.silence == "clear":
            data: Json = [] if fit.is_collection else None
            slots.append(Slot(key=fit.key, data=data, owner=fit.owner))


def _has_row(beside: Beside) -> bool:
    return any(present(values) for values, _ in beside.columns.values())


def _merge(draft: _Draft) -> Json:
    """What several rules, or one with several rows, gave for one place."""
    key = draft.fit.key
    if not draft.fit.is_collection:
        if any(data != draft.given[0] for data in draft.given):
            values = ", ".join(str(data)[:40] for data in draft.given[:4])
            raise Refusal(f"several values for one place ({_where(key)})", values)
        return draft.given[0]
    distinct: list[Json] = []
    for data in draft.given:
        if data not in distinct:
            distinct.append(data)
    currencies = [
        part["currency"] for part in distinct if isinstance(part, dict) and "currency" in part
    ]
    if len(currencies) != len(set(map(str, currencies))):
        raise Refusal(f"several different prices in one currency ({_where(key)})", str(distinct))
    return distinct


def _where(key: tuple[str, str, str, str]) -> str:
    _, attribute, locale, scope = key
    return " ".join(part for part in (attribute, locale, scope) if part)


# The product's own fields beside its values: family, categories, groups, associations, enabled.


CODES = frozenset({"family", "family_variant"})
LISTS = frozenset({"categories", "add_categories", "groups"})
MAX_QUANTITY = 2_147_483_647


class CompiledField(Struct, frozen=True, kw_only=True):
    """One field: where its data comes from and how it is shaped."""

    key: tuple[str, ...]
    reader: Reader
    policy: Policy
    quantity: Reader | None = None

    @property
    def name(self) -> str:
        return ".".join(self.key)


def compile_fields(rule: RecordRule, path: Path, compiler: Compiler) -> tuple[CompiledField, ...]:
    """All fields that a record rule fills; `parent` is part of the identity and comes with it."""
    compiled = []
    for name in ("family", "family_variant", "categories", "add_categories", "groups"):
        said = getattr(rule, name)
        if said is not None:
            compiled.append(_compile(said, (name,), (*path, name), compiler))
    if rule.enabled is not None:
        enabled = FieldRule(value=rule.enabled) if isinstance(rule.enabled, bool) else rule.enabled
        compiled.append(_compile(enabled, ("enabled",), (*path, "enabled"), compiler))
    for link_type, links in rule.associations.items():
        for kind in ("products", "product_models", "groups"):
            said = getattr(links, kind)
            if said is not None:
                key = ("associations", link_type, kind)
                compiled.append(_compile(said, key, (*path, *key), compiler))
    for link_type, quantified in rule.quantified_associations.items():
        for kind in ("products", "product_models"):
            said = getattr(quantified, kind)
            if said is not None:
                key = ("quantified_associations", link_type, kind)
                compiled.append(_compile_quantified(said, key, (*path, *key), compiler))
    return tuple(compiled)


def _compile(
    said: str | FieldRule, key: tuple[str, ...], path: Path, compiler: Compiler
) -> CompiledField:
    reader = compiler.code(said, path) if key[0] in CODES else compiler.source(said, path)
    rule = said if isinstance(said, FieldRule) else None
    return CompiledField(key=key, reader=reader, policy=compile_policy(rule, compiler))


def _compile_quantified(
    said: Quantified, key: tuple[str, ...], path: Path, compiler: Compiler
) -> CompiledField:
    rows = compile_rows(said.each, (*path, "each"), compiler)
    target = compiler.source(said, path)
    quantity = compiler.source(said.quantity, (*path, "quantity"))

    def on_rows(evaluate: Evaluate) -> Evaluate:
        def run(view: View, node: Node) -> list[Value]:
            return [single_text(evaluate(view, row)) for row in rows(view, node)]

        return run

    policy = compile_policy(FieldRule(owner=said.owner), compiler)
    return CompiledField(
        key=key,
        reader=Reader(on_rows(target.evaluate), target.label),
        policy=policy,
        quantity=Reader(on_rows(quantity.evaluate), quantity.label),
    )


def draft_fields(
    fields: tuple[CompiledField, ...], by_uuid: bool, view: View, node: Node, drafts: Drafts
) -> None:
    """Adds the slots of the fields to the drafts; what cannot be read is an error of the record."""
    for compiled in fields:
        try:
            values = compiled.reader.evaluate(view, node)
            if present(values):
                data = _data(compiled, values, by_uuid, view, node, drafts)
                drafts.fields.append(Slot(key=compiled.key, data=data, owner=compiled.policy.owner))
                continue
            asked = silence(compiled.policy, bool(values))
            if asked == "reject":
                raise Refusal("there is no value, and the mapping asks for one")
            if asked == "clear" and compiled.key != ("enabled",):
                nothing: Json = None if compiled.key[0] in CODES else []
                slot = Slot(key=compiled.key, data=nothing, owner=compiled.policy.owner)
                drafts.fields.append(slot)
        except Refusal as refusal:
            drafts.errors.append(field_error(compiled.name, compiled.reader.label, refusal))


def _data(
    compiled: CompiledField,
    values: list[Value],
    by_uuid: bool,
    view: View,
    node: Node,
    drafts: Drafts,
) -> Json:
    if compiled.key == ("enabled",):
        said = single(values)
        if isinstance(said, bool):
            return said
        return read_boolean("" if said is None else to_text(said), drafts.fits.defaults.boolean)
    if compiled.quantity is not None:
        quantities = compiled.quantity.evaluate(view, node)
        id_key = "uuid" if by_uuid and compiled.key[2] == "products" else "identifier"
        return _quantified(values, quantities, id_key)
    if compiled.key[0] in CODES:
        return single_text(values)
    return [*dict.fromkeys(to_text(value) for value in present(values))]


def _quantified(values: list[Value], quantities: list[Value], id_key: str) -> Json:
    """One link per target, whole quantities (https://api.akeneo.com/concepts/products.html)."""
    links: dict[str, Json] = {}
    for target, quantity in zip(values, quantities, strict=True):
        if target == "":
            continue
        number = quantity if isinstance(quantity, Decimal) else _quantity(to_text(quantity))
        if number != number.to_integral_value() or not 1 <= number <= MAX_QUANTITY:
            raise Refusal(f"a quantity is a whole number from 1 to {MAX_QUANTITY}", str(quantity))
        code = to_text(target)
        if code in links and links[code] != int(number):
            raise Refusal("two quantities for one product", code)
        links[code] = int(number)
    return [{id_key: code, "quantity": quantity} for code, quantity in links.items()]


def _quantity(text: str) -> Decimal:
    return read_number(text, NumberFormat())


def optional(source: str | Source | None, path: Path, compiler: Compiler) -> Reader | None:
    """A source that need not be there."""
    return None if source is None else compiler.source(source, path)


def missing(name: str, message: str, label: str | None = None) -> FieldError:
    """An error of a field that every record needs."""
    return FieldError(attribute=name, source=label, message=message)
