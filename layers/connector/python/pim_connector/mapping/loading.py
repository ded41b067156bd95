"""Reads a mapping file: YAML with the place of every key, checked against the language's types."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from pim_connector.errors import ConfigurationError
from pim_connector.mapping import language
from pim_connector.mapping.places import Path, Places, YamlError, load_yaml

Problem: TypeAlias = tuple[Path, str]


class MappingError(ConfigurationError):
    """The mapping cannot be used; every problem with file, line, key and what was expected."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Mapping(Struct, frozen=True):
    """A mapping file that is valid by its schema, with the line of every key for later errors.

    `digest` changes with the meaning of the file, not with white space, comments or the order of
    keys where order means nothing; it tells under which mapping a product was sent.
    """

    name: str
    file: language.MappingFile
    places: Places
    digest: str

    def describe(self, path: Path, message: str) -> str:
        """One problem as `file:line: key: message`."""
        return f"{self.name}:{self.places.line(path)}: {dotted(path)}: {message}"


def load_mapping(data: bytes, *, name: str) -> Mapping:
    """Reads and validates a mapping file of at most 2 MB of UTF-8.

    Raises MappingError (a ConfigurationError) that names file, line, key and what was expected.
    """
    try:
        document, places = load_yaml(data)
    except YamlError as error:
        raise MappingError([f"{name}:{error.line}: {error}"]) from error
    try:
        file = msgspec.convert(document, language.MappingFile)
    except msgspec.ValidationError as error:
        path, message = _locate(document, str(error))
        line = places.line(path)
        raise MappingError([f"{name}:{line}: {dotted(path) or 'mapping'}: {message}"]) from error
    digest = hashlib.sha256(msgspec.json.encode(file)).hexdigest()[:16]
    return Mapping(name=name, file=file, places=places, digest=digest)


def dotted(path: Path) -> str:
    """A path as people write it: records.products.values.name[1].from."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _locate(document: object, message: str) -> tuple[Path, str]:
    """The path a message of msgspec speaks of; msgspec hides dictionary keys behind `[...]`."""
    what, _, where = message.partition(" - at `")
    path: list[str | int] = []
    node = document
    for part in re.findall(r"\[\.\.\.\]|\[\d+\]|[^.\[\]$]+", where.rstrip("`")):
        if part == "[...]":
            key = _failing_key(document, tuple(path), message)
            if key is None:
                break
            path.append(key)
        else:
            path.append(int(part[1:-1]) if part.startswith("[") else part)
        node = _at(node, path[-1])
    found = re.search(r"unknown field `(.+?)`", what)
    if found:
        path.append(found.group(1))
        return tuple(path), _unknown_key(found.group(1))
    shown = f", not {node!r}" if isinstance(node, str | int | bool) else ""
    return tuple(path), _in_yaml_words(what) + shown


def _failing_key(document: object, path: Path, message: str) -> str | None:
    parent = document
    for step in path:
        parent = _at(parent, step)
    if not isinstance(parent, dict):
        return None
    for key, value in parent.items():
        try:
            msgspec.convert(_replaced(document, path, {key: value}), language.MappingFile)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return str(key)
    return None


def _replaced(node: object, path: Path, value: object) -> object:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(node, dict):
        return {**node, step: _replaced(node[step], rest, value)}
    if isinstance(node, list) and isinstance(step, int):
        return [_replaced(item, rest, value) if n == step else item for n, item in enumerate(node)]
    return node


def _at(node: object, step: str | int) -> object:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _known_keys() -> set[str]:
    return {
        field.encode_name
        for struct in vars(language).values()
        if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
        for field in (msgspec.structs.fields(struct) if struct is not msgspec.Struct else ())
    }


def _unknown_key(key: str) -> str:
    from difflib import get_close_matches  # only for what is wrong

    near = get_close_matches(key, sorted(_known_keys() - {key}), n=1)
    return "there is no such key here" + (f"; did you mean `{near[0]}`?" if near else "")


def _in_yaml_words(what: str) -> str:
    words = {
        "Expected `object": "expected a block of keys (`object",
        "Expected `array": "expected a list (`array",
        "Object missing required field": "the key is missing:",
    }
    for found, better in words.items():
        if what.startswith(found):
            closing = ")" if "(" in better else ""
            return better + what[len(found) :] + closing
    return what[:1].lower() + what[1:]
