"""Gathers what rules give into slots; several rules may fill one slot, and must not contradict."""

from __future__ import annotations

from msgspec import Struct, field

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.fits import Fit, Fits
from pim_connector.mapping.language import Missing, Refused
from pim_connector.mapping.result import FieldError, Json, Media, Slot, WantedOption
from pim_connector.mapping.rules import Beside, CompiledRule, field_error, silence
from pim_connector.mapping.view import Value, present
from pim_connector.mapping.wanted import wanted_options


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
            for option in wanted_options(rule.attribute, data, beside):
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
