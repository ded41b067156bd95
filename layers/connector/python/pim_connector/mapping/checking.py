"""A mapping against the PIM's structure: what would be refused, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pim_connector.akeneo.structure import Attribute, Structure
from pim_connector.mapping.compiled import CompiledMapping, CompiledRecord
from pim_connector.mapping.expressions import Reader
from pim_connector.mapping.fields import CompiledField
from pim_connector.mapping.language import Scalar, Source, Step, ValueRule
from pim_connector.mapping.loading import Path, nearest
from pim_connector.mapping.rules import CompiledRule
from pim_connector.mapping.values import TYPES
from pim_connector.mapping.verdicts import family_contradiction, misplaced, variants_of

SAME_SHAPE = {
    frozenset({"text", "textarea"}),
    frozenset({"text", "identifier"}),
    frozenset({"image", "file"}),
}


def check_against(compiled: CompiledMapping, structure: Structure) -> tuple[str, ...]:
    """Everything in a mapping that the PIM's structure contradicts, as `file:line: key: message`.

    What the structure does not know (a resource that was not pulled) is not checked.
    """
    check = _Check(compiled, structure)
    return tuple(compiled.mapping.describe(path, message) for path, message in check.problems())


class _Check:
    def __init__(self, compiled: CompiledMapping, structure: Structure) -> None:
        self.compiled = compiled
        self.structure = structure
        self.file = compiled.mapping.file

    def problems(self) -> Iterator[tuple[Path, str]]:
        main = self.structure.main_identifier
        name = self.file.identifier_attribute
        if main is not None and main.code != name and self.compiled.by_uuid:
            yield ("identifier_attribute",), f"the PIM's main identifier is {main.code}, not {name}"
        yield from self._place(("defaults", "locale"), self.file.defaults.locale, "locale")
        yield from self._place(("defaults", "scope"), self.file.defaults.scope, "channel")
        for record in self.compiled.records.values():
            yield from self._record(record)

    def _record(self, record: CompiledRecord) -> Iterator[tuple[Path, str]]:
        for rule in record.contents.values:
            yield from self._rule(rule)
        for pivot in record.contents.pivots:
            for rule in pivot.rules.values():
                yield from self._rule(rule)
        for field in record.contents.fields:
            yield from self._field(field, ("records", record.name))
        yield from self._whole(record)

    def _whole(self, record: CompiledRecord) -> Iterator[tuple[Path, str]]:
        """Families that contradict, and attributes that another level of the variants has.

        A product without variants may hold attributes that its family lacks; the PIM keeps them.
        """
        said = {f.key[0]: f.reader.constant for f in record.contents.fields if len(f.key) == 1}
        family, variant = said.get("family"), said.get("family_variant")
        place: Path = ("records", record.name)
        if contradiction := family_contradiction(family, variant, self.structure):
            yield (*place, "family"), contradiction
            return
        rules = {rule.attribute: rule for rule in record.contents.values}
        is_model = record.rule.resource == "product_model"
        if is_model or record.parent is not None:
            named = {variant} if variant else () if is_model else self.compiled.named_variants
            variants = variants_of(None if is_model else family, named, self.structure)
            level = (1 if record.parent is not None else 0) if is_model else -1
            by_models = set() if is_model else self._set_by_models()
            for code, message in misplaced(rules, variants, level, self.structure):
                if code not in by_models:  # nothing is lost where the model has the value
                    yield rules[code].path, message

    def _set_by_models(self) -> set[str]:
        return {
            rule.attribute
            for record in self.compiled.records.values()
            if record.rule.resource == "product_model"
            for rule in record.contents.values
        }

    def _field(self, field: CompiledField, place: Path) -> Iterator[tuple[Path, str]]:
        structure, said = self.structure, field.reader.constant
        kind = field.key[0]
        if kind == "family" and said and structure.families is not None:
            yield from self._known(
                (*place, "family"), said, (f.code for f in structure.families), "family"
            )
        if kind == "family_variant" and said and structure.family_variants is not None:
            variants = [variant.code for variant in structure.family_variants]
            yield from self._known((*place, "family_variant"), said, variants, "family variant")
        if len(field.key) == 3 and structure.association_types is not None:
            quantified = kind == "quantified_associations"
            path: Path = (*place, kind, field.key[1])
            codes = [item.code for item in structure.association_types]
            yield from self._known(path, field.key[1], codes, "association type")
            known = structure.association_type(field.key[1])
            if known is not None and known.is_quantified != quantified:
                better = "quantified_associations" if known.is_quantified else "associations"
                yield path, f"this association type belongs under `{better}`"

    def _known(
        self, path: Path, code: str, codes: Iterable[str], what: str
    ) -> Iterator[tuple[Path, str]]:
        known = set(codes)
        if code not in known:
            yield path, f"the PIM has no {what} {code}{nearest(code, known)}"

    def _rule(self, rule: CompiledRule) -> Iterator[tuple[Path, str]]:
        if self.structure.attributes is None:
            return
        attribute = self.structure.attribute(rule.attribute)
        if rule.type == "product_link" and self.structure.has("product_link") is False:
            yield rule.path, f"product links need a SaaS PIM; this is {self.structure.edition}"
            return
        if attribute is None:
            near = nearest(rule.attribute, (item.code for item in self.structure.attributes))
            yield rule.path, f"the PIM has no attribute {rule.attribute}{near}"
            return
        kind = TYPES.get(attribute.type)
        if kind is None:
            yield rule.path, f"attributes of type {attribute.type} cannot be written"
            return
        if rule.type and kind != rule.type and frozenset({kind, rule.type}) not in SAME_SHAPE:
            yield (*rule.path, "type"), f"the PIM says {kind}"
        yield from self._placed(rule, attribute)
        yield from self._measured(rule, attribute, kind)
        yield from self._columns(rule, attribute)

    def _placed(self, rule: CompiledRule, attribute: Attribute) -> Iterator[tuple[Path, str]]:
        defaults = self.file.defaults
        for needed, reader, default, key, what in (
            (attribute.localizable, rule.locale, defaults.locale, "locale", "locale"),
            (attribute.scopable, rule.scope, defaults.scope, "scope", "channel"),
        ):
            if needed and reader is None and default is None:
                yield rule.path, f"the attribute needs a {what}: add `{key}:` here or to `defaults`"
            if not needed and reader is not None:
                yield (*rule.path, key), f"the attribute has no {what} in the PIM; remove the key"
            for code in self._codes(rule, reader, key) if needed else ():
                yield from self._place((*rule.path, key), code, what)

    def _place(self, path: Path, code: str | None, what: str) -> Iterator[tuple[Path, str]]:
        structure = self.structure
        if not code:
            return
        if what == "channel" and structure.channels is not None:
            codes = (channel.code for channel in structure.channels)
            yield from self._known(path, code, codes, "channel")
        if what == "locale" and structure.locales is not None and code not in structure.locales:
            near = nearest(code, structure.locales)
            yield path, f"the locale {code} is not activated in the PIM{near}"

    def _measured(
        self, rule: CompiledRule, attribute: Attribute, kind: str
    ) -> Iterator[tuple[Path, str]]:
        structure = self.structure
        if kind == "metric" and rule.unit is None:
            yield rule.path, "a metric needs a unit: add `unit:`"
        if kind == "price" and rule.currency is None:
            yield rule.path, "a price needs a currency: add `currency:`"
        units = structure.units(attribute.metric_family) if attribute.metric_family else None
        if kind == "metric" and units is not None:
            what = f"{attribute.metric_family} unit"
            for code in self._foreign(self._codes(rule, rule.unit, "unit"), units):
                yield from self._known((*rule.path, "unit"), code, units, what)
        if kind == "price" and structure.currencies is not None:
            for code in self._codes(rule, rule.currency, "currency"):
                if code not in structure.currencies:
                    near = nearest(code, structure.currencies)
                    yield (*rule.path, "currency"), f"the currency {code} is not activated{near}"

    def _foreign(self, codes: list[str], units: frozenset[str]) -> list[str]:
        """The codes that cannot be meant: one map of units may serve attributes of many families.

        So where a map gives some unit of the family, only what no family knows is wrong.
        """
        if not units.intersection(codes):
            return codes
        families = self.structure.measurement_families or ()
        every = units.union(*(self.structure.units(family.code) or () for family in families))
        return [code for code in codes if code not in every]

    def _columns(self, rule: CompiledRule, attribute: Attribute) -> Iterator[tuple[Path, str]]:
        known = [str(column.get("code")) for column in attribute.table_configuration]
        for column in rule.columns if known else ():
            yield from self._known(
                (*rule.path, "columns", column.code), column.code, known, "column"
            )

    def _codes(self, rule: CompiledRule, reader: Reader | None, key: str) -> list[str]:
        """The codes a rule can give: its constant, or what its last map gives."""
        if reader is None:
            return []
        if reader.constant is not None:
            return [reader.constant]
        said = self._said(rule, key)
        last = said.steps[-1] if isinstance(said, Source) and said.steps else None
        if not isinstance(last, Step) or last.map is None:
            return []
        pairs = self.file.maps.get(last.map, {}) if isinstance(last.map, str) else last.map
        given: list[Scalar | None] = [*pairs.values(), last.default]
        return [str(code) for code in dict.fromkeys(given) if code is not None]

    def _said(self, rule: CompiledRule, key: str) -> object:
        """What the mapping file says at a key of a rule (or of the pivot around it)."""
        node: object = self.file
        trail: list[object] = []
        for step in rule.path:
            node = _below(node, step)
            trail.append(node)
        for level in reversed(trail):
            if isinstance(level, ValueRule) and getattr(level, key) is not None:
                return getattr(level, key)
        return None


def _below(node: object, step: str | int) -> object:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int):
        return node[step]
    return getattr(node, str(step), None)
