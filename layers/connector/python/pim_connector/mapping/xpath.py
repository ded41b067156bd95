"""What a compiled expression selects in a record, and the plain case of it: child elements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isnan
from typing import Protocol, TypeAlias

from lxml import etree
from msgspec import Struct

from pim_connector.mapping.converters import Refusal
from pim_connector.records import ANY, WHATEVER, ElementPath, PathStep

Node: TypeAlias = etree._Element
Selected: TypeAlias = "Node | str"


class Seen(Protocol):
    """The variables of a record by their names, and its children by theirs."""

    def __getitem__(self, name: str, /) -> str: ...

    @property
    def record(self) -> Node: ...

    @property
    def children(self) -> Mapping[str, list[Node]]: ...


Select: TypeAlias = Callable[[Node, Seen], Sequence[Selected]]


def _plain_select(steps: Sequence[str], attribute: str | None) -> Select:
    """Select by child steps and perhaps an attribute at the end, as XPath does.

    Nearly all values of nearly all mappings are read so, hence without XPath. The children of the
    record itself are known by name; of no other element it would pay to sort them.
    """
    if not steps:
        return _itself if attribute is None else _attribute_of_itself(attribute)
    first, *further = steps
    is_name = not first.startswith(WHATEVER)

    def children(node: Node, seen: Seen) -> list[Node]:
        if is_name and node is seen.record:
            return seen.children.get(first, [])
        return [*node.iterchildren(first)]

    if attribute is None and not further:
        return children

    def walk(node: Node, seen: Seen) -> Sequence[Selected]:
        nodes = children(node, seen)
        for step in further:
            nodes = [child for parent in nodes for child in parent.iterchildren(step)]
        if attribute is None:
            return nodes
        return [value for found in nodes if (value := found.get(attribute)) is not None]

    return walk


def _itself(node: Node, _: Seen) -> Sequence[Selected]:
    return [node]


def _attribute_of_itself(name: str) -> Select:
    def select(node: Node, _: Seen) -> Sequence[Selected]:
        value = node.get(name)
        return [] if value is None else [value]

    return select


# XPath 1.0 of the mapping: checked, compiled once, fast where it is plain.


DEFAULT = "default"
"""Prefix in the mapping's `namespaces` that stands for names without prefix."""
ANY_NAMESPACE = "*"
"""Instead of a URI in the mapping's `namespaces`: names of this prefix whatever their namespace."""
_DEFAULT_PREFIX = "pim-connector-default"

_NAME = r"[^\W\d][\w.\-\u00b7]*"
_TOKENS = re.compile(
    rf"""(?P<space>\s+)
    |(?P<literal>"[^"]*"|'[^']*')
    |(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    |(?P<variable>\${_NAME}(?::{_NAME})?)
    |(?P<axis>{_NAME}\s*::)
    |(?P<call>{_NAME}(?::{_NAME})?(?=\s*\())
    |(?P<name>{_NAME}:(?:{_NAME}|\*)|{_NAME})
    |(?P<other>\.\.|//|::|<=|>=|!=|[./@\[\]()|+\-=<>*,])""",
    re.VERBOSE,
)
_OPERATORS = {"and", "or", "div", "mod"}
_RELATIONS = {"<", ">", "<=", ">="}
_UPWARD = {"parent", "ancestor", "ancestor-or-self", "preceding", "following"}
_PLAIN = re.compile(rf"(?:(?:{_NAME}:)?{_NAME}/)*(?:(?:{_NAME}:)?{_NAME}|@(?:{_NAME}:)?{_NAME})")
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class XPathError(ValueError):
    """An XPath that cannot be used; the message says why."""


class XPathExpression(Struct, frozen=True):
    """A compiled expression: what it selects, which variables it needs, whether it looks upward."""

    text: str
    variables: frozenset[str]
    upward: bool
    select: Select
    holds: Callable[[Node, Seen], bool]


def compile_xpath(text: str, namespaces: Mapping[str, str]) -> XPathExpression:
    """Compiles an XPath 1.0 expression; raises XPathError.

    Names without prefix are in the mapping's `default` namespace, if it declares one.
    """
    tokens = _tokens(text)
    variables = frozenset(value[1:] for kind, value in tokens if kind == "variable")
    steps = _plain_steps(text, namespaces)
    if steps is not None:
        select = _plain_select(*steps)
        return XPathExpression(text, variables, False, select, _is_there(select))
    _refuse_unknown_prefixes(tokens, namespaces)
    rewritten = text
    if DEFAULT in namespaces or ANY_NAMESPACE in namespaces.values():
        rewritten = "".join(_rewritten(tokens, namespaces))
    prefixes = {
        _DEFAULT_PREFIX if prefix == DEFAULT else prefix: uri
        for prefix, uri in namespaces.items()
        if uri != ANY_NAMESPACE
    }
    try:
        compiled = etree.XPath(rewritten, namespaces=prefixes or None, smart_strings=False)
    except (etree.XPathSyntaxError, ValueError) as error:
        raise XPathError(f"not an XPath: {error} in `{text}`") from error
    _refuse_unknown_functions(compiled, text, variables)
    try:
        condition = etree.XPath(f"boolean({rewritten})", namespaces=prefixes or None)
    except (etree.XPathSyntaxError, ValueError) as error:
        raise XPathError(f"not an XPath: {error} in `{text}`") from error
    return XPathExpression(
        text,
        variables,
        _looks_upward(tokens),
        _full_select(compiled, variables),
        _truth(condition, variables, _compared_with_numbers(text, tokens, namespaces)),
    )


def _compared_with_numbers(
    text: str, tokens: list[tuple[str, str]], namespaces: Mapping[str, str]
) -> list[XPathExpression]:
    """The paths that an expression compares with a number by <, >, <= or >=."""
    words = [(kind, value) for kind, value in tokens if kind != "space"]
    found = []
    for place, (kind, value) in enumerate(words):
        if kind != "other" or value not in _RELATIONS:
            continue
        if words[place + 1 : place + 2] and words[place + 1][0] == "number":
            found.append("".join(reversed(_operand(words[:place][::-1]))))
        elif place and words[place - 1][0] == "number":
            found.append("".join(_operand(words[place + 1 :])))
    paths = [path for path in found if path and path != text]
    return [compile_xpath(path, namespaces) for path in paths]


def _operand(words: list[tuple[str, str]]) -> list[str]:
    """The words of a plain path, in the order in which they are read away from the operator."""
    path: list[str] = []
    for kind, value in words:
        if kind != "name" and value not in ("/", "@", "."):
            break
        if kind == "name" and (value in _OPERATORS or (path and path[-1] not in ("/", "@"))):
            break
        path.append(value)
    return path


def element_names(text: str) -> list[str]:
    """Return the names of elements without prefix that an expression mentions."""
    return [value for kind, value, is_element in _names(_tokens(text)) if is_element]


def qualified(name: str, namespaces: Mapping[str, str]) -> str:
    """A name of the mapping (`g:id`) as `{uri}id`; without prefix in the default namespace.

    `{*}id` where any namespace will do (or none), which is lxml's notation too.
    """
    prefix, _, local = name.rpartition(":")
    if prefix == "xml":
        return f"{{{XML_NAMESPACE}}}{local}"
    uri = namespaces.get(prefix or DEFAULT)
    if uri is None:
        if prefix:
            raise XPathError(f"the prefix `{prefix}` is not declared under `namespaces`")
        return local
    return f"{{{uri}}}{local}"


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        found = _TOKENS.match(text, place)
        if not found:
            raise XPathError(f"not an XPath: unexpected `{text[place : place + 12]}` in `{text}`")
        tokens.append((str(found.lastgroup), found.group()))
        place = found.end()
    if not any(kind != "space" for kind, _ in tokens):
        raise XPathError("not an XPath: it is empty")
    return tokens


def _rewritten(tokens: list[tuple[str, str]], namespaces: Mapping[str, str]) -> list[str]:
    """The expression with the private prefix before each element name that has none.

    XPath 1.0 has no name in any namespace: such names become a test of the local name.
    """
    written: list[str] = []
    for kind, value, takes_default in _names(tokens):
        prefix, _, local = value.rpartition(":")
        uri = namespaces.get(prefix or DEFAULT) if prefix or takes_default else None
        if kind != "name" or uri is None:
            written.append(value)
        elif uri == ANY_NAMESPACE:
            written.append("*" if local == "*" else f"*[local-name()='{local}']")
        else:
            written.append(value if prefix else f"{_DEFAULT_PREFIX}:{value}")
    return written


def _names(tokens: list[tuple[str, str]]) -> Iterator[tuple[str, str, bool]]:
    """The tokens, and whether each is an element's name that the default namespace is for."""
    before = ("other", "(")
    for kind, value in tokens:
        if kind == "space":
            yield kind, value, False
            continue
        is_operand_place = before[0] in ("other", "axis", "operator") and before[1] not in (
            ")", "]", ".", "..", "*operand",
        )  # fmt: skip
        attribute = before[1] == "@" or (
            before[0] == "axis" and before[1].rstrip(": ") in ("attribute", "namespace")
        )
        token = (kind, value)
        if kind == "name" and not is_operand_place and value in _OPERATORS:
            token = ("operator", value)
        elif value == "*" and is_operand_place:
            token = ("other", "*operand")
        yield token[0], value, token[0] == "name" and ":" not in value and not attribute
        before = token


def _looks_upward(tokens: list[tuple[str, str]]) -> bool:
    before = ""
    for kind, value in tokens:
        if kind == "space":
            continue
        if value == ".." or (kind == "axis" and value.rstrip(": ") in _UPWARD):
            return True
        if value in ("/", "//") and before in ("", "(", "[", "|", ",", "=", "!=", "<", ">", "+"):
            return True
        before = value
    return False


def _refuse_unknown_prefixes(tokens: list[tuple[str, str]], prefixes: Mapping[str, str]) -> None:
    for kind, value in tokens:
        prefix = value.partition(":")[0]
        if kind == "name" and ":" in value and prefix != "xml" and prefix not in prefixes:
            raise XPathError(f"the prefix `{prefix}` is not declared under `namespaces`")


def _refuse_unknown_functions(compiled: etree.XPath, text: str, variables: frozenset[str]) -> None:
    """An unknown function only shows when the expression runs, so it is run once on nothing."""
    try:
        compiled(etree.Element("probe"), **dict.fromkeys(variables, ""))
    except etree.XPathError as error:
        raise XPathError(f"not an XPath: {error} in `{text}`") from error


def _plain_steps(
    text: str, namespaces: Mapping[str, str]
) -> tuple[tuple[str, ...], str | None] | None:
    """Child steps and a final attribute, where the expression is nothing else; None otherwise."""
    if text == ".":
        return (), None
    if not _PLAIN.fullmatch(text):
        return None
    steps = text.split("/")
    attribute = steps.pop()[1:] if steps[-1].startswith("@") else None
    if attribute is not None and ":" in attribute:
        attribute = qualified(attribute, namespaces)
        if attribute.startswith(WHATEVER):
            return None
    return tuple(qualified(step, namespaces) for step in steps), attribute


def _full_select(compiled: etree.XPath, variables: frozenset[str]) -> Select:
    def select(node: Node, values: Seen) -> list[Selected]:
        result = _run(compiled, node, {name: values[name] for name in variables})
        if isinstance(result, list):
            return [item for item in result if isinstance(item, str | etree._Element)]
        if isinstance(result, bool):
            return ["true" if result else "false"]
        if isinstance(result, float):
            return [_number(result)]
        return [str(result)]

    return select


def _number(result: float) -> str:
    if isnan(result):
        return ""
    return str(int(result)) if result.is_integer() else format(result, ".15g")


def _is_there(select: Select) -> Callable[[Node, Seen], bool]:
    return lambda node, values: bool(select(node, values))


def _truth(
    compiled: etree.XPath, variables: frozenset[str], numbers: list[XPathExpression]
) -> Callable[[Node, Seen], bool]:
    def holds(node: Node, values: Seen) -> bool:
        result = bool(_run(compiled, node, {name: values[name] for name in variables}))
        if not result:
            _refuse_texts(numbers, node, values)
        return result

    return holds


def _refuse_texts(numbers: list[XPathExpression], node: Node, values: Seen) -> None:
    """Refuse a comparison that is false only because XPath reads the text as "not a number"."""
    for path in numbers:
        texts = [_text_of(each).strip() for each in path.select(node, values)]
        if texts and not any(_is_xpath_number(text) or not text for text in texts):
            raise Refusal(
                f"`{path.text}` is compared with a number, and this text is none for XPath; "
                f"write `translate({path.text}, ',', '.')` for a decimal comma",
                texts[0],
            )


def _text_of(selected: Selected) -> str:
    return selected if isinstance(selected, str) else "".join(map(str, selected.itertext()))


def _is_xpath_number(text: str) -> bool:
    return re.fullmatch(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", text) is not None


def _run(compiled: etree.XPath, node: Node, values: dict[str, str]) -> object:
    try:
        return compiled(node, **values)
    except (etree.XPathError, ValueError) as error:
        raise Refusal(f"the XPath fails on this record: {error}", compiled.path) from error


# Absolute element paths as the mapping writes them.


_STEP = re.compile(rf"(//?)((?:{_NAME}:)?{_NAME}|\*)(?=/|$|\[)")
_ATTRIBUTE = re.compile(rf"/@(?:{_NAME}:)?{_NAME}")


def element_path(text: str, namespaces: Mapping[str, str]) -> ElementPath:
    """A record, table or `within` path: names and `*` from the root down, `//` for any depth.

    Raises XPathError; conditions belong into `when`.
    """
    path, rest = _leading(text, namespaces)
    if rest:
        raise XPathError(
            f"expected an absolute path of element names such as /catalog/product, not `{text}`; "
            "conditions belong under `when`"
        )
    return path


def head_anchor(text: str, namespaces: Mapping[str, str]) -> ElementPath:
    """The elements that a head expression needs: its plain steps from the root, as far as they go.

    Only the start tag where an attribute follows. Raises XPathError.
    """
    path, rest = _leading(text, namespaces)
    if any(step.deep for step in path.steps):
        raise XPathError("a head value needs its path from the root, without //")
    return ElementPath(path.text, path.steps, shallow=bool(_ATTRIBUTE.fullmatch(rest)))


def _leading(text: str, namespaces: Mapping[str, str]) -> tuple[ElementPath, str]:
    steps: list[PathStep] = []
    place = 0
    while found := _STEP.match(text, place):
        slashes, name = found.groups()
        plain = name if name == ANY else qualified(name, namespaces)
        steps.append(PathStep(plain, deep=slashes == "//"))
        place = found.end()
    if not steps:
        raise XPathError(f"expected an absolute path such as /catalog/product, not `{text}`")
    return ElementPath(text[:place], tuple(steps)), text[place:]
