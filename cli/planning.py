"""Works out what importing a file would do, value by value, and sends nothing.

Reading, mapping and deciding are the functions' own; the PIM is only asked: for its structure, and
for each product that the file holds, a hundred a call.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pim_connector.mapping.results import Filtered, Identity, Mapped, Rejected
from pim_connector.products.lines import Line, read_current
from pim_connector.records import SourceRecord, fingerprint
from pim_connector.sync.chunks import HashSet, identity_hash
from pim_connector.sync.comparison import Current, LeftOut, Send, decide, same, value_of
from pim_connector.sync.messages import MAX_RECORDS, MessageRecord, group_of
from pim_connector.sync.options import missing_options
from pim_connector.sync.state import StateEntry, state_key

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.structure import Structure
    from pim_connector.mapping.compiled import CompiledMapping
    from pim_connector.mapping.language import Origin

OPTION_WRITES_PER_SECOND = 3
LATEST = "~"
"""Compares as later than the order of any run."""
Entries = Callable[[Iterable[str]], Mapping[str, StateEntry]]


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value as the PIM has it and as it would be."""

    attribute: str
    locale: str | None = None
    scope: str | None = None
    before: Any = None
    after: Any = None


class Planned(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What would become of one record: created, changed, unchanged, filtered or rejected.

    `unchanged` may still be sent: the connector does not know yet that the PIM has it so.
    """

    record: int
    line: int
    state: str
    identifier: str | None = None
    resource: str | None = None
    changes: tuple[Change, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Totals:
    """What a whole file would come to. `lines` are those sent, by message group and resource."""

    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    attributes: Counter[str] = field(default_factory=Counter)
    lines: Counter[tuple[int, str]] = field(default_factory=Counter)
    options: set[tuple[str, str]] = field(default_factory=set)
    characters: int = 0

    @property
    def records(self) -> int:
        return self.states.total()

    @property
    def sent(self) -> int:
        return self.lines.total()

    @property
    def calls(self) -> int:
        """PIM calls: full ones per message group and resource, and one per attribute and 100
        options.
        """
        by_attribute = Counter(attribute for attribute, _ in self.options)
        options = sum(ceil(number / MAX_RECORDS) for number in by_attribute.values())
        return sum(ceil(number / MAX_RECORDS) for number in self.lines.values()) + options

    def seconds(self, milliseconds_a_line: float) -> float:
        """How long the PIM writes: the longest message group, and the options before."""
        groups: Counter[int] = Counter()
        for (group, _), number in self.lines.items():
            groups[group] += number
        longest = max(groups.values(), default=0)
        return longest * milliseconds_a_line / 1_000 + len(self.options) / OPTION_WRITES_PER_SECOND


class Gone(Struct, frozen=True, kw_only=True):
    """What a full export lacks: `missing` of `before` products, and those to be disabled.

    `policy` is the mapping's `missing_products`; `hold` says why the run would need approval.
    """

    missing: int
    before: int
    policy: str
    disabled: tuple[str, ...]
    hold: str | None


def gone(source: str, origin: Origin, holds: HashSet, target: Target) -> Gone | None:
    """Say what the next full export of a source would disable if it held these products.

    None where there is no earlier full export to compare with.
    """
    from pim_connector.outcomes import STATES
    from pim_connector.products.missing import above_share, find_missing, known_missing
    from pim_connector.sync.runs import Registry, Run

    run = Run(
        id="plan", source=source, bucket="", key="", version="", size=0, order=LATEST, turn=LATEST,
        phase="waiting", counts=dict.fromkeys(STATES, 0),
    )  # fmt: skip
    bucket = target.bucket()
    missing = find_missing(run, holds, Registry(target.run_table()), bucket)
    if missing is None:
        return None
    disables = origin.missing_products == "disable"
    known = known_missing(missing, holds, bucket) if disables else ()
    return Gone(
        missing=missing.total,
        before=missing.before,
        policy=origin.missing_products,
        disabled=tuple(each.identifier for each in known if each.resource == "product"),
        hold=above_share(missing, origin) if disables else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans records against one PIM; `entries` reads the sync state, or says that it is empty."""

    compiled: CompiledMapping
    structure: Structure
    pim: AkeneoClient
    entries: Entries
    source: str
    groups: int
    totals: Totals = field(default_factory=Totals)
    holds: HashSet = field(default_factory=HashSet)
    _models: set[str] = field(default_factory=set)
    _parents: dict[str, bool] = field(default_factory=dict)

    def plan(self, records: Iterable[SourceRecord]) -> Iterator[Planned]:
        """Give what would become of each record, a few hundred at a time and not in order."""
        waiting: dict[str, list[tuple[SourceRecord, Mapped]]] = defaultdict(list)
        for record in records:
            self.totals.characters += len(record.xml)
            mapped = self.compiled.map(record, self.structure)
            who = self.compiled.identify(record)
            if isinstance(who, Identity):
                self.holds.add(identity_hash(who.resource, who.identifier))
            if not isinstance(mapped, Mapped):
                yield self._counted(_without(record, mapped, who))
                continue
            if mapped.resource == "product_model":
                self._models.add(mapped.identifier)
            waiting[mapped.resource].append((record, mapped))
            if len(waiting[mapped.resource]) == MAX_RECORDS:
                yield from self._batch(waiting.pop(mapped.resource))
        for resource in sorted(waiting, reverse=True):
            yield from self._batch(waiting[resource])

    def _batch(self, batch: list[tuple[SourceRecord, Mapped]]) -> Iterator[Planned]:
        keys = [state_key(self.source, m.resource, m.identifier) for _, m in batch]
        entries = self.entries(keys)
        lines = [
            Line(record=_message_record(record, mapped), mapped=mapped, entry=entries.get(key))
            for (record, mapped), key in zip(batch, keys, strict=True)
        ]
        current = read_current(self.pim, lines)
        for line in lines:
            yield self._counted(self._decided(line, current[line.record.number]))

    def _decided(self, line: Line, current: Current) -> Planned:
        mapped, entry = line.mapped, line.entry
        unchanged = entry is not None and (entry.fingerprint, entry.mapping) == (
            line.record.fingerprint,
            self.compiled.digest,
        )
        decision = None if unchanged else decide(mapped, entry, current)
        if isinstance(decision, LeftOut):
            return _planned(line, "filtered", reasons=(decision.reason,))
        if not isinstance(decision, Send):
            return _planned(line, "unchanged")
        if not self._has_parent(mapped):
            reason = f"its product model {mapped.parent} is neither in the PIM nor in the file"
            return _planned(line, "rejected", reasons=(reason,))
        group = group_of(mapped.family_key, self.groups)
        self.totals.lines[group, mapped.resource] += 1
        wanted = missing_options(mapped.options, self.structure)
        self.totals.options |= {(option.attribute, option.code) for option in wanted}
        changes = tuple(_changes(decision, current))
        if not current.exists:
            return _planned(line, "created", changes=changes)
        return _planned(line, "changed" if changes else "unchanged", changes=changes)

    def _has_parent(self, mapped: Mapped) -> bool:
        parent = mapped.parent
        if parent is None or parent in self._models:
            return True
        if parent not in self._parents:
            self._parents[parent] = self.pim.get_product_model(parent) is not None
        return self._parents[parent]

    def _counted(self, planned: Planned) -> Planned:
        self.totals.states[planned.state] += 1
        self.totals.reasons.update(planned.reasons)
        self.totals.attributes.update({change.attribute for change in planned.changes})
        return planned


def _changes(decision: Send, current: Current) -> Iterator[Change]:
    for slot in decision.slots:
        before = value_of(current.product, slot.key)
        if slot.key[0] == "add_categories" and set(slot.data or ()) <= set(before or ()):  # type: ignore[arg-type]  # a list of codes
            continue
        if same(before, slot.data):
            continue
        _, attribute, locale, scope = slot.key if slot.key[0] == "values" else ("", "", "", "")
        yield Change(
            attribute=attribute or ".".join(slot.key),
            locale=locale or None,
            scope=scope or None,
            before=before,
            after=slot.data,
        )


def _without(
    record: SourceRecord, found: Filtered | Rejected, who: Identity | Filtered | Rejected
) -> Planned:
    reasons = (
        (found.reason,)
        if isinstance(found, Filtered)
        else tuple(
            f"{e.attribute}: {e.message}" if e.attribute else e.message for e in found.errors
        )
    )
    return Planned(
        record=record.number,
        line=record.line,
        state="filtered" if isinstance(found, Filtered) else "rejected",
        identifier=who.identifier if isinstance(who, Identity) else None,
        reasons=reasons,
    )


def _planned(
    line: Line, state: str, *, changes: tuple[Change, ...] = (), reasons: tuple[str, ...] = ()
) -> Planned:
    return Planned(
        record=line.record.number,
        line=line.record.line,
        state=state,
        identifier=line.mapped.identifier,
        resource=line.mapped.resource,
        changes=changes,
        reasons=reasons,
    )


def _message_record(record: SourceRecord, mapped: Mapped) -> MessageRecord:
    return MessageRecord(
        number=record.number,
        line=record.line,
        rule=record.rule,
        identifier=mapped.identifier,
        family_key=mapped.family_key,
        fingerprint=fingerprint(record),
        xml="",
    )
