"""Rules that read what they cannot see: the records inside their own records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from functools import partial

from msgspec import Struct

from pim_connector.mapping.compiled import (
    CompiledMapping,
    CompiledRecord,
    CompiledTable,
    Contents,
    HeadValue,
)
from pim_connector.mapping.context import Evaluate
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.expressions import Compiler, Usage
from pim_connector.mapping.fields import compile_fields, optional
from pim_connector.mapping.language import FieldRule, RecordRule, Source, Table, ValueRule
from pim_connector.mapping.loading import Mapping, MappingError, Path
from pim_connector.mapping.moments import time_zone
from pim_connector.mapping.rules import compile_pivot, compile_policy, compile_rule
from pim_connector.mapping.xpath import XPathError, element_path, head_anchor
from pim_connector.records import ElementPath

_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")


def _check_nesting(compiler: Compiler) -> None:
    """Names every XPath of a rule that leads to the records of another one inside its own.

    They are left out of its sight unless it says `nested: keep`, so `when: sizes/size` would never
    hold, and a model would go to the rule for products after it without a word. Only XPaths that
    start at the record are looked at: those of rows start elsewhere.
    """
    rules = compiler.mapping.file.records
    inside = {name: [*_inside(rule, rules)] for name, rule in rules.items()}
    for text, place in compiler.expressions:
        name = str(place[1]) if place[0] == "records" else ""
        for other, steps in inside.get(name, ()):
            if _leads_to(text, steps) and _starts_at_record(rules[name], place):
                compiler.problem(
                    place,
                    f"`{steps}` holds the records of `{other}`, which this rule does not see; "
                    f"write `nested: keep` under `{name}` to read them",
                )


def _inside(rule: RecordRule, rules: MappingOf[str, RecordRule]) -> Iterator[tuple[str, str]]:
    """The rules whose records are inside those of a rule, and the steps from one to the other."""
    for name, other in rules.items():
        if rule.nested == "drop" and other.path.startswith(f"{rule.path}/"):
            steps = other.path[len(rule.path) + 1 :]
            if not steps.startswith("/") and "*" not in steps:
                yield name, steps


def _leads_to(text: str, steps: str) -> bool:
    bare = _LITERAL.sub("", text)
    return re.search(rf"(?<![\w.:@/$-]){re.escape(steps)}(?![\w.:(-])", bare) is not None


def _starts_at_record(rule: RecordRule, place: Path) -> bool:
    if place[-1] == "each" or place[2] not in ("values", "pivots", "quantified_associations"):
        return True
    if place[2] != "values":
        return False
    said: object = rule.values[str(place[3])]
    if isinstance(said, list):
        said = said[int(place[4])]
    return getattr(said, "each", None) is None


# From a valid mapping file to a program: every expression compiled, every name resolved.


def compile_mapping(mapping: Mapping) -> CompiledMapping:
    """Compiles all XPaths and steps of a mapping, once.

    Raises MappingError (a ConfigurationError) with every problem found, each with file, line, key
    and what was expected.
    """
    compiler = Compiler(mapping)
    work = _Work(compiler)
    file = mapping.file
    head = {name: work.head_value(name, said) for name, said in file.head.items()}
    order = None if file.source.order is None else work.order(file.source.order)
    exports = file.source.exports
    said_by = None if isinstance(exports, str) else work.exports(exports)
    tables = {name: work.table(name, table) for name, table in file.tables.items()}
    records = {name: work.record(name, rule) for name, rule in file.records.items()}
    work.check_head(head, records)
    work.check_uuids()
    _check_nesting(compiler)
    if compiler.problems:
        raise MappingError(compiler.problems)
    return CompiledMapping(
        mapping=mapping,
        records=records,
        tables=tables,
        head=head,
        order=order,
        exports=said_by,
        by_uuid=any(rule.uuid is not None for rule in file.records.values()),
    )


_COLUMN = re.compile(r"[^\W\d][\w.\-]*")
_NOWHERE = ElementPath("", ())


class _Work(Struct):
    compiler: Compiler

    def path(self, text: str, place: Path) -> ElementPath:
        try:
            return element_path(text, self.compiler.mapping.file.namespaces)
        except XPathError as error:
            self.compiler.problem(place, str(error))
            return _NOWHERE

    def head_value(self, name: str, said: str | Source) -> HeadValue:
        return self._head(name, said, ("head", name))

    def order(self, said: str | Source) -> HeadValue:
        try:
            time_zone(self.compiler.mapping.file.source.time_zone)
        except Refusal as refusal:
            self.compiler.problem(("source", "time_zone"), str(refusal))
        return self._head("order", said, ("source", "order"))

    def exports(self, said: Source) -> HeadValue:
        return self._head("exports", said, ("source", "exports"))

    def _head(self, name: str, said: str | Source, place: Path) -> HeadValue:
        anchors: list[ElementPath] = []
        for text in _xpaths(said):
            try:
                anchors.append(head_anchor(text, self.compiler.mapping.file.namespaces))
            except XPathError as error:
                self.compiler.problem(place, str(error))
        known, self.compiler.known_variables = self.compiler.known_variables, set()
        reader = self.compiler.source(said, place)
        self.compiler.known_variables = known
        return HeadValue(name=name, anchors=tuple(anchors), reader=reader)

    def check_head(self, head: dict[str, HeadValue], records: dict[str, CompiledRecord]) -> None:
        """A head value must not hold the records: it is kept in memory while they stream by."""
        for name, value in head.items():
            for anchor in value.anchors:
                if not anchor.shallow and any(
                    anchor.leads_to(record.path) for record in records.values()
                ):
                    self.compiler.problem(
                        ("head", name),
                        f"{anchor.text} holds the records; write plain steps down to the value",
                    )

    def check_uuids(self) -> None:
        rules = self.compiler.mapping.file.records
        products = {name: rule for name, rule in rules.items() if rule.resource == "product"}
        with_uuid = {name for name, rule in products.items() if rule.uuid is not None}
        if with_uuid and with_uuid != set(products):
            name = sorted(set(products) - with_uuid)[0]
            self.compiler.problem(
                ("records", name), "either all product rules have a `uuid` or none has"
            )

    def table(self, name: str, table: Table) -> CompiledTable:
        place: Path = ("tables", name)
        self.compiler.usage = usage = Usage()
        known, self.compiler.known_variables = self.compiler.known_variables, set()
        each = (
            None if table.each is None else self.compiler.expression(table.each, (*place, "each"))
        )
        compiled = CompiledTable(
            name=name,
            file=table.file,
            path=self.path(table.path, (*place, "path")),
            each=each,
            key=self.compiler.source(table.key, (*place, "key")),
            columns={
                column: self.compiler.source(said, (*place, "columns", column))
                for column, said in table.columns.items()
            },
            sees_ancestors=usage.upward,
        )
        if usage.tables:
            self.compiler.problem(place, "a table cannot look up another table")
        for column in table.columns:
            if not _COLUMN.fullmatch(column):
                message = "a column is read like an element: a letter, then letters, digits, _ - ."
                self.compiler.problem((*place, "columns", column), message)
        self.compiler.known_variables = known
        return compiled

    def record(self, name: str, rule: RecordRule) -> CompiledRecord:
        place: Path = ("records", name)
        compiler = self.compiler
        compiler.usage = usage = Usage()
        head_names = set(compiler.mapping.file.head)
        compiler.known_variables = head_names | set(rule.let)
        self._check_record(rule, place, head_names)
        path = self.path(rule.path, (*place, "path"))
        let, asking_variables = self._let(rule, place, head_names)
        contents, asking = self._contents(rule, place, asking_variables)
        compiled = CompiledRecord(
            name=name,
            rule=rule,
            spelling=compiler.mapping.file.source.identifiers,
            path=path,
            within=self._within(rule, path, place),
            when=None if rule.when is None else compiler.expression(rule.when, (*place, "when")),
            let=let,
            identifier=optional(rule.identifier, (*place, "identifier"), compiler),
            uuid=optional(rule.uuid, (*place, "uuid"), compiler),
            root_model=optional(rule.root_model, (*place, "root_model"), compiler),
            parent=None
            if rule.parent is None
            else (
                compiler.source(rule.parent, (*place, "parent")),
                compile_policy(
                    rule.parent if isinstance(rule.parent, FieldRule) else None, compiler
                ),
            ),
            contents=contents,
            asking=asking,
            head_names=frozenset(usage.variables & head_names - set(rule.let)),
            table_names=frozenset(usage.tables),
            sees_ancestors=usage.upward,
        )
        compiler.known_variables = head_names
        return compiled

    def _let(
        self, rule: RecordRule, place: Path, head_names: set[str]
    ) -> tuple[dict[str, Evaluate], set[str]]:
        """The variables, and the names of those that look rows up.

        Each `let` may use the head and what stands before it, so no circle is possible.
        """
        known, self.compiler.known_variables = self.compiler.known_variables, set(head_names)
        let, asking = {}, set[str]()
        for name, said in rule.let.items():
            compile_ = partial(self.compiler.source, said, (*place, "let", name))
            reader, usage = self.compiler.watched(compile_)
            let[name] = reader.evaluate
            if usage.asks(asking):
                asking.add(name)
            self.compiler.known_variables.add(name)
        self.compiler.known_variables = known
        return let, asking

    def _contents(
        self, rule: RecordRule, place: Path, asking: set[str]
    ) -> tuple[Contents, Contents]:
        """What a rule gives beside the identity, and that part of it that looks rows up."""
        compiler, watched = self.compiler, self.compiler.watched
        fields, usage = watched(lambda: compile_fields(rule, place, compiler))
        values = [
            watched(partial(compile_rule, name, each, (*place, "values", name, *index), compiler))
            for name, said in rule.values.items()
            for each, index in _listed(said)
        ]
        pivots = [
            watched(partial(compile_pivot, pivot, (*place, "pivots", n), compiler))
            for n, pivot in enumerate(rule.pivots)
        ]
        return Contents(
            fields=fields,
            values=tuple(value for value, _ in values),
            pivots=tuple(pivot for pivot, _ in pivots),
        ), Contents(
            fields=fields if usage.asks(asking) else (),
            values=tuple(value for value, usage in values if usage.asks(asking)),
            pivots=tuple(pivot for pivot, usage in pivots if usage.asks(asking)),
        )

    def _within(self, rule: RecordRule, path: ElementPath, place: Path) -> ElementPath | None:
        if rule.within is None:
            return None
        within = self.path(rule.within, (*place, "within"))
        if not within.leads_to(path) or within.steps == path.steps:
            self.compiler.problem((*place, "within"), "expected the path of an ancestor of `path`")
        return within

    def _check_record(self, rule: RecordRule, place: Path, head_names: set[str]) -> None:
        say = self.compiler.problem
        if rule.identifier is None and rule.uuid is None:
            say(place, "the key is missing: `identifier`")
        if rule.resource == "product_model":
            if rule.family_variant is None and rule.mode != "update_only":
                say(place, "the key is missing: `family_variant`; a product model needs one")
            for name in ("uuid", "enabled", "groups"):
                if getattr(rule, name) is not None:
                    say((*place, name), "product models have no such field")
        elif rule.family_variant is not None:
            say((*place, "family_variant"), "only product models have one; products have `parent`")
        if rule.categories is not None and rule.add_categories is not None:
            say((*place, "add_categories"), "use either `categories` or `add_categories`")
        for name in set(rule.let) & head_names:
            say((*place, "let", name), "the head has a value of this name")


def _listed(
    said: str | ValueRule | list[str | ValueRule],
) -> list[tuple[str | ValueRule, Path]]:
    if isinstance(said, list):
        return [(each, (n,)) for n, each in enumerate(said)]
    return [(said, ())]


def _xpaths(said: str | Source) -> list[str]:
    """All absolute expressions a head source reads; steps and constants read nothing."""
    if isinstance(said, str):
        return [said]
    found = [said.from_] if said.from_ is not None else []
    for part in [*(said.first or []), *(said.all or [])]:
        found.extend(_xpaths(part))
    return found
