"""One seed from its first upload to rest, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.nights.account import Account
from tests.nights.checks import violations
from tests.nights.plan import NIGHT_SECONDS, SOURCE, START, File, Plan, draw_plan
from tests.nights.standins import in_charge
from tests.nights.weather import Weather, draw_weather

MAX_STEPS = 120_000
REST_SECONDS = 43_200.0


@dataclass
class Outcome:
    """What a seed came to; no violations means that all invariants held."""

    seed: int
    violations: list[str]
    weather: Weather
    plan: Plan
    trace: list[str] = field(default_factory=list)
    steps: int = 0
    log: str = ""


def simulate(seed: int, *, trace: bool = False) -> Outcome:
    """Live through the nights of a seed. The same seed is always the same history."""
    chance = Random(seed)  # noqa: S311  # reproducible, not secret
    plan = draw_plan(chance)
    weather = draw_weather(chance, START - 600, plan.nights * NIGHT_SECONDS)
    account = Account(plan, weather, chance, trace=trace)
    with in_charge(account):
        _plan_uploads(account)
        found = _live(account)
        found += violations(account)
    return Outcome(
        seed=seed,
        violations=found,
        weather=weather,
        plan=plan,
        trace=account.trace.lines,
        steps=account.loop.steps,
        log=account.log.getvalue(),
    )


def _plan_uploads(account: Account) -> None:
    plan, loop = account.plan, account.loop
    for file in plan.files:
        loop.at(file.at, partial(_upload, account, file))
    for when, number in plan.mappings:
        loop.at(when, partial(_push_mapping, account, number))
    for when in plan.replays:
        loop.at(when, account.operator.replay)
    for when in plan.redrives:
        loop.at(when, account.operator.redrive)
    for when in plan.confirms:
        loop.at(when, account.operator.confirm)
    for when in plan.reverts:
        loop.at(when, account.operator.revert)
    for when in plan.edits:
        loop.at(when, account.marketing.edit)
    for night in range(plan.nights + 2):  # what people sent again waits for one more
        loop.at(START + night * NIGHT_SECONDS + 7200, account.sweep)
    account.plan_secrets()


def _push_mapping(account: Account, number: int) -> None:
    account.upload(f"config/erp/{SOURCE}.yaml", account.plan.mapping(number))


def _upload(account: Account, file: File) -> None:
    file.stored = int(account.clock.now)
    file.version = account.upload(file.key, file.body, late=file.told)


def _live(account: Account) -> list[str]:
    """Let everything happen, then let it come to rest: nothing fails, operators redrive."""
    loop, weather = account.loop, account.weather
    end = weather.calm_from + REST_SECONDS
    cleared = 0
    while loop.steps < MAX_STEPS:
        if loop.next_time() is None or ((loop.next_time() or 0) > end and not loop.busy):
            calm = loop.clock.now >= weather.calm_from or loop.next_time() is None
            if not (calm and cleared < 4 and _clear_up(account)):
                break
            cleared += 1
            end = loop.clock.now + REST_SECONDS
            continue
        loop.step()
    if loop.steps >= MAX_STEPS:
        return [f"no rest after {MAX_STEPS} steps: something goes round in circles"]
    if loop.busy:
        return ["an invocation never ended"]
    return []


def _clear_up(account: Account) -> bool:
    """Do what an alarm asks people for: send lost events again, redrive dead letters."""
    account.clock.now = max(account.clock.now, account.weather.calm_from)
    busy = bool(account.invocations.lost or account.dead.messages)
    account.redeliver_lost_events()
    account.operator.redrive()
    account.wake_housekeeping()
    account.poll()
    return busy or account.loop.next_time() is not None
