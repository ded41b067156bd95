"""A draft as YAML with comments, in the order docs/mapping.md teaches."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from cli.sampling.draft import Draft, Entry, Rows

WIDTH = 110
_PLAIN = re.compile(
    r"\.|/?[^\W\d][\w./-]*(?::[\w/][\w./-]*)*|(?:\.\./)+[^\W\d][\w./-]*|[0-9]+[\w.-]*[A-Za-z_][\w.-]*"
)
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


@dataclass(slots=True)
class Written:
    """The text, and which entry each line belongs to."""

    lines: list[str] = field(default_factory=list)
    owners: dict[int, Entry] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def add(self, line: str, entry: Entry | None = None) -> None:
        self.lines.append(line)
        if entry is not None:
            self.owners[len(self.lines)] = entry


def written(draft: Draft) -> Written:
    """The mapping file: what is doubted has `# ?` before it, what is not used is commented out."""
    out = Written()
    out.add("# yaml-language-server: $schema=mapping.schema.json")
    out.add("#")
    for line in draft.about:
        out.add(f"# {line}".rstrip())
    out.add("version: 1")
    _block(out, "namespaces", draft.namespaces)
    _block(out, "file", draft.file)
    _entries(out, "defaults", draft.defaults, 0)
    if draft.identifier_attribute:
        out.add(f"identifier_attribute: {scalar(draft.identifier_attribute)}")
    _entries(out, "head", draft.head, 0)
    if draft.maps:
        out.add("maps:")
        for name, pairs in draft.maps.items():
            out.add(f"  {scalar(name)}: {flow(pairs)}")
    _entries(out, "tables", draft.tables, 0)
    out.add("records:")
    out.add(f"  {scalar(draft.name)}:")
    out.add(f"    path: {scalar(draft.path)}")
    for entry in draft.fields:
        _entry(out, entry, 4)
    _entries(out, "values", draft.values, 4, always=True)
    _pivots(out, draft.pivots)
    if draft.unused:
        out.add("")
        out.add("# Not used:")
        for line in draft.unused:
            out.add(f"# {comment(line)}")
    return out


def _block(out: Written, key: str, pairs: dict[str, str]) -> None:
    if pairs:
        out.add(f"{key}:")
        for name, value in pairs.items():
            out.add(f"  {scalar(name)}: {scalar(value)}")


def _entries(
    out: Written, key: str, entries: list[Entry], indent: int, *, always: bool = False
) -> None:
    if not entries:
        return
    pad = " " * indent
    live = any(not entry.off for entry in entries)
    out.add(f"{pad}{key}:" if live else f"{pad}{key}: {{}}" if always else f"{pad}# {key}:")
    for entry in entries:
        _entry(out, entry, indent + 2)


def _pivots(out: Written, pivots: list[Rows]) -> None:
    if not pivots:
        return
    out.add("    pivots:")
    for rows in pivots:
        for doubt in rows.doubts:
            out.add(f"      # ? {comment(doubt)}")
        mark = "- "
        for key, value in rows.head.items():
            out.add(f"      {mark}{key}: {flow(value)}")
            mark = "  "
        live = any(not entry.off for entry in rows.entries)
        out.add("        attributes:" if live else "        attributes: {}")
        for entry in rows.entries:
            _entry(out, entry, 10)


def _entry(out: Written, entry: Entry, indent: int) -> None:
    pad = " " * indent
    for doubt in entry.doubts:
        out.add(f"{pad}# ? {comment(doubt)}")
    mark = "# " if entry.off else ""
    line = f"{pad}{mark}{scalar(entry.key)}: {flow(entry.rule)}"
    sample = f"  # {comment(entry.sample, 80)}" if entry.sample else ""
    if isinstance(entry.rule, list):
        out.add(f"{pad}{mark}{scalar(entry.key)}:{sample}", entry)
        for rule in entry.rule:
            out.add(f"{pad}{mark}  - {flow(rule)}", entry)
        return
    if len(line) <= WIDTH or not isinstance(entry.rule, dict):
        out.add(line + sample, entry)
        return
    out.add(f"{pad}{mark}{scalar(entry.key)}:{sample}", entry)
    for key, value in entry.rule.items():
        out.add(f"{pad}{mark}  {scalar(key)}: {flow(value)}", entry)


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def _key(name: str) -> str:
    """A key; keys are text, so `true` needs no quotes."""
    return name if name in ("true", "false") else scalar(name)


def scalar(value: str | int | bool) -> str:
    """A text as YAML would read it back: plain where nothing could be mistaken."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return "".join(
        c if c.isprintable() else f"\\U{ord(c):08X}" for c in json.dumps(value, ensure_ascii=False)
    )


def comment(text: str, most: int = 200) -> str:
    """Text that stays in its comment: one line without control characters, cut where too long."""
    line = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"
