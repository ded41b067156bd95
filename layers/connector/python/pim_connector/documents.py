"""YAML documents that people write, as typed data, with errors that name file, line and key.

The ERP mapping and the DAM sources are both read here: one loader, one way to be told what is
wrong. Only plain data is constructed (no tags, no objects), a key written twice is an error, and
an ISO date stays the text it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import yaml

from pim_connector.errors import ConfigurationError

T = TypeVar("T")

LONGEST_BYTES = 1_000_000
"""A configuration file is written by hand; what is longer is something else."""
DEEPEST = 50
MOST_VALUES = 100_000
"""Aliases of aliases can make a small file unfold into an endless one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML document's plain data and the line, 1-based, on which each of its keys stands."""

    name: str
    data: Any
    lines: dict[tuple[str | int, ...], int]

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """Give the line of `path`, or of the nearest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: tuple[str | int, ...], problem: str) -> ConfigurationError:
        """Make the error that tells a person where to look: file, line, key, problem."""
        key = ".".join(str(part) for part in path)
        where = f"{self.name}, line {self.line_of(path)}"
        return ConfigurationError(f"{where}, {key}: {problem}" if key else f"{where}: {problem}")


def read_document(content: bytes, *, name: str) -> Document:
    """Read one YAML document. ConfigurationError says file, line and column of what is wrong."""
    if len(content) > LONGEST_BYTES:
        raise ConfigurationError(
            f"{name}: {len(content)} bytes; a configuration file may have {LONGEST_BYTES}"
        )
    try:
        node = yaml.compose(content.decode("utf-8-sig"), Loader=_PlainLoader)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{name}: not UTF-8 at byte {error.start}; save the file as UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{name}{where}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name}: not YAML: {error}") from error
    if node is None:
        raise ConfigurationError(f"{name}, line 1: the file is empty")
    lines: dict[tuple[str | int, ...], int] = {}
    data = _plain(node, (), lines, name)
    return Document(name=name, data=data, lines=lines)


def decode_document(document: Document, type_: type[T]) -> T:
    """Convert a document to `type_`; ConfigurationError names file, line, key, what was expected."""
    try:
        return msgspec.convert(document.data, type_)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        path = _path(where.rstrip("`"), document.data)
        unknown = re.search(r"unknown field `([^`]*)`", message)
        if unknown:
            path = (*path, unknown.group(1))
            message = "no such key here; look for a typing error, or see the JSON Schema"
        raise document.error(path, message[:1].lower() + message[1:]) from error


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that leaves dates as text and reads yes/no/on/off as the words they are."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _plain(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(lines) > MOST_VALUES:
        raise ConfigurationError(f"{name}: unfolds to more than {MOST_VALUES} values")
    if len(path) > DEEPEST:
        raise ConfigurationError(
            f"{name}, line {node.start_mark.line + 1}: nested deeper than {DEEPEST} levels"
        )
    if isinstance(node, yaml.MappingNode):
        return _plain_mapping(node, path, lines, name)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, name) for i, item in enumerate(node.value)]
    try:
        constructor = _PlainLoader("")
        return constructor.construct_object(node)  # type: ignore[no-untyped-call]  # as above
    except (yaml.YAMLError, ValueError) as error:
        reason = getattr(error, "problem", None) or str(error)
        raise ConfigurationError(f"{name}, line {node.start_mark.line + 1}: {reason}") from error


def _plain_mapping(
    node: yaml.MappingNode,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigurationError(f"{name}, line {line}: a key must be a plain word")
        key = key_node.value
        if key in found:
            first = lines[(*path, key)]
            raise ConfigurationError(
                f"{name}, line {line}, {key}: written twice (first on line {first}); remove one"
            )
        lines[(*path, key)] = line
        found[key] = _plain(value_node, (*path, key), lines, name)
    return found


def _path(where: str, data: Any) -> tuple[str | int, ...]:
    """Turn msgspec's `$.list.params[...]` into keys; `[...]` is any key, so the walk ends there."""
    path: list[str | int] = []
    for dotted, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", where):
        if index == "...":
            break
        path.append(dotted or int(index))
    return tuple(path) if data is not None else ()
