"""YAML that keeps the line of every key and takes nothing for something else than it is written.

YAML 1.1 reads `NO` as false, `010` as 8 and `12:30` as 750, which are country codes, article
numbers and times in a mapping. Here a plain scalar is true/false, null, a whole number as people
write it, or text; keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TypeAlias

import yaml
from msgspec import Struct

Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 2_000_000
MAX_NODES = 200_000
MAX_DEPTH = 60

_TAG = re.compile("tag:yaml.org,2002:(map|seq|str|int|float|bool|null|timestamp|value|merge)")
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: dict[str, bool | None] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
}


class YamlError(ValueError):
    """Not YAML, or not the part of YAML a mapping needs; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Places(Struct, frozen=True):
    """The line of each key and list entry of the file, by its path."""

    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of the key, or of the nearest one around it that is written in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load_yaml(data: bytes) -> tuple[object, Places]:
    """Dictionaries, lists, text, whole numbers, true/false and null, with their lines.

    Raises YamlError for what is not YAML, repeated keys, tags, and aliases that multiply.
    """
    if len(data) > MAX_BYTES:
        raise YamlError(f"larger than {MAX_BYTES} bytes", 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError("not UTF-8; save the mapping as UTF-8", line) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(
            f"not valid YAML: {error.problem or error.context}", mark.line + 1 if mark else 1
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(f"not valid YAML: {str(error).splitlines()[0]}", 1) from error
    if root is None:
        raise YamlError("the file is empty", 1)
    builder = _Builder()
    return builder.build(root, ()), Places(builder.lines)


class _Builder:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._nodes = 0
        self._merging: list[yaml.Node] = []

    def build(self, node: yaml.Node, path: Path) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise YamlError("too many or too deeply nested keys", line)
        if not _TAG.fullmatch(node.tag):
            raise YamlError(f"tags such as {node.tag} are not used here", line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, n)) for n, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Hashable, object]:
        merged: dict[Hashable, object] = {}
        for key_node, value_node in node.value:
            if key_node.tag.endswith(":merge"):
                merged = {**self._merged(value_node, path), **merged}
        built: dict[Hashable, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError("a key must be plain text", line)
            if key_node.tag.endswith(":merge"):
                continue
            key = _whole_characters(str(key_node.value), line)
            if key in built:
                raise YamlError(f"the key `{key}` is there twice", line)
            self.lines[(*path, key)] = line
            built[key] = self.build(value_node, (*path, key))
        return {**merged, **built}

    def _merged(self, node: yaml.Node, path: Path) -> dict[Hashable, object]:
        """The keys that `<<` brings from elsewhere; those written beside it go before them."""
        line = node.start_mark.line + 1
        merged: dict[Hashable, object] = {}
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(part, yaml.MappingNode) or part in self._merging:
                raise YamlError("`<<` takes the keys of something else: `<<: *name`", line)
            self._merging.append(part)
            merged = {**self._mapping(part, path), **merged}
            self._merging.pop()
        return merged

    def _scalar(self, node: yaml.Node) -> str | int | bool | None:
        text = _whole_characters(str(node.value), node.start_mark.line + 1)
        if getattr(node, "style", None) is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        return int(text) if _INT.fullmatch(text) and text != "-0" else text


def _whole_characters(text: str, line: int) -> str:
    """Text in which a character that JSON escapes as two halves is one character."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise YamlError("half a character is escaped", line) from error
