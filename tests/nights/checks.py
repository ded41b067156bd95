"""The invariants: what must be true of every seed once it has come to rest."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pim_connector.sync.chunks import identity_hash
from tests.nights.accounting import accounting, job_accounting
from tests.nights.held import texts
from tests.nights.marketing import updated
from tests.nights.oracle import FileRun, Key, expect
from tests.nights.pim import SECRET, WRONG
from tests.nights.results import MessageResults
from tests.nights.undoing import undone

if TYPE_CHECKING:
    from tests.nights.account import Account

OPTION_WRITES_A_SECOND = 3
JITTER_SECONDS = 0.12
"""By how much the way to the PIM may take longer for one call than for the next."""
ALARMED = '"PimCredentialsRefused"'
CALLS_AT_FIRST, CALLS_AN_HOUR = 60, 12
"""To a PIM that is down: from the workers that were at it, and then by those that try."""
MAX_PRINTED = 6


def violations(account: Account) -> list[str]:
    """Give every invariant that does not hold, in words."""
    results = MessageResults(account)
    found = [*_limits(account), *_outages(account)]
    found += _rest(account)
    runs: list[FileRun] = []
    for file in account.plan.files:
        found += accounting(file, results, account)
        run = results.run_of(file)
        if run is not None:
            runs.append(run)
        runs += [*results.replays_of(file), *results.value_updates_of(file)]
    for job in results.jobs:
        found += job_accounting(job, results, account)
    expected = expect(runs, _there_since(account), account.pim.pim.before)
    found += expected.wrong
    updated(account, runs, expected.values)
    found += _pim(account, expected.values, expected.parents)
    found += _order(account, results)
    found += undone(account, runs)
    found += _secrets(account)
    found += _baselines(account, results)
    if account.weather.is_quiet and not account.plan.poisoned:
        found += _economy(account, runs)
    return found


def _limits(account: Account) -> Iterator[str]:
    groups, most = account.plan.groups, account.pim.most
    if most > groups:
        yield f"{most} calls at once to the PIM, with {groups} message groups"
    for call in account.pim.sent:
        if len(call.lines) > account.plan.message_records:
            yield f"{len(call.lines)} lines in one PATCH {call.path}"
    times = account.pim.option_calls
    for index, time in enumerate(times[OPTION_WRITES_A_SECOND:]):
        if time - times[index] < 1.0 - JITTER_SECONDS:
            yield f"{OPTION_WRITES_A_SECOND + 1} option writes within {time - times[index]:.3f} s"


def _outages(account: Account) -> Iterator[str]:
    """While the PIM is down it is left alone, and nothing becomes a dead letter for it."""
    for begin, end in account.weather.outages:
        calls = sum(begin <= moment < end for moment in account.pim.calls_in_vain)
        if calls > CALLS_AT_FIRST + CALLS_AN_HOUR * (end - begin) / 3600:
            yield f"{calls} calls to a PIM that was down for {(end - begin) / 3600:.1f} hours"
    is_told = ALARMED in account.log.getvalue()
    spells = account.weather.wrong_secret
    works = any(begin <= call.time < end for call in account.pim.sent for begin, end in spells)
    refused = account.pim.strangers and not works  # a worker may know the right secret still
    if account.weather.only_waits and refused and not is_told:
        yield "the PIM refused the credentials, and no metric says so for the alarm"
    if account.weather.only_waits and not account.plan.poisoned and account.redriven:
        yield f"dead letters of {sorted(account.redriven)}, though the PIM was only down"


def _rest(account: Account) -> Iterator[str]:
    yield from (f"a crash: {crash}" for crash in account.invocations.crashes[:MAX_PRINTED])
    yield from (f"a crash: {crash}" for crash in _crashes(account.log.getvalue()))
    for message in account.queue.messages:
        yield f"message {message.deduplication} is still in the queue"
    for message in account.dead.messages:
        yield f"message {message.deduplication} is still in the dead-letter queue"
    for run in [sk for pk, sk in account.world.dynamodb.tables["runs"] if pk == "open"]:
        yield f"run {run} is still open"


def _crashes(log: str) -> Iterator[str]:
    """Give the exceptions that attempts of the mapper ended with, each once."""
    found = [json.loads(line) for line in log.splitlines() if '"attempt crashed"' in line]
    yield from dict.fromkeys(each["exception"][-600:] for each in found)


def _pim(
    account: Account, expected: dict[Key, dict[str, set[str]]], parents: dict[Key, str]
) -> Iterator[str]:
    held = dict(_held(account))
    for key in sorted(held.keys() - expected.keys()):
        yield f"the PIM has {key}, which no file could have made"
    for key, places in sorted(expected.items()):
        found = held.get(key)
        if found is None:
            if "" not in places:
                yield f"the PIM lacks {key}, which should be {_shown(places)}"
            continue
        for place, allowed in places.items():
            if place and found.get(place, "") not in allowed:
                yield f"the PIM has {key} {place} = {found.get(place)!r}, not {sorted(allowed)}"
        if key in parents and found.get("parent") != parents[key]:
            yield f"the PIM has {key} under {found.get('parent')}, not {parents[key]}"


def _there_since(account: Account) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for write in account.pim.pim.writes:
        moment = f"{datetime.fromtimestamp(write.time, UTC):%Y-%m-%dT%H:%M:%SZ}"
        found.setdefault((write.kind, write.code), moment)
    return found


def _held(account: Account) -> Iterator[tuple[Key, dict[str, str]]]:
    pim = account.pim.pim
    for product in pim.products.values():
        yield ("product", pim.identifier_of(product) or ""), texts(pim, product)
    for model in pim.models.values():
        yield ("product_model", model.code), texts(pim, model)


def _shown(places: dict[str, set[str]]) -> str:
    return ", ".join(f"{name}={'|'.join(sorted(texts))}" for name, texts in places.items())


def _order(account: Account, results: MessageResults) -> Iterator[str]:
    """No accepted write may come from an older file than the one before it.

    Where the messages of both died, they are redriven in their order: the newer one writes again.
    """
    orders = {
        header["id"]: results.order_of(file)
        for file in account.plan.files
        if (header := results.header(file)) is not None
    }
    orders |= {job["id"]: orders[job["of"]] for job in results.jobs}
    newest: dict[Key, tuple[tuple[str, str, str], str]] = {}
    for write in account.pim.pim.writes:
        order = orders.get(write.run)
        if order is None:
            yield f"{write.kind} {write.code} was written by nobody's run ({write.run!r})"
            continue
        key = write.kind, write.code
        known = newest.get(key)
        both_died = known is not None and {write.run, known[1]} <= account.redriven
        if known is not None and known[0] > order and not both_died:
            yield f"{key} was written by {write.run} after {known[1]}, which is newer"
        else:
            newest[key] = order, write.run


def _baselines(account: Account, results: MessageResults) -> Iterator[str]:
    """What the next file would take for granted is what the sync state holds."""
    s3 = account.world.s3
    for (pk, _), last in results.items.items():
        key = f"baselines/{pk.removeprefix('last#')}/{last.get('run')}"
        if not (pk.startswith("last#") and last["alone"] and key in s3.keys(key)):
            continue
        digest = results.items[f"run#{last['run']}", "run"]["mapping"]["digest"]
        held = {}
        for item in account.world.dynamodb.tables["sync_state"].values():
            _, resource, identifier = item["pk"]["S"].split("|", 2)
            same = item["m"]["S"] == digest
            held[identity_hash(resource, identifier)] = item["f"]["B"][:8] if same else b""
        entries = s3._versions[key][-1].body
        for place in range(0, len(entries), 16):
            identity = int.from_bytes(entries[place : place + 8])
            if held.get(identity) != entries[place + 8 : place + 16]:
                yield f"{key} has a product that the sync state has not, or has otherwise"


def _secrets(account: Account) -> Iterator[str]:
    log = account.log.getvalue()
    hidden = {SECRET["secret"], SECRET["password"], WRONG["secret"], WRONG["password"]}
    for secret in hidden | account.pim.tokens:
        if secret in log:
            place = log.index(secret)
            yield f"a secret was logged: …{log[max(0, place - 150) : place + 20]}…"


def _economy(account: Account, runs: list[FileRun]) -> Iterator[str]:
    """Where nothing goes wrong, nothing is sent that the PIM has, and nothing twice.

    A variant that was refused for want of its model may be unchanged when the model comes: what
    an older file had to wait with goes first.
    """
    for run in runs:
        lines = Counter(
            (call.path, str(line.get("identifier") or line.get("code")))
            for call in account.pim.sent
            if f"({call.run})" in run.name and "/options" not in call.path
            for line in call.lines
        )
        named = Counter(item.no for item in run.items)
        waiting = {item.no for item in run.items if item.parent or item.targets}
        for (path, code), count in lines.items():
            if count > named[code] * (5 if code in waiting else 1):
                yield f"{run.name}: {code} was sent {count} times to {path}"
        states: dict[str, set[str]] = defaultdict(set)
        for number, stored in run.stored.items():
            states[run.items[number - 1].no].add(stored.state)
        taken = {code for _, code in run.written}
        for path, code in lines:
            if code in waiting - taken:
                continue
            if not states[code] & {"created", "updated", "rejected", "superseded"}:
                yield f"{run.name}: {code} was sent to {path} though it was {states[code]}"
