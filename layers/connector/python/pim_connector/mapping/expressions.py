"""Turns the sources of a mapping into functions, once; collects every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.mapping.context import Evaluate, Value, View, present, texts_of
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.language import Source, Step
from pim_connector.mapping.loading import Mapping, Path, nearest
from pim_connector.mapping.steps import (
    OPTIONS_OF,
    VERBS,
    RunStep,
    ancestors_step,
    arithmetic_step,
    boolean_step,
    code_step,
    constant,
    date_step,
    date_step_from,
    extract_step,
    lookup_step,
    map_step,
    no_value_step,
    number_step,
    plain_step,
    scalar_text,
    text_step,
)
from pim_connector.mapping.xpath import (
    DEFAULT,
    Node,
    XPathError,
    XPathExpression,
    compile_xpath,
    element_names,
)

T = TypeVar("T")


class Reader(Struct, frozen=True):
    """A compiled source; errors name it by `label`; `constant` is set where it reads nothing."""

    evaluate: Evaluate
    label: str
    constant: str | None = None
    over_rows: Callable[[View, Node, list[Node]], list[Value]] | None = None


class Usage(Struct):
    """What the sources of one record rule look at; decides what travels with a record."""

    variables: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    upward: bool = False

    def asks(self, asking: set[str]) -> bool:
        """Whether rows are looked up, here or by one of these variables."""
        return bool(self.tables or self.variables & asking)


class Compiler:
    """Compiles sources of one mapping; problems are collected, not raised one by one."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.problems: list[str] = []
        self.expressions: list[tuple[str, Path]] = []
        self.usage = Usage()
        self.known_variables: set[str] = set(mapping.file.head)
        self._row_of: str | None = None

    def watched(self, compile_: Callable[[], T]) -> tuple[T, Usage]:
        """What a part compiles to, and what it alone looks at; that counts for the record, too."""
        whole, self.usage = self.usage, Usage()
        try:
            compiled = compile_()
        finally:
            part, self.usage = self.usage, whole
        whole.variables |= part.variables
        whole.tables |= part.tables
        whole.upward |= part.upward
        return compiled, part

    @contextmanager
    def row_of(self, table: str | None) -> Iterator[None]:
        """Compile what is read from a row of a look-up table: its columns have no namespace."""
        outer, self._row_of = self._row_of, table
        try:
            yield
        finally:
            self._row_of = outer

    def problem(self, path: Path, message: str) -> None:
        """Notes a problem at a key of the mapping file."""
        self.problems.append(self.mapping.describe(path, message))

    def expression(self, text: str, path: Path) -> XPathExpression:
        """A compiled XPath; one that cannot be used is a problem, and selects nothing."""
        namespaces = self.mapping.file.namespaces
        if self._row_of is not None:
            namespaces = {name: uri for name, uri in namespaces.items() if name != DEFAULT}
        try:
            compiled = compile_xpath(text, namespaces)
            if self._row_of is not None:
                for column in element_names(text):
                    self.table_column(self._row_of, column, path)
        except XPathError as error:
            self.problem(path, str(error))
            return XPathExpression(text, frozenset(), False, lambda *_: [], lambda *_: False)
        for name in compiled.variables - self.known_variables:
            self.problem(path, f"${name} is not known{nearest(name, self.known_variables)}")
        self.expressions.append((text, path))
        self.usage.variables |= compiled.variables
        self.usage.upward |= compiled.upward
        return compiled

    def code(self, source: str | Source, path: Path) -> Reader:
        """A source whose bare string is a code of the PIM, not an XPath."""
        if isinstance(source, str):
            if re.search(r"[/@\[\]()$]", source) or source in (".", ".."):
                self.problem(
                    path, f"expected a code; to read it from the file write {{from: {source!r}}}"
                )
            return Reader(lambda *_: [source], repr(source), source)
        return self.source(source, path)

    def source(self, source: str | Source, path: Path) -> Reader:
        """A source whose bare string is an XPath."""
        if isinstance(source, str):
            return self._xpath(Source(from_=source), source, path)
        given = [
            name for name in ("from_", "value", "first", "all") if getattr(source, name) is not None
        ]
        if len(given) != 1:
            names = ", ".join(name.rstrip("_") for name in given) or "none"
            self.problem(path, f"expected exactly one of from, value, first, all; there is {names}")
            return Reader(lambda *_: [], "")
        reader = self._base(source, given[0], path)
        steps = self.steps(source.steps, (*path, "steps"))
        evaluate = _with_steps(reader.evaluate, steps)
        over_rows = _over_rows(reader.evaluate, source.steps, steps)
        if source.when is not None:
            holds = self.expression(source.when, (*path, "when")).holds
            evaluate = _with_condition(evaluate, holds)
        if source.steps or source.when:
            return Reader(evaluate, reader.label, over_rows=None if source.when else over_rows)
        return replace(reader, evaluate=evaluate)

    def _base(self, source: Source, given: str, path: Path) -> Reader:
        if given == "from_":
            return self._xpath(source, source.from_ or "", (*path, "from"))
        if given == "value":
            constants = source.value if isinstance(source.value, list) else [source.value]
            values = [constant(given) for given in constants]
            texts = [scalar_text(given) for given in constants]
            only = texts[0] if len(texts) == 1 else None
            return Reader(lambda *_: [*values], f"value {', '.join(texts)}", only)
        parts = source.first if given == "first" else source.all
        readers = [self.source(part, (*path, given, n)) for n, part in enumerate(parts or [])]
        label = f"{given} of " + ", ".join(reader.label for reader in readers)
        evaluates = [reader.evaluate for reader in readers]
        return Reader(_first(evaluates) if given == "first" else _all(evaluates), label)

    def _xpath(self, source: Source, text: str, path: Path) -> Reader:
        compiled = self.expression(text, path)
        whitespace = source.whitespace or self.mapping.file.defaults.whitespace
        return Reader(texts_of(compiled.select, source.take, whitespace), text)

    def steps(self, steps: Iterable[str | Step], path: Path) -> list[RunStep]:
        """Compiled steps; what cannot be compiled is a problem."""
        compiled: list[RunStep] = []
        steps = _keeping_positions(list(steps))
        for n, step in enumerate(steps):
            place = (*path, n)
            try:
                if isinstance(step, Step):
                    compiled.append(self._step(step, place))
                else:
                    compiled.append(plain_step(step, self.mapping.file.defaults))  # type: ignore[arg-type]
            except Refusal as error:
                self.problem(place, f"{error}: {error.value}")
            except re.error as error:
                self.problem(place, f"not a regular expression: {error}")
        return compiled

    def _step(self, step: Step, path: Path) -> RunStep:
        blank = Step()
        said = [n for n in Step.__struct_fields__ if getattr(step, n) != getattr(blank, n)]
        verbs = [name for name in said if name in VERBS]
        if len(verbs) != 1:
            raise Refusal("expected exactly one step in each entry of the list", ", ".join(said))
        verb = verbs[0]
        stray = set(said) - {verb} - OPTIONS_OF.get(verb, set())
        if stray:
            names = ", ".join(sorted(name.rstrip("_") for name in stray))
            raise Refusal(f"these options do not belong to `{verb}`", names)
        if step.default is not None and step.unknown is not None:
            raise Refusal("use either `default` or `unknown`", verb)
        defaults = self.mapping.file.defaults
        build: dict[str, Callable[[], RunStep]] = {
            "map": lambda: self._map(step, path),
            "lookup": lambda: self._lookup(step, step.lookup, path),
            "ancestors": lambda: self._lookup(step, step.ancestors, path),
            "date": lambda: self._date(step, path),
            "extract": lambda: extract_step(step),
            "no_value": lambda: no_value_step(
                step.no_value if isinstance(step.no_value, list) else [step.no_value or ""],
                defaults.number,
            ),
            "number": lambda: number_step(step.number or defaults.number),
            "boolean": lambda: boolean_step(step.boolean or defaults.boolean),
            "code": lambda: code_step(step.code) if step.code else plain_step("code", defaults),
        }
        if verb in build:
            return build[verb]()
        if verb in ("add", "multiply", "divide", "round"):
            return arithmetic_step(step, defaults.number)
        return text_step(verb, step)

    def _map(self, step: Step, path: Path) -> RunStep:
        if not isinstance(step.map, str):
            return map_step(step.map or {}, step)
        maps = self.mapping.file.maps
        if step.map not in maps:
            self.problem((*path, "map"), f"no such entry of `maps`{nearest(step.map, maps)}")
            return map_step({}, step)
        return map_step(maps[step.map], step)

    def _lookup(self, step: Step, name: str | None, path: Path) -> RunStep:
        self.table_column(name or "", step.column, path)
        return lookup_step(step) if step.lookup else ancestors_step(step)

    def table_column(self, name: str, column: str | None, path: Path) -> None:
        """Checks that the table (and its column) is declared, and notes that it is used."""
        table = self.mapping.file.tables.get(name)
        if table is None:
            self.problem(
                path, f"no such entry of `tables`: {name}{nearest(name, self.mapping.file.tables)}"
            )
            return
        self.usage.tables.add(name)
        if column is not None and column not in table.columns:
            self.problem(
                path, f"the table {name} has no column {column}{nearest(column, table.columns)}"
            )

    def _date(self, step: Step, path: Path) -> RunStep:
        if isinstance(step.date, Source):
            return date_step_from(self.source(step.date, (*path, "date")).evaluate)
        return date_step(step.date or "iso")


def _keeping_positions(steps: list[str | Step]) -> list[str | Step]:
    """Have `split` keep empty parts where an `index` follows, unless it says otherwise."""
    followed = False
    found: list[str | Step] = []
    for step in reversed(steps):
        if isinstance(step, Step) and step.index is not None:
            followed = True
        elif isinstance(step, Step) and step.split is not None and step.keep_empty is None:
            step = msgspec.structs.replace(step, keep_empty=followed or None)  # noqa: PLW2901
        found.append(step)
    return found[::-1]


def _over_rows(
    evaluate: Evaluate, said: Sequence[str | Step], steps: list[RunStep]
) -> Callable[[View, Node, list[Node]], list[Value]] | None:
    """How the values of several rows become one list, where a step makes one value of many."""
    first = next((n for n, step in enumerate(said) if _is_of_lists(step)), None)
    if first is None or len(steps) < len(said):
        return None
    each, whole = _with_steps(evaluate, steps[:first]), steps[first:]

    def over(view: View, node: Node, rows: list[Node]) -> list[Value]:
        values = [value for row in rows for value in each(view, row)]
        for step in whole:
            values = step(values, view, node)
        return values

    return over


def _is_of_lists(step: str | Step) -> bool:
    if isinstance(step, Step):
        return step.join is not None or step.index is not None
    return step in ("first", "last", "sum", "product", "min", "max", "count", "sort")


def _with_steps(evaluate: Evaluate, steps: list[RunStep]) -> Evaluate:
    if not steps:
        return evaluate
    if len(steps) == 1:
        only = steps[0]
        return lambda view, node: only(evaluate(view, node), view, node)

    def run(view: View, node: Node) -> list[Value]:
        values = evaluate(view, node)
        for step in steps:
            values = step(values, view, node)
        return values

    return run


def _with_condition(evaluate: Evaluate, holds: Callable[[Node, View], bool]) -> Evaluate:
    return lambda view, node: evaluate(view, node) if holds(node, view) else []


def _first(evaluates: list[Evaluate]) -> Evaluate:
    def run(view: View, node: Node) -> list[Value]:
        empty: list[Value] = []
        for evaluate in evaluates:
            values = evaluate(view, node)
            if present(values):
                return values
            empty = empty or values
        return empty

    return run


def _all(evaluates: list[Evaluate]) -> Evaluate:
    def run(view: View, node: Node) -> list[Value]:
        return [value for evaluate in evaluates for value in evaluate(view, node)]

    return run
