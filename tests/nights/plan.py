"""The plan of a seed: which files come when, what they hold, and when the mapping changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random

from tests.nights.goods import (
    POISON,
    Item,
    changed,
    draw_goods,
    linked,
    mapping_text,
    rendered,
    spoiled,
)

START = datetime(2026, 1, 5, 20, tzinfo=UTC).timestamp()
NIGHT_SECONDS = 86_400.0
SOURCE = "shop"
OVERTAKEN_SECONDS = 12.0


@dataclass(kw_only=True)
class File:
    """One file as the ERP wrote it. `readable` counts the items that are in it to their end.

    `whole` counts those that are handed on; it is fewer where the splitter gave up.
    `told` is by how many seconds S3 tells of it late, whatever the weather.
    `key`, `version` and `stored` are how S3 took it: object key, version id, second of the epoch.
    """

    number: int
    at: float
    key: str
    stamp: str
    items: tuple[Item, ...]
    body: bytes
    readable: int
    whole: int
    broken: bool = False
    told: float = 0.0
    version: str = ""
    stored: int = 0


@dataclass(kw_only=True)
class Plan:
    """All that a seed does, besides what goes wrong."""

    stamped: bool
    trigger: str
    files: list[File] = field(default_factory=list)
    mappings: list[tuple[float, int]] = field(default_factory=list)
    replays: list[float] = field(default_factory=list)
    redrives: list[float] = field(default_factory=list)
    confirms: list[float] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)
    reverts: list[float] = field(default_factory=list)
    groups: int = 4
    parent_wait_minutes: int = 30
    window: int = 1000
    block: int = 256
    message_records: int = 100
    budget: int = 8 << 20
    message_bytes: int = 1 << 20
    nights: int = 2
    poisoned: bool = False
    full: bool = False
    always: bool = False

    def mapping(self, number: int) -> bytes:
        text = mapping_text(
            number,
            stamped=self.stamped,
            full=self.full,
            always=self.always,
            reversible=bool(self.reverts),
        )
        return text.encode()


def draw_plan(chance: Random) -> Plan:
    """Draw the nights of a seed."""
    plan = Plan(
        stamped=chance.random() < 0.5, trigger=chance.choice(("upload",) * 3 + ("nightly",))
    )
    plan.groups = chance.choice((1, 2, 4))
    plan.window = chance.choice((3, 5, 1000))
    plan.block = {3: 1, 5: 2}.get(plan.window, 256)
    plan.message_records = chance.choice((2, 4, 100))
    plan.budget = chance.choice((8 << 20, 8 << 20, 1500))
    plan.message_bytes = chance.choice((1 << 20, 1 << 20, 1200))
    plan.parent_wait_minutes = chance.choice((10, 60))
    plan.nights = chance.randint(2, 4)
    plan.poisoned = chance.random() < 0.1
    plan.full = chance.random() < 0.3
    plan.always = chance.random() < 0.5
    goods = draw_goods(chance)
    history = [goods]
    for night in range(plan.nights):
        begin = START + night * NIGHT_SECONDS
        if night == 0:
            plan.mappings.append((begin + chance.choice((-60, -60, -60, 1, 3000)), 1))
        elif chance.random() < 0.3:
            plan.mappings.append((begin + chance.uniform(-60, 7200), chance.choice((1, 2))))
        for times, often in (
            (plan.reverts, 0.2),
            (plan.replays, 0.4),
            (plan.redrives, 0.3),
            (plan.confirms, 0.5),
            (plan.edits, 0.3),
            (plan.edits, 0.3),
        ):
            if chance.random() < often:
                times.append(begin + chance.uniform(600, 80_000))
        _draw_files(plan, history, sorted(_times(begin, chance)), chance)
    return plan


def _draw_files(plan: Plan, history: list[list[Item]], times: list[float], chance: Random) -> None:
    """Draw the files of a night. One that S3 tells of late may be overtaken by the next.

    Which may know nothing of what the late one changed.
    """
    late = False
    for when in times:
        goods = _taken_back(history, chance) if late else _moved_on(history, chance)
        history.append(goods)
        file = _file(len(plan.files), when, goods, plan, chance)
        plan.files.append(file)
        late = when != times[-1] and times[-1] - when < OVERTAKEN_SECONDS and chance.random() < 0.4
        if late:
            file.told = times[-1] - when + chance.uniform(1.0, OVERTAKEN_SECONDS)


def _taken_back(history: list[list[Item]], chance: Random) -> list[Item]:
    """Give the goods as they were before the last file, but for some of those at the end."""
    before = history[-2] if len(history) > 1 else history[-1]
    same = chance.randrange(len(before))
    return before[:same] + [changed(item, chance) for item in before[same:]]


def _times(begin: float, chance: Random) -> list[float]:
    """Draw when a night's files come: far apart, close together, in the same second."""
    count = chance.choice((1, 1, 2, 3))
    gap = chance.choice((0.0, 0.3, 2.0, 5.0, 60.0, 3600.0))
    return [begin + index * gap * chance.uniform(0.5, 1.0) for index in range(count)]


def _moved_on(history: list[list[Item]], chance: Random) -> list[Item]:
    """Change some of the goods, or take them back to what they were before."""
    before = {item.no: item for item in chance.choice(history)}
    share = chance.choice((0.0, 0.2, 0.6))
    back = chance.choice((0.0, 0.4))
    moved = []
    for item in history[-1]:
        if chance.random() < back:
            moved.append(before[item.no])
        elif chance.random() < share:
            moved.append(changed(item, chance))
        elif item.targets and chance.random() < 0.2:
            known = [other.no for other in history[-1] if other.resource == "product"]
            moved.append(linked(item, known, chance))
        else:
            moved.append(item)
    return moved


def _file(number: int, when: float, goods: list[Item], plan: Plan, chance: Random) -> File:
    share = chance.choice((1.0, 1.0, 0.6, 0.3))
    items = [item for item in goods if chance.random() < share] or goods[:1]
    bad = chance.choice((0.0, 0.1, 0.3))
    items = [spoiled(item, chance) if chance.random() < bad else item for item in items]
    if chance.random() < 0.2:
        again = chance.choice(items)
        items.append(changed(again, chance) if chance.random() < 0.7 else again)
    if chance.random() < 0.15:
        items = [replace(i, gone=True) if chance.random() < 0.2 else i for i in items]
    if plan.poisoned and chance.random() < 0.5:
        items = _poisoned(items, chance)
    if chance.random() < 0.4:
        chance.shuffle(items)
    late = chance.choice((0, 0, 3600, 90_000))
    stamp = f"{datetime.fromtimestamp(int(when - late), UTC):%Y-%m-%dT%H:%M:%SZ}"
    name = chance.choice((f"export-{number}.xml", f"{9 - number % 10}.xml", "export.xml"))
    return _written(number, when, f"incoming/{SOURCE}/{name}", stamp, tuple(items), chance)


def _poisoned(items: list[Item], chance: Random) -> list[Item]:
    simple = [item for item in items if item.kind == "simple"]
    if not simple:
        return items
    victim = chance.choice(simple)
    return [replace(i, title=f"{POISON} {i.title}") if i is victim else i for i in items]


def _written(
    number: int, when: float, key: str, stamp: str, items: tuple[Item, ...], chance: Random
) -> File:
    parts = rendered(items, stamp)
    body, whole, broken = "".join(parts), len(items), False
    way = chance.choice(("good",) * 12 + ("cut", "cut", "garbage", "empty", "other"))
    if way == "cut":
        whole = chance.randrange(len(items))
        body = "".join(parts[: whole + 1]) + parts[whole + 1][: chance.randrange(4, 12)]
        broken = True
    elif way != "good":
        bodies = {"garbage": "PK\x03\x04 not xml", "empty": "", "other": "<other><a/></other>"}
        body, whole, broken = bodies[way], 0, True
    return File(
        number=number,
        at=when,
        key=key,
        stamp=stamp,
        items=items,
        body=body.encode(),
        readable=whole,
        whole=whole,
        broken=broken,
    )
