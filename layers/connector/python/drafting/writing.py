"""A mapping on its way, and the file it becomes: rules with what is doubted about each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

WIDTH = 110
_PLAIN = re.compile(
    r"\.|/?[^\W\d][\w./-]*(?::[\w/][\w./-]*)*|(?:\.\./)+[^\W\d][\w./-]*|[0-9]+[\w.-]*[A-Za-z_][\w.-]*"
)
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """One key of the mapping and its rule; what is `off` is written as a comment."""

    key: str
    rule: Any
    sample: str = ""
    doubts: list[str] = field(default_factory=list)
    off: bool = False
    attribute: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Rows:
    """A pivot on its way: its own keys, and one entry per key of the file."""

    head: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """One record rule; `off` turns all of it into a comment."""

    name: str
    fields: list[Entry] = field(default_factory=list)
    values: list[Entry] = field(default_factory=list)
    pivots: list[Rows] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    off: bool = False

    def entries(self) -> Iterator[Entry]:
        """Everything that may turn out wrong when it is tried."""
        yield from self.fields
        yield from self.values
        for rows in self.pivots:
            yield from rows.entries

    def field(self, key: str) -> Any:
        """The rule of one of its fields; None where it has none."""
        return next((entry.rule for entry in self.fields if entry.key == key), None)


@dataclass(slots=True, kw_only=True)
class Draft:
    """The whole mapping: sections above the records, the records, and what nothing reads."""

    about: list[str] = field(default_factory=list)
    sections: dict[str, list[Entry]] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def entries(self) -> Iterator[Entry]:
        for entries in self.sections.values():
            yield from entries
        for record in self.records:
            yield from record.entries()


@dataclass(slots=True)
class Written:
    """The text, and which entry each line belongs to."""

    lines: list[str] = field(default_factory=list)
    owners: dict[int, Entry | Record] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def add(self, line: str, entry: Entry | Record | None = None) -> None:
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
    for name, entries in draft.sections.items():
        if entries and entries[0].key == "":
            _entry(out, Entry(key=name, rule=entries[0].rule, doubts=entries[0].doubts), 0)
        else:
            _entries(out, name, [e for e in entries if e.rule is not None], 0)
    out.add("records:")
    for record in draft.records:
        _record(out, record)
    if draft.unused:
        out.add("")
        out.add("# Not used:")
        for line in draft.unused:
            out.add(f"# {comment(line)}")
    return out


def _record(out: Written, record: Record) -> None:
    first = len(out.lines)
    for doubt in record.doubts:
        out.add(f"  # ? {comment(doubt)}")
    out.add(f"  {scalar(record.name)}:", record)
    for entry in record.fields:
        _entry(out, entry, 4)
    _entries(out, "values", record.values, 4, always=True)
    _pivots(out, record.pivots)
    if record.off:
        out.lines[first:] = [
            f"  # {line.strip() and line[2:]}".rstrip() for line in out.lines[first:]
        ]


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
            out.add(f"      {mark}{key}: {flow(value)}", rows.entries[0] if rows.entries else None)
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
    if isinstance(entry.rule, list) and len(line) > WIDTH:
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
