"""From a wish and an attribute to a rule of the mapping, with its doubts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from drafting.attributes import SURE, Proposal
from drafting.rows import literal
from drafting.values import Kind
from drafting.wishes import Wish
from drafting.words import CURRENCY, CURRENCY_SIGNS, unit_of
from drafting.writing import Entry
from pim_connector.akeneo.structure import Attribute, Structure
from pim_connector.mapping.converters import Refusal, to_code
from pim_connector.mapping.language import CodeFormat
from pim_connector.mapping.values import TYPES

LANGUAGES = "languages"
UNITS = "units"
FILE_NAME = r"([^/\\]+?)(?:\.\w+)?(?:\?.*)?$"
GUESSES = {"html": "textarea", "text": None, "url": None, "empty": None}


@dataclass(slots=True)
class Rules:
    """Builds rules; the maps and defaults that they need are noted here."""

    structure: Structure | None
    locale: str
    currency: Any
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    default_locale: bool = False
    default_scope: bool = False

    def entry(self, wish: Wish, code: str, proposal: Proposal | None) -> Entry:
        """The rule for one wish, under an attribute's code (or under its key in a pivot)."""
        attribute = proposal.attribute if proposal else None
        kind = TYPES[attribute.type] if attribute else GUESSES.get(wish.kind.name, wish.kind.name)
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
        entry.doubts += [doubt for doubt in (*wish.doubts, wish.kind.doubt) if doubt]
        _finish(entry, rule, wish, code)
        return entry

    def _place(
        self, rule: dict[str, Any], wish: Wish, attribute: Attribute | None, entry: Entry
    ) -> None:
        """Locale and channel, as the attribute wants them."""
        said = rule.pop("locale", None)
        if attribute is not None and attribute.scopable:
            self.default_scope = True
        if said is not None and (attribute is None or attribute.localizable):
            rule["locale"] = self._locale(said, wish, entry)
        elif said is not None:
            self._one_language(rule, wish, said["from"])
            entry.doubts.append("the attribute has no locale in the PIM: one language of the file")
        elif attribute is not None and attribute.localizable:
            self.default_locale = True

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
        shared = self.maps.setdefault(LANGUAGES, {})
        if said["from"] != "name()" and all(shared.get(k, v) == v for k, v in pairs.items()):
            shared.update(pairs)
            step = {"map": LANGUAGES}
        if lost:
            step["unknown"] = "drop"
            doubt = f"left out, without a locale of its own in the PIM: {', '.join(lost)}"
            entry.doubts.append(doubt)
        return {**said, "steps": [step]}

    def with_plain(self, entry: Entry, plain: Wish) -> Any:
        """A rule for texts in languages, and one for the text that says none beside them."""
        rule = entry.rule
        if not isinstance(rule, dict) or "locale" not in rule or isinstance(rule["locale"], str):
            return rule
        step = rule["locale"]["steps"][0]["map"]
        pairs = self.maps[LANGUAGES] if isinstance(step, str) else step
        said = set(pairs.values())
        known = self.structure.locales if self.structure else None
        free = [self.locale, *(sorted(known) if known else ("en_US", "de_DE"))]
        locale = next((code for code in free if code not in said), None)
        if locale is None:
            return rule
        entry.doubts.append(f"no language says {plain.path}: taken for {locale}")
        return [{"from": plain.path, "locale": locale}, rule]

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
            path = f"{wish.rule['each']}[{where} = {quoted}]"
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
        rows, inner = rule.pop("each"), rule["from"]
        one = best if where == "name()" else f"{rows}[{where} = {literal(best)}][1]"
        rule["from"] = one if inner == "." else f"{one}/{inner}"

    def _several(self, rule: dict[str, Any], wish: Wish, kind: str | None, entry: Entry) -> None:
        """Values that come more than once in a record."""
        if not wish.several or kind in ("asset_collection", "multi_select"):
            return
        if kind in ("image", "file") or wish.kind.name in ("image", "file"):
            rule["from"] = wish.first or f"({rule['from']})[1]"
            entry.doubts.append("the first of several; the others fit an asset collection")
        elif kind in (None, "text", "textarea", "reference_entity_collection"):
            if "each" in rule:
                return
            rule["steps"] = ["distinct", {"join": ", "}]
            entry.doubts.append("several in a record: joined; or choose by a predicate")
        elif wish.unit or wish.currency:
            rule["from"] = wish.first or f"({rule['from']})[1]"
            entry.doubts.append("the first of several: choose by a predicate")
        else:
            rule["steps"] = ["first"]
            entry.doubts.append("the first of several: choose by a predicate")

    def _shape(
        self, rule: dict[str, Any], wish: Wish, kind: str | None, attribute: Attribute | None,
        entry: Entry,
    ) -> None:  # fmt: skip
        steps = rule.setdefault("steps", [])
        if kind in ("number", "price", "metric"):
            steps += _number_steps(wish.kind)
        if kind == "price":
            rule["currency"] = self._currency(rule, wish, entry)
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

    def _currency(self, rule: dict[str, Any], wish: Wish, entry: Entry) -> Any:
        path = str(rule.get("from", "."))
        if wish.currency is not None:
            return wish.currency
        if wish.kind.decorated and wish.kind.words:
            if all(CURRENCY.fullmatch(word) for word in wish.kind.words):
                return {"from": path, "steps": [{"extract": "[A-Z]{3}"}]}
            signs = {word: CURRENCY_SIGNS.get(word, word) for word in wish.kind.words}
            return {"from": path, "steps": [{"extract": r"[^\d\s.,+-]+\.?"}, {"map": signs}]}
        named = CURRENCY.search(" ".join(wish.names).upper().replace("_", " "))
        if named:
            return named[0]
        if isinstance(self.currency, str):
            entry.doubts.append(f"the file does not say the currency: {self.currency}?")
        return self.currency

    def _unit(
        self, rule: dict[str, Any], wish: Wish, attribute: Attribute | None, entry: Entry
    ) -> None:
        units = None
        if attribute is not None and self.structure is not None and attribute.metric_family:
            units = self.structure.units(attribute.metric_family)
        if wish.unit is None and not wish.kind.decorated:
            rule["unit"] = (attribute.default_metric_unit if attribute else None) or "PIECE"
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
        shared = self.maps.setdefault(UNITS, {})
        if all(shared.get(word, unit) == unit for word, unit in pairs.items()):
            shared.update(pairs)
            step = {"map": UNITS}
        if wish.kind.decorated:
            at = {"from": rule.get("from", "."), "steps": [{"extract": r"[^\d\s.,+-]+$"}, step]}
        else:
            at = {**wish.unit, "steps": [step]}
        rule["unit"] = at

    def _options(
        self, rule: dict[str, Any], steps: list[Any], wish: Wish, attribute: Attribute, entry: Entry
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
            rule["labels"] = {self.locale: str(rule.get("from", "."))}
            if known:
                shown = ", ".join(sorted(new)[:5])
                entry.doubts.append(f"options the PIM lacks are created: {len(new)}, say {shown}")


def _option(value: str) -> str | None:
    try:
        return to_code(value, CodeFormat())
    except Refusal:
        return None


def _number_steps(kind: Kind) -> list[Any]:
    form = dict(kind.format or {})
    if kind.decorated:
        form["decoration"] = True
    return [{"number": form}] if form else []


def _finish(entry: Entry, rule: dict[str, Any], wish: Wish, code: str) -> None:
    """In a pivot the key of the file comes first; a lone `from` is written as the XPath itself."""
    if wish.key is not None:
        rule.pop("from", None)
        entry.key = wish.key
        entry.rule = {"attribute": code, **rule} if rule else code
        return
    if rule.get("type") in ("price", "metric") and ("currency" in rule or "unit" in rule):
        del rule["type"]
    entry.rule = rule["from"] if set(rule) == {"from"} else rule
