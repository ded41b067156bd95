"""What somebody may have meant who wrote a name that nobody knows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias

import msgspec
import yaml
from msgspec import Struct

from pim_connector.errors import ConfigurationError
from pim_connector.mapping import language


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?`, where something near is known."""
    from difflib import get_close_matches  # only where something is wrong

    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


# YAML that keeps the line of every key and takes nothing for something else than it is written.
#
# YAML 1.1 reads `NO` as false, `010` as 8 and `12:30` as 750, which are country codes, article
# numbers and times in a mapping. Here a plain scalar is true/false, null, a whole number as people
# write it, or text; keys are always text.


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
        line = mark.line if mark else 0
        way_out = _unquoted_xpath(text, line)
        raise YamlError(
            f"not valid YAML: {error.problem or error.context}{way_out}", line + 1
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(f"not valid YAML: {str(error).splitlines()[0]}", 1) from error
    if root is None:
        raise YamlError("the file is empty", 1)
    builder = _Builder()
    return builder.build(root, ()), Places(builder.lines)


def _unquoted_xpath(text: str, line: int) -> str:
    """What to do where YAML trips over a character that XPath uses."""
    lines = text.splitlines()[max(0, line - 1) : line + 1]
    if not any(re.search(r"@|[\[\]{}]|(^|\s)//?\w|: *\*", each) for each in lines):
        return ""
    return (
        "; put an XPath that has @ at its beginning, or [ ] { } , inside of braces, in quotes: "
        """`{from: "param[@name='colour']"}`"""
    )


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


# Reads a mapping file: YAML with the place of every key, checked against the language's types.


Problem: TypeAlias = tuple[Path, str]


MOST_PROBLEMS = 50
OTHER_WORDS = {
    "trim": "strip",
    "trimmed": "strip",
    "uppercase": "upper",
    "upcase": "upper",
    "lowercase": "lower",
    "downcase": "lower",
    "int": "number",
    "integer": "number",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "unique": "distinct",
    "dedupe": "distinct",
    "striptags": "strip_tags",
    "html": "strip_tags",
    "datetime": "date",
    "len": "count",
    "length": "count",
    "slug": "code",
}
"""What other tools call the steps of this language."""


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
        raise MappingError(
            [
                f"{name}:{places.line(path)}: {dotted(path) or 'mapping'}: {message}"
                for path, message in sorted(
                    _schema_problems(document), key=lambda problem: places.line(problem[0])
                )
            ]
        ) from error
    digest = hashlib.sha256(msgspec.json.encode(file)).hexdigest()[:16]
    return Mapping(name=name, file=file, places=places, digest=digest)


def dotted(path: Path) -> str:
    """A path as people write it: records.products.values.name[1].from."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _schema_problems(document: object) -> list[Problem]:
    """Every place that the schema refuses: msgspec names one, so it is left out and tried again."""
    problems: list[Problem] = []
    while len(problems) < MOST_PROBLEMS:
        try:
            msgspec.convert(document, language.MappingFile)
        except msgspec.ValidationError as error:
            path, message = _locate(document, str(error))
            left_out = {str(known[-1]) for known, _ in problems if known[:-1] == path}
            if any(path == known for known, _ in problems) or any(
                message.endswith(f"`{name}`") for name in left_out
            ):
                break
            problems.append((path, message))
            if not path or _at_path(document, path) is None:
                break
            document = _without(document, path)
        else:
            break
    return problems


def _at_path(node: object, path: Path) -> object:
    for step in path:
        node = _at(node, step)
    return node


def _without(node: object, path: Path) -> object:
    step, rest = path[0], path[1:]
    if isinstance(node, dict):
        if not rest:
            return {key: value for key, value in node.items() if key != step}
        return {**node, step: _without(node[step], rest)}
    if isinstance(node, list) and isinstance(step, int):
        each = node[step]
        inner = [_without(each, rest)] if rest else []
        return [*node[:step], *inner, *node[step + 1 :]]
    return node


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
    if what.startswith("Invalid enum value"):
        return tuple(path), _unknown_word(node)
    if what.startswith("Expected `array`") and path and path[-1] == "steps":
        return tuple(path), f"expected a list, such as [strip], not {node!r}"
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


def _unknown_word(word: object) -> str:
    """Name the word that the language has for one that it has not."""
    from difflib import get_close_matches  # only for what is wrong

    words = {each for known in vars(language).values() for each in _words_of(known)}
    near = OTHER_WORDS.get(str(word)) or next(
        iter(get_close_matches(str(word), sorted(words), n=1)), None
    )
    return f"invalid value {word!r}" + (f"; did you mean `{near}`?" if near else "")


def _words_of(known: object) -> list[str]:
    import typing

    if typing.get_origin(known) is not typing.Literal:
        return []
    return [str(word) for word in typing.get_args(known)]


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
