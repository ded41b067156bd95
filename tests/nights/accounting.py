"""Whether every record of every run has one state, is counted, and is reported with a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.nights.books import Books, Entry
from tests.nights.oracle import Booked
from tests.nights.plan import File

if TYPE_CHECKING:
    from tests.nights.account import Account
    from tests.nights.operator import Asked

END_STATES = ("created", "updated", "unchanged", "superseded", "filtered", "rejected")
EXHAUSTED = "the splitter was stopped"
"""A splitter that is killed again and again gives a file up, and says so."""
IN_NO_MESSAGE = {"replay": ("superseded", "filtered", "rejected"), "rewind": ("superseded",)}
"""States of an errand's records that are known before anything is sent."""
GIVEN_UP = "the command was stopped"
"""An errand whose command was killed before it had written everything down says so."""


def accounting(file: File, books: Books, account: Account) -> Iterator[str]:
    header = books.header(file)
    if header is None:
        yield f"file {file.number} ({file.key} {file.version}) has no run"
        return
    name = f"file {file.number} ({header['id']})"
    if account.weather.kill and EXHAUSTED in (header.get("problem") or ""):
        file.broken, file.whole = True, int(header["records"])
    wanted = "failed" if file.broken else "finished"
    if header["phase"] != wanted:
        yield f"{name}: phase {header['phase']}, not {wanted}; problem {header.get('problem')}"
    yield from counted(name, header, file.whole, books, account)


def counted(
    name: str, header: Entry, records: int, books: Books, account: Account
) -> Iterator[str]:
    """Say where header, books and report of a run with so many records do not agree."""
    if header["records"] != records:
        yield f"{name}: {header['records']} records counted, it has {records}"
    counts = {state: int(header.get(state, 0)) for state in END_STATES}
    if sum(counts.values()) != records or header.get("parked"):
        yield f"{name}: {counts} and {header.get('parked')} parked do not add up to {records}"
    booked = books.states(header["id"])
    states = Counter(each.state for each in booked.values())
    in_no_message = IN_NO_MESSAGE.get(header["kind"], ())
    for state, count in counts.items():
        if states[state] != count and not (state in in_no_message and states[state] < count):
            yield f"{name}: counted {count} as {state}, booked {states[state]}"
    yield from _reported(name, header, booked, account)


def _reported(
    name: str, header: Entry, booked: dict[int, Booked], account: Account
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
    for number in (n for n, each in booked.items() if each.state == "rejected"):
        problems = listed.get(number, {}).get("problems") or [{}]
        if not all(problem.get("reason") for problem in problems):
            yield f"{name}: record {number} was rejected and the report gives no reason"
    moved = header.get("file") or ""
    if header["kind"] != "file":
        return
    if moved not in account.world.s3.keys(moved) or not moved.startswith(("done/", "failed/")):
        yield f"{name}: its file is not at {moved!r}"


def errand_accounting(errand: Entry, books: Books, account: Account) -> Iterator[str]:
    """Say where an errand sent other records than it should, or came to no end."""
    if errand["kind"] == "replay":
        yield from _replay_accounting(errand, books, account)
        return
    name = f"{errand['kind']} ({errand['id']})"
    if errand.get("problem"):
        yield from _given_up(name, errand, books, account)
        return
    if errand["phase"] != "finished":
        yield f"{name}: phase {errand['phase']}, not finished; problem {errand.get('problem')}"
    yield from counted(name, errand, int(errand["records"]), books, account)
    if errand["kind"] == "rewind":
        return
    of = books.items["run#" + errand["of"], "run"]
    held = of.get("hold") and account.weather.is_quiet
    at_once = errand["id"] == f"{errand['of']}-withdrawal"
    if held or (at_once and int(errand["records"]) > int(of.get("missing") or 0)):
        yield f"{name}: {errand['records']} products, {of.get('missing')} missing, {of.get('hold')}"


def _replay_accounting(errand: Entry, books: Books, account: Account) -> Iterator[str]:
    name = f"replay ({errand['id']})"
    asked = account.operator.asked[errand["id"]]
    [file] = [f for f in account.plan.files if (books.header(f) or {}).get("id") == asked.of]
    if errand.get("problem"):
        yield from _given_up(name, errand, books, account)
        return
    if errand["phase"] != "finished":
        yield f"{name}: phase {errand['phase']}, not finished"
    wanted = _asked_for(asked, file, books)
    yield from counted(name, errand, len(wanted), books, account)
    sent = books.states(errand["id"]).keys()
    if not sent <= wanted:
        yield f"{name}: records {sorted(sent)} were sent, asked for were {sorted(wanted)}"


def _given_up(name: str, errand: Entry, books: Books, account: Account) -> Iterator[str]:
    if GIVEN_UP not in errand["problem"] or account.weather.is_quiet:
        yield f"{name}: {errand['problem']}"
    yield from counted(name, errand, 0, books, account)


def _asked_for(asked: Asked, file: File, books: Books) -> set[int]:
    if asked.rejected:
        states = books.states(asked.of)
        return {number for number, booked in states.items() if booked.state == "rejected"}
    items = dict(enumerate(file.items[: file.readable], start=1))
    if asked.number:
        return {asked.number} & items.keys()
    if asked.identifier:
        return {n for n, item in items.items() if item.no == asked.identifier and not item.gone}
    return set(items)
