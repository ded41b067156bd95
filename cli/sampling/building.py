"""From a wish and an attribute to a rule of the mapping, with its doubts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.sampling.draft import Draft, Entry
from cli.sampling.matching import SURE, Proposal
from cli.sampling.rows import literal
from cli.sampling.wishes import Wish
from cli.sampling.words import CURRENCY, CURRENCY_SIGNS, unit_of
from pim_connector.akeneo.structure import Attribute, Structure
from pim_connector.mapping.converters import Refusal, to_code
from pim_connector.mapping.language import CodeFormat
from pim_connector.mapping.values import TYPES

LANGUAGES = "languages"
UNITS = "units"
FILE_NAME = r"([^/\\]+?)(?:\.\w+)?(?:\?.*)?$"
GUESSES = {"html": "textarea", "text": None, "url": None, "empty": None}


@dataclass(slots=True)
class Builder:
    """Builds rules; maps and defaults that they need are noted in the draft."""

    draft: Draft
    structure: Structure | None
    locale: str
    currency: Any
    used_default_locale: bool = False
    used_scope: bool = False
    languages: dict[str, str] = field(default_factory=dict)

    def entry(self, wish: Wish, code: str, proposal: Proposal | None) -> Entry:
        """The rule for one wish, under an attribute's code (or under its key in a pivot)."""
        attribute = proposal.attribute if proposal else None
        kind = TYPES[attribute.type] if attribute else _guess(wish)
        entry = Entry(key=code, rule="", sample=wish.sample, attribute=code)
        rule: dict[str, Any] = dict(wish.rule)
        if proposal and proposal.score < SURE:
            entry.doubts.append(f"by its name {' / '.join(wish.names)} ({proposal.score:.2f})")
        if proposal and proposal.others and proposal.score < 0.95 and wish.kind.name != "image":
            entry.doubts.append(f"or {', '.join(proposal.others)}")
        if kind and (attribute is None or (wish.key is None and kind in ("image", "file"))):
            rule["type"] = kind
        self._place(rule, wish, attribute, entry)
        self._several(rule, wish, kind, entry)
        self._shape(rule, wish, kind, attribute, entry)
        if (
            wish.several
            and "each" in rule
            and wish.languages
            and kind in (None, "text", "textarea")
        ):
            entry.rule = self._joined(wish, rule)
            entry.doubts.append("several in one language: joined")
            return entry
        entry.doubts += [d for d in (*wish.doubts, wish.kind.doubt) if d]
        _finish(entry, rule, wish, code)
        return entry

    def _place(
        self, rule: dict[str, Any], wish: Wish, attribute: Attribute | None, entry: Entry
    ) -> None:
        """Locale and channel, as the attribute wants them."""
        said = rule.pop("locale", None)
        if attribute is not None and attribute.scopable and not self.used_scope:
            self.used_scope = True
        if said is not None and (attribute is None or attribute.localizable):
            rule["locale"] = self._locale(said, wish, entry)
        elif said is not None:
            self._one_language(rule, wish, said["from"])
            entry.doubts.append("the attribute has no locale in the PIM: one language of the file")
        elif attribute is not None and attribute.localizable:
            self.used_default_locale = True

    def _locale(self, said: dict[str, Any], wish: Wish, entry: Entry) -> dict[str, Any]:
        pairs: dict[str, str] = {}
        lost: list[str] = []
        for word, locale in wish.languages.items():
            chosen = self.activated(locale) if locale else self._unsaid(wish, pairs)
            if not locale:
                entry.doubts.append(f"no language says {word}: taken for {chosen}")
            twice = chosen in pairs.values() and not {word, *pairs} & {"x-default"}
            if chosen is None or twice:
                lost.append(word)
            else:
                pairs[word] = chosen
        step: dict[str, Any] = {"map": pairs}
        if said["from"] != "name()":
            if any(self.languages.get(k, v) != v for k, v in pairs.items()):
                step = {"map": pairs}
            else:
                self.languages.update(pairs)
                step = {"map": LANGUAGES}
        if lost:
            step["unknown"] = "drop"
            entry.doubts.append(
                f"left out, without a locale of its own in the PIM: {', '.join(lost)}"
            )
        return {**said, "steps": [step]}

    def _unsaid(self, wish: Wish, pairs: dict[str, str]) -> str | None:
        """The locale of an element that says none beside others that do: not one of theirs."""
        said = {self.activated(locale) for locale in wish.languages.values() if locale}
        said.update(pairs.values())
        known = self.structure.locales if self.structure else None
        others = sorted(known) if known else ["en_US", "de_DE"]
        return next((code for code in (self.locale, *others) if code not in said), None)

    def _joined(self, wish: Wish, rule: dict[str, Any]) -> list[dict[str, Any]]:
        """One rule per language, each with all values of it in one text."""
        where = wish.rule["locale"]["from"]
        rules = []
        for word, said in wish.languages.items():
            locale = self.activated(said or self.locale)
            quoted = literal(word)
            if locale is None or quoted is None:
                continue
            path = f"{wish.path}[{where} = {quoted}]"
            path = path if rule["from"] == "." else f"{path}/{rule['from']}"
            rules.append({"from": path, "steps": ["distinct", {"join": ", "}], "locale": locale})
        return rules

    def activated(self, locale: str) -> str | None:
        """The PIM's locale for one of the file: the same, or another of its language."""
        known = self.structure.locales if self.structure else None
        if known is None or locale in known:
            return locale
        return next((code for code in sorted(known) if code[:2] == locale[:2]), None)

    def _one_language(self, rule: dict[str, Any], wish: Wish, where: str) -> None:
        words = list(wish.languages)
        best = next((w for w in words if wish.languages[w] == self.locale), words[0])
        del rule["each"]
        inner = rule["from"]
        one = best if where == "name()" else f"{wish.path}[{where} = '{best}'][1]"
        rule["from"] = one if inner == "." else f"{one}/{inner}"

    def _several(self, rule: dict[str, Any], wish: Wish, kind: str | None, entry: Entry) -> None:
        """Values that come more than once in a record."""
        if not wish.several or kind in ("asset_collection", "multi_select"):
            return
        if kind in ("image", "file") or wish.kind.name in ("image", "file"):
            rule["from"] = wish.first or f"({rule['from']})[1]"
            entry.doubts.append("the first of several; the others fit an asset collection")
        elif kind in (None, "text", "textarea"):
            if "each" in rule:
                return
            rule["steps"] = ["distinct", {"join": ", "}]
            entry.doubts.append("several in a record: joined; or choose by a predicate")
        else:
            rule["steps"] = ["first"]
            entry.doubts.append("the first of several: choose by a predicate")

    def _shape(
        self,
        rule: dict[str, Any],
        wish: Wish,
        kind: str | None,
        attribute: Attribute | None,
        entry: Entry,
    ) -> None:
        steps = rule.setdefault("steps", [])
        if kind in ("number", "price", "metric"):
            steps += _number_steps(wish)
        if kind == "price":
            rule["currency"] = self._currency(wish, entry)
        elif kind == "metric":
            self._unit(rule, wish, attribute, entry)
        elif kind == "boolean" and wish.kind.format:
            steps.append({"boolean": wish.kind.format})
        elif kind == "date" and wish.kind.format:
            steps.append({"date": wish.kind.format})
        elif kind in ("simple_select", "multi_select") and attribute is not None:
            self._options(rule, steps, wish, attribute, entry)
        elif kind in ("reference_entity", "reference_entity_collection"):
            steps.append("code")
            entry.doubts.append("record codes of the reference entity: do they look like these?")
        elif kind == "asset_collection":
            steps += [{"extract": FILE_NAME}, "code"]
            entry.doubts.append("asset codes made of the names of the files")
        if not steps:
            del rule["steps"]

    def _currency(self, wish: Wish, entry: Entry) -> Any:
        path = str(rule_source(wish))
        if wish.currency is not None:
            return wish.currency
        if wish.kind.decorated and wish.kind.words:
            if all(CURRENCY.fullmatch(word) for word in wish.kind.words):
                return {"from": path, "steps": [{"extract": "[A-Z]{3}"}]}
            signs = {word: CURRENCY_SIGNS.get(word, word) for word in wish.kind.words}
            return {"from": path, "steps": [{"extract": r"[^\d\s.,+-]+\.?"}, {"map": signs}]}
        named = CURRENCY.search(" ".join(wish.names).upper().replace("_", " "))
        if named:
            return named[1]
        if isinstance(self.currency, str):
            entry.doubts.append(f"the file does not say the currency: {self.currency}?")
        return self.currency

    def _unit(
        self, rule: dict[str, Any], wish: Wish, attribute: Attribute | None, entry: Entry
    ) -> None:
        units = self._units(attribute)
        if wish.unit is None and not wish.kind.decorated:
            known = attribute.default_metric_unit if attribute else None
            rule["unit"] = known or "PIECE"
            entry.doubts.append("the file does not say the unit")
            return
        if isinstance(wish.unit, str):
            rule["unit"] = wish.unit
            return
        pairs = {word: unit_of(word) or "" for word in wish.kind.words}
        wrong = [word for word, unit in pairs.items() if not unit or (units and unit not in units)]
        pairs = {word: unit for word, unit in pairs.items() if word not in wrong}
        step: dict[str, Any] = {"map": pairs}
        if wrong:
            entry.doubts.append(f"units without a counterpart: {', '.join(wrong)}")
        if all(
            self.draft.maps.get(UNITS, {}).get(word, unit) == unit for word, unit in pairs.items()
        ):
            self.draft.maps.setdefault(UNITS, {}).update(pairs)
            step = {"map": UNITS}
        if wish.kind.decorated:
            at = {"from": rule_source(wish), "steps": [{"extract": r"[^\d\s.,+-]+$"}, step]}
        else:
            at = {**wish.unit, "steps": [step]}
        rule["unit"] = at

    def _units(self, attribute: Attribute | None) -> frozenset[str] | None:
        if attribute is None or self.structure is None or attribute.metric_family is None:
            return None
        return self.structure.units(attribute.metric_family)

    def _options(
        self,
        rule: dict[str, Any],
        steps: list[Any],
        wish: Wish,
        attribute: Attribute,
        entry: Entry,
    ) -> None:
        known = self.structure.options(attribute.code) if self.structure else None
        folded = {code.casefold() for code in known or ()}
        seen = set(wish.values)
        if known and all(value.casefold() in folded for value in seen):
            return
        steps.append("code")
        new = {code for value in seen if (code := _option(value)) and code not in folded}
        if known is None or new:
            rule["options"] = "create"
            rule["labels"] = {self.locale: rule_source(wish)}
            if known:
                shown = ", ".join(sorted(new)[:5])
                entry.doubts.append(f"options the PIM lacks are created: {len(new)}, say {shown}")


def rule_source(wish: Wish) -> str:
    """The XPath a rule reads; in a pivot that of the pivot, which fills it in later."""
    return str(wish.rule.get("from", "."))


def _option(value: str) -> str | None:
    try:
        return to_code(value, CodeFormat())
    except Refusal:
        return None


def _number_steps(wish: Wish) -> list[Any]:
    form = dict(wish.kind.format or {})
    if wish.kind.decorated:
        form["decoration"] = True
    return [{"number": form}] if form else []


def _guess(wish: Wish) -> str | None:
    return GUESSES.get(wish.kind.name, wish.kind.name)


def _finish(entry: Entry, rule: dict[str, Any], wish: Wish, code: str) -> None:
    """In a pivot the key of the file comes first; a lone `from` is written as the XPath itself."""
    if wish.key is not None:
        rule.pop("from", None)
        entry.key = wish.key
        entry.attribute = code
        entry.rule = {"attribute": code, **rule} if rule else code
        return
    if rule.get("type") in ("price", "metric") and ("currency" in rule or "unit" in rule):
        del rule["type"]
    entry.rule = rule["from"] if set(rule) == {"from"} else rule
