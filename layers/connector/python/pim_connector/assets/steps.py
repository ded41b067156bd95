"""The ERP mapping's steps on a DAM's values: the one set of converters meets JSON here only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from pim_connector.errors import ConfigurationError
from pim_connector.expressions import as_text
from pim_connector.mapping import language
from pim_connector.mapping.compiling import Compiler
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import PlainStep, Scalar, Step
from pim_connector.mapping.loading import Mapping as MappingFileInPlace
from pim_connector.mapping.loading import dotted
from pim_connector.mapping.places import Path, Places
from pim_connector.mapping.view import Value, View, to_text

Steps = Callable[[list[Any]], list[Any]]
"""Values in, values out. Raises Refusal for a value a step cannot take."""


class _StepCompiler(Compiler):
    """Compiles steps of a DAM source file; those that need an XML file are refused."""

    def __init__(self, where: str, maps: Mapping[str, Mapping[str, Scalar | None]]) -> None:
        file = language.MappingFile(
            version=1, maps={name: dict(pairs) for name, pairs in maps.items()}, records={}
        )
        super().__init__(MappingFileInPlace(name=where, file=file, places=Places({}), digest=""))
        self._where = where

    def problem(self, path: Path, message: str) -> None:
        self.problems.append(f"{self._where}.{dotted(path)}: {message}")

    def _step(self, step: Step, path: Path) -> Any:
        if step.lookup is not None or step.ancestors is not None:
            raise Refusal("needs a table of an ERP file; use `map`", step.lookup or step.ancestors)
        if isinstance(step.date, language.Source):
            raise Refusal("needs an ERP file; write the pattern", "date")
        return super()._step(step, path)


def compile_steps(
    steps: Sequence[PlainStep | Step],
    *,
    where: str,
    maps: Mapping[str, Mapping[str, Scalar | None]],
) -> Steps:
    """Compile the steps of one rule; `where` names file and key.

    Raises ConfigurationError that says all that is wrong with them.
    """
    if not steps:
        return lambda values: values
    compiler = _StepCompiler(where, maps)
    compiled = compiler.steps(steps, ("steps",))
    if compiler.problems:
        raise ConfigurationError("\n".join(compiler.problems))
    node = etree.Element("asset")
    view = View({}, {}, node, lambda *_: [])

    def run(values: list[Any]) -> list[Any]:
        running = [_value(value) for value in values]
        for step in compiled:
            running = step(running, view, node)
        return running

    return run


def word(value: Any) -> str:
    """Write a value of JSON or of a step as text: exact digits, true/false, ISO 8601."""
    return to_text(value) if isinstance(value, Decimal | date) else as_text(value)


def _value(value: Any) -> Value:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    raise Refusal("an object instead of a value; select one of its keys", str(value)[:80])
