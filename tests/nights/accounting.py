"""Whether every record of every run has one state, is counted, and is reported with a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.nights.oracle import StoredResult
from tests.nights.plan import File
from tests.nights.results import Entry, MessageResults

if TYPE_CHECKING:
    from tests.nights.account import Account
    from tests.nights.operator import Asked

END_STATES = ("created", "updated", "unchanged", "superseded", "filtered", "rejected")
EXHAUSTED = "the splitter was stopped"
"""A splitter that is killed again and again gives a file up, and says so."""
IN_NO_MESSAGE = {"replay": ("superseded", "filtered", "rejected"), "revert": ("superseded",)}
"""States of a job's records that are known before anything is sent."""
GIVEN_UP = "the command was stopped"
"""A job whose command was killed before it had written everything down says so."""


def accounting(file: File, results: MessageResults, account: Account) -> Iterator[str]:
    header = results.header(file)
    if header is None:
        yield f"file {file.number} ({file.key} {file.version}) has no run"
        return
    name = f"file {file.number} ({header['id']})"
    if account.weather.kill and EXHAUSTED in (header.get("problem") or ""):
        file.broken, file.whole = True, int(header["records"])
    wanted = "failed" if file.broken else "finished"
    if header["phase"] != wanted:
        yield f"{name}: phase {header['phase']}, not {wanted}; problem {header.get('problem')}"
    yield from counted(name, header, file.whole, results, account)


def counted(
    name: str, header: Entry, records: int, results: MessageResults, account: Account
) -> Iterator[str]:
    """Say where header, books and report of a run with so many records do not agree."""
    if header["records"] != records:
        yield f"{name}: {header['records']} records counted, it has {records}"
    counts = {state: int(header.get(state, 0)) for state in END_STATES}
    if sum(counts.values()) != records or header.get("parked"):
        yield f"{name}: {counts} and {header.get('parked')} parked do not add up to {records}"
    stored = results.states(header["id"])
    states = Counter(each.state for each in stored.values())
    in_no_message = IN_NO_MESSAGE.get(header["kind"], ())
    for state, count in counts.items():
        if states[state] != count and not (state in in_no_message and states[state] < count):
            yield f"{name}: counted {count} as {state}, booked {states[state]}"
    yield from _reported(name, header, stored, account)


def _reported(
    name: str, header: Entry, stored: dict[int, StoredResult], account: Account
) -> Iterator[str]:
    told = [event for event in account.finished if event["run"] == header["id"]]
    if not told:
        yield f"{name}: RunFinished was never told"
    key = f"reports/{header['id']}/report.json"
    if key not in account.world.s3.keys(key):
        yield f"{name}: no report"
        return
    report = json.loads(account.world.s3._versions[key][-1].body)
    counts = {state: int(header.get(state, 0)) for state in report["counts"]}
    if report["counts"] != counts or not report["exact"]:
        yield f"{name}: the report says {report['counts']}, exact {report['exact']}; {counts}"
    told_of = sum(o["state"] == "rejected" for o in report["outcomes"])
    if told_of != counts.get("rejected", 0):
        yield f"{name}: {counts.get('rejected')} were rejected, the report tells of {told_of}"
    listed = {o["number"]: o for o in report["outcomes"] if o["state"] == "rejected"}
    for number in (n for n, each in stored.items() if each.state == "rejected"):
        problems = listed.get(number, {}).get("problems") or [{}]
        if not all(problem.get("reason") for problem in problems):
            yield f"{name}: record {number} was rejected and the report gives no reason"
    moved = header.get("file") or ""
    if header["kind"] != "file":
        return
    if moved not in account.world.s3.keys(moved) or not moved.startswith(("done/", "failed/")):
        yield f"{name}: its file is not at {moved!r}"


def job_accounting(job: Entry, results: MessageResults, account: Account) -> Iterator[str]:
    """Say where a job sent other records than it should, or came to no end."""
    if job["kind"] == "replay":
        yield from _replay_accounting(job, results, account)
        return
    name = f"{job['kind']} ({job['id']})"
    if job.get("problem"):
        yield from _given_up(name, job, results, account)
        return
    if job["phase"] != "finished":
        yield f"{name}: phase {job['phase']}, not finished; problem {job.get('problem')}"
    yield from counted(name, job, int(job["records"]), results, account)
    if job["kind"] == "revert":
        return
    of = results.items["run#" + job["of"], "run"]
    held = of.get("hold") and account.weather.is_quiet
    at_once = job["id"] == f"{job['of']}-withdrawal"
    if held or (at_once and int(job["records"]) > int(of.get("missing") or 0)):
        yield f"{name}: {job['records']} products, {of.get('missing')} missing, {of.get('hold')}"


def _replay_accounting(job: Entry, results: MessageResults, account: Account) -> Iterator[str]:
    name = f"replay ({job['id']})"
    asked = account.operator.asked[job["id"]]
    [file] = [f for f in account.plan.files if (results.header(f) or {}).get("id") == asked.of]
    if job.get("problem"):
        yield from _given_up(name, job, results, account)
        return
    if job["phase"] != "finished":
        yield f"{name}: phase {job['phase']}, not finished"
    wanted = _asked_for(asked, file, results)
    yield from counted(name, job, len(wanted), results, account)
    sent = results.states(job["id"]).keys()
    if not sent <= wanted:
        yield f"{name}: records {sorted(sent)} were sent, asked for were {sorted(wanted)}"


def _given_up(name: str, job: Entry, results: MessageResults, account: Account) -> Iterator[str]:
    if GIVEN_UP not in job["problem"] or account.weather.is_quiet:
        yield f"{name}: {job['problem']}"
    yield from counted(name, job, 0, results, account)


def _asked_for(asked: Asked, file: File, results: MessageResults) -> set[int]:
    if asked.rejected:
        states = results.states(asked.of)
        return {number for number, stored in states.items() if stored.state == "rejected"}
    items = dict(enumerate(file.items[: file.readable], start=1))
    if asked.number:
        return {asked.number} & items.keys()
    if asked.identifier:
        return {n for n, item in items.items() if item.no == asked.identifier and not item.gone}
    return set(items)
