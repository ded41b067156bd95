"""Which paths are followed through a file, and what each of them is for."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from pim_connector.erp.cuts import Cut
from pim_connector.erp.paths import ElementPath
from pim_connector.mapping.compiled import CompiledMapping, CompiledRecord


class Group(Struct, frozen=True, kw_only=True):
    """Record rules of one path: alternatives, of which an element goes to one."""

    names: tuple[str, ...]
    record: CompiledRecord
    path: int
    within: int | None


class Plan(Struct, kw_only=True):
    """Which paths are followed through the file, and what each of them is for."""

    paths: list[ElementPath] = field(default_factory=list)
    record_paths: list[ElementPath] = field(default_factory=list)
    head_paths: set[int] = field(default_factory=set)
    groups: dict[int, list[Group]] = field(default_factory=dict)
    tables: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, compiled: CompiledMapping) -> Plan:
        plan = cls()
        for names in _alternatives(compiled):
            record = compiled.records[names[0]]
            path = plan._number(record.path)
            within = None if record.within is None else plan._number(record.within)
            group = Group(names=names, record=record, path=path, within=within)
            plan.groups.setdefault(path, []).append(group)
            plan.record_paths.append(record.path)
        for table in compiled.tables.values():
            if table.file is None:
                plan.tables.setdefault(plan._number(table.path), []).append(table.name)
        for value in compiled.head.values():
            plan.head_paths.update(plan._number(anchor) for anchor in value.anchors)
        return plan

    def _number(self, path: ElementPath) -> int:
        for number, known in enumerate(self.paths):
            if known.steps == path.steps and known.shallow == path.shallow:
                return number
        self.paths.append(path)
        return len(self.paths) - 1

    def groups_of(self, cut: Cut) -> list[Group]:
        return [group for number in cut.paths for group in self.groups.get(number, ())]

    def tables_of(self, cut: Cut) -> list[str]:
        return [name for number in cut.paths for name in self.tables.get(number, ())]

    def is_head(self, cut: Cut) -> bool:
        return any(number in self.head_paths for number in cut.paths)

    def root_of(self, cut: Cut, group: Group) -> Cut:
        """The record itself, or the ancestor it is to be seen in."""
        above: Cut | None = cut
        while group.within is not None and above is not None:
            if group.within in above.paths:
                return above
            above = above.outer
        return cut

    def leaves_out(self, record: CompiledRecord) -> Callable[[Cut], bool]:
        """Records inside (or beside) a record are out of its sight, unless the rule keeps them."""
        if record.rule.nested == "keep":
            return _nothing
        return lambda cut: any(number in self.groups for number in cut.paths)


def _nothing(_: Cut) -> bool:
    return False


def _alternatives(compiled: CompiledMapping) -> list[tuple[str, ...]]:
    """Rules by path: one group of alternatives, and each rule with `continue` by itself."""
    groups: list[tuple[str, ...]] = []
    choices: dict[tuple[object, ...], list[str]] = {}
    for name, record in compiled.records.items():
        if record.rule.continue_:
            groups.append((name,))
            continue
        key = (record.path.steps, record.within and record.within.steps)
        if key not in choices:
            choices[key] = []
            groups.append((name,))
        choices[key].append(name)
    chosen = {names[0]: tuple(names) for names in choices.values()}
    return [chosen.get(names[0], names) for names in groups]
