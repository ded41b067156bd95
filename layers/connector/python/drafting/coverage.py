"""How much of a sample a draft reads: the leaves of its records that any rule selects."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from drafting.sample import DEFAULT, Element, Names
from drafting.statistics import Place, places_of
from drafting.words import words_of
from drafting.writing import Record

MOST_RECORDS = 60
_NAME = r"[^\W\d][\w.\-]*"
_TOKENS = re.compile(
    rf"""("[^"]*"|'[^']*'|\${_NAME}|{_NAME}\s*::|{_NAME}(?:-{_NAME})?(?=\s*\()|@?{_NAME}:(?:{_NAME}|\*)"""
    rf"""|@{_NAME}|{_NAME})"""
)
_OPERATORS = frozenset(("and", "or", "div", "mod"))
_READ = words_of(
    "from each first all key unit currency locale scope when identifier parent enabled categories "
    "quantity"
)


def leaves_read(
    records: list[tuple[Record, list[Element]]], names: Names, namespaces: dict[str, str],
    tables: dict[str, Any],
) -> tuple[set[str], dict[str, Place]]:  # fmt: skip
    """Paths of the leaves that some live rule selects, and all leaves by path, over all records."""
    read: set[str] = set()
    every: dict[str, Place] = {}
    for record, elements in records:
        sampled = elements[:MOST_RECORDS]
        top = places_of(sampled, names)
        path = str(record.field("path"))
        every.update({_absolute(path, p.path): p for p in top.inside() if p.texts})
        mine = {k: t["columns"] for k, t in tables.items() if t.get("path") == path}
        paths = _Reader(sampled, names, namespaces, mine)
        for entry in record.fields:
            if not entry.off and entry.key not in (
                "path",
                "within",
                "family",
                "nested",
                "resource",
            ):
                paths.note(entry.rule, sampled)
        for entry in record.values:
            if not entry.off:
                paths.note(entry.rule, sampled)
        for rows in record.pivots:
            live = {entry.key: entry.rule for entry in rows.entries if not entry.off}
            if live:
                paths.note({**rows.head, "first": list(live.values())}, sampled)
        read |= {_absolute(path, each) for each in paths.read}
    return read, every


def _absolute(record: str, path: str) -> str:
    """A path from the record as one from the root, so that records inside records are one file."""
    while path.startswith("../") and "/" in record[1:]:
        record, path = record.rpartition("/")[0], path[3:]
    return record if path == "." else f"{record}/{path}"


class _Reader:
    """Follows rules over sampled records and notes which leaves they select."""

    def __init__(
        self, records: list[Element], names: Names, namespaces: dict[str, str],
        tables: dict[str, Any],
    ) -> None:  # fmt: skip
        self._tables = tables
        self.read: set[str] = set()
        self._names = names
        self._inside = set(records)
        self._namespaces = {p: u for p, u in namespaces.items() if p != DEFAULT and u != "*"}
        self._any = {p for p, u in namespaces.items() if u == "*"}
        if namespaces.get(DEFAULT, "*") != "*":
            self._namespaces["d_"] = namespaces[DEFAULT]
        self._has_default = DEFAULT in namespaces

    def note(self, rule: Any, nodes: list[Element]) -> None:
        if isinstance(rule, str):
            self._select(rule, nodes)
        elif isinstance(rule, list):
            for each in rule:
                self.note(each, nodes)
        elif isinstance(rule, dict):
            inner = nodes
            if isinstance(rule.get("each"), str):
                found = self._select(rule["each"], nodes)
                inner = [node for node in found if isinstance(node, etree._Element)]
            elif isinstance(rule.get("each"), dict):
                self.note(rule["each"].get("key"), nodes)
                columns = self._tables.get(rule["each"].get("table"), {})
                named = [columns.get(rule.get(key) if key == "from" else "language")
                         for key in ("from", "locale")]  # fmt: skip
                self.note([each for each in named if each], nodes)
                return
            for key, value in rule.items():
                if key in _READ and key != "each":
                    self.note(value, inner)

    def _select(self, text: str, nodes: list[Element]) -> list[Any]:
        found: list[Any] = []
        try:
            compiled = etree.XPath(self._qualified(text), namespaces=self._namespaces or None)
            variables = dict.fromkeys(re.findall(rf"\$({_NAME})", text), "")
            for node in nodes:
                result = compiled(node, **variables)
                found += result if isinstance(result, list) else []
        except etree.XPathError:
            return found
        for each in found:
            self._note_node(each)
        return found

    def _note_node(self, found: Any) -> None:
        if isinstance(found, etree._Element):
            self.read.add(self._path(found))
        elif getattr(found, "is_attribute", False):
            step = self._names.attribute(str(found.attrname))
            around = self._path(found.getparent())
            self.read.add(step if around == "." else f"{around}/{step}")

    def _path(self, node: Element) -> str:
        steps: list[str] = []
        here: Element | None = node
        while here is not None and here not in self._inside:
            steps.append(self._names.element(here))
            here = here.getparent()
        if here is None:
            return self._from_above(node)
        return "/".join(reversed(steps)) or "."

    def _from_above(self, node: Element) -> str:
        """The path of an element around the records, as the records see it."""
        up, around = "", next(iter(self._inside)).getparent() if self._inside else None
        while around is not None:
            up += "../"
            if around is node:
                return up.rstrip("/")
            if node in set(around.iterdescendants()):
                steps = []
                inner: Element | None = node
                while inner is not None and inner is not around:
                    steps.append(self._names.element(inner))
                    inner = inner.getparent()
                return up + "/".join(reversed(steps))
            around = around.getparent()
        return "?"

    def _qualified(self, text: str) -> str:
        """The expression with a prefix for names that are in the default namespace."""
        if not self._has_default and not self._any:
            return text

        def written(found: re.Match[str]) -> str:
            token = found[0]
            before, after = text[: found.start()].rstrip(), text[found.end() :].lstrip()
            function = after.startswith("(") or "::" in token
            if token[0] in "'\"$" or function or (token in _OPERATORS and before[-1:] not in "/[("):
                return token
            prefix, _, local = token.lstrip("@").rpartition(":")
            if (prefix or DEFAULT) in self._any and not (token[0] == "@" and not prefix):
                at = "@" if token[0] == "@" else ""
                return f"{at}*[local-name()='{local}']"
            plain = prefix or token[0] == "@" or "d_" not in self._namespaces
            return token if plain else f"d_:{token}"

        return _TOKENS.sub(written, text)
