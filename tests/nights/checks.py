"""The invariants: what must be true of every seed once it has come to rest."""

from __future__ import annotations

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tests.nights.oracle import Booked, FileRun, Key, expect
from tests.nights.pim import SECRET, WRONG
from tests.nights.plan import File

if TYPE_CHECKING:
    from tests.nights.account import Account

END_STATES = ("created", "updated", "unchanged", "superseded", "filtered", "rejected")
LETTERS = {"u": "unchanged", "s": "superseded", "f": "filtered", "r": "rejected"}
OPTION_WRITES_A_SECOND = 3
JITTER_SECONDS = 0.12
"""By how much the way to the PIM may take longer for one call than for the next."""
MAX_PRINTED = 6
EXHAUSTED = "the splitter was stopped"
"""A splitter that is killed again and again gives a file up, and says so."""

Item = dict[str, Any]


def violations(account: Account) -> list[str]:
    """Give every invariant that does not hold, in words."""
    books = Books(account)
    found = list(_limits(account))
    found += _rest(account)
    runs: list[FileRun] = []
    for file in account.plan.files:
        found += _accounting(file, books, account)
        run = books.run_of(file)
        if run is not None:
            runs.append(run)
    expected = expect(runs, _there_since(account))
    found += expected.wrong
    found += _pim(account, expected.values, expected.parents)
    found += _order(account, books)
    found += _secrets(account)
    if account.weather.is_quiet and not account.plan.poisoned:
        found += _economy(account, runs)
    return found


class Books:
    """The run table as it stands, read without the connector."""

    def __init__(self, account: Account) -> None:
        self._account = account
        plain: Any = TypeDeserializer().deserialize
        self.items: dict[tuple[str, str], Item] = {
            (key[0], key[1]): {name: plain(value) for name, value in item.items()}
            for key, item in account.world.dynamodb.tables["runs"].items()
        }
        self.headers: dict[tuple[str, str], Item] = {
            (item["key"], item["version"]): item
            for (pk, sk), item in self.items.items()
            if sk == "run" and pk.startswith("run#")
        }
        self._by_partition: dict[str, list[tuple[str, Item]]] = defaultdict(list)
        for (pk, sk), item in sorted(self.items.items()):
            self._by_partition[pk].append((sk, item))
        self.mappings = self._mappings()

    def header(self, file: File) -> Item | None:
        return self.headers.get((file.key, file.version))

    def of_run(self, run: str, prefix: str) -> Iterator[Item]:
        for sk, item in self._by_partition[f"run#{run}"]:
            if sk.startswith(prefix):
                yield item

    def states(self, run: str) -> dict[int, Booked]:
        """Give the state of each record of a run, by its number."""
        booked: dict[int, Booked] = {}
        number = 0
        for window in self.of_run(run, "window#"):
            for letter in window["dispositions"]:
                number += 1
                if letter in LETTERS:
                    booked[number] = Booked(state=LETTERS[letter], reasons="see its window")
        for message in self.of_run(run, "message#"):
            for each in json.loads(zlib.decompress(bytes(message["outcomes"].value))):
                reasons = "; ".join(p["reason"] for p in each.get("problems", ()))
                known = booked.get(each["number"])
                if known is None or known.state == "parked":
                    booked[each["number"]] = Booked(state=each["state"], reasons=reasons)
        return booked

    def order_of(self, file: File) -> tuple[str, str, str]:
        stored = f"{datetime.fromtimestamp(file.stored, UTC):%Y-%m-%dT%H:%M:%SZ}"
        stamp = file.stamp if self._account.plan.stamped else stored
        return stamp, file.key, file.version

    def run_of(self, file: File) -> FileRun | None:
        header = self.header(file)
        if header is None or not header.get("mapping"):
            return None
        return FileRun(
            name=f"file {file.number} ({header['id']})",
            order=self.order_of(file),
            mapping=self.mappings[header["mapping"]["version"]],
            items=file.items[: file.whole],
            booked=self.states(header["id"]),
            split_at=header.get("split_at") or "",
            written=frozenset(
                (write.kind, write.code)
                for write in self._account.pim.pim.writes
                if write.run == header["id"]
            ),
            redriven=header["id"] in self._account.redriven,
        )

    def _mappings(self) -> dict[str, int]:
        plan, s3 = self._account.plan, self._account.world.s3
        bodies = {plan.mapping(number): number for number in (1, 2)}
        versions = s3._versions.get("config/erp/shop.yaml", ())
        return {version.id: bodies[version.body] for version in versions}


def _limits(account: Account) -> Iterator[str]:
    lanes, most = account.plan.lanes, account.pim.most
    if most > lanes:
        yield f"{most} calls at once to the PIM, with {lanes} lanes"
    for call in account.pim.sent:
        if len(call.lines) > account.plan.message_records:
            yield f"{len(call.lines)} lines in one PATCH {call.path}"
    times = account.pim.option_calls
    for index, time in enumerate(times[OPTION_WRITES_A_SECOND:]):
        if time - times[index] < 1.0 - JITTER_SECONDS:
            yield f"{OPTION_WRITES_A_SECOND + 1} option writes within {time - times[index]:.3f} s"


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


def _accounting(file: File, books: Books, account: Account) -> Iterator[str]:
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
    if header["records"] != file.whole:
        yield f"{name}: {header['records']} records counted, the file has {file.whole}"
    counted = {state: int(header.get(state, 0)) for state in END_STATES}
    if sum(counted.values()) != file.whole or header.get("parked"):
        yield f"{name}: {counted} and {header.get('parked')} parked do not add up to {file.whole}"
    booked = books.states(header["id"])
    states = Counter(each.state for each in booked.values())
    if {s: states[s] for s in END_STATES} != counted:
        yield f"{name}: counted {counted}, booked {dict(states)}"
    yield from _reported(name, header, booked, account)


def _reported(
    name: str, header: Item, booked: dict[int, Booked], account: Account
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
    listed = {o["number"]: o for o in report["outcomes"] if o["state"] == "rejected"}
    for number in (n for n, each in booked.items() if each.state == "rejected"):
        problems = listed.get(number, {}).get("problems") or [{}]
        if not all(problem.get("reason") for problem in problems):
            yield f"{name}: record {number} was rejected and the report gives no reason"
    moved = header.get("file") or ""
    if moved not in account.world.s3.keys(moved) or not moved.startswith(("done/", "failed/")):
        yield f"{name}: its file is not at {moved!r}"


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
        for place, texts in places.items():
            if place and found.get(place, "") not in texts:
                yield f"the PIM has {key} {place} = {found.get(place)!r}, not {sorted(texts)}"
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
        values = {code: str(data) for (code, _, _), data in product.values.items()}
        more = {"categories": ",".join(product.categories), "parent": product.parent or ""}
        yield ("product", pim.identifier_of(product) or ""), values | more
    for model in pim.models.values():
        values = {code: str(data) for (code, _, _), data in model.values.items()}
        more = {"categories": ",".join(model.categories), "parent": model.parent or ""}
        yield ("product_model", model.code), values | more


def _shown(places: dict[str, set[str]]) -> str:
    return ", ".join(f"{name}={'|'.join(sorted(texts))}" for name, texts in places.items())


def _order(account: Account, books: Books) -> Iterator[str]:
    """No accepted write may come from an older file than the one before it.

    Where the messages of both died, they are redriven in their order: the newer one writes again.
    """
    orders = {
        header["id"]: books.order_of(file)
        for file in account.plan.files
        if (header := books.header(file)) is not None
    }
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


def _secrets(account: Account) -> Iterator[str]:
    log = account.log.getvalue()
    hidden = {SECRET["secret"], SECRET["password"], WRONG["secret"], WRONG["password"]}
    for secret in hidden | account.pim.tokens:
        if secret in log:
            place = log.index(secret)
            yield f"a secret was logged: …{log[max(0, place - 150) : place + 20]}…"


def _economy(account: Account, runs: list[FileRun]) -> Iterator[str]:
    """Where nothing goes wrong, nothing is sent that the PIM has, and nothing twice."""
    for run in runs:
        lines = Counter(
            (call.path, str(line.get("identifier") or line.get("code")))
            for call in account.pim.sent
            if f"({call.run})" in run.name and "/options" not in call.path
            for line in call.lines
        )
        named = Counter(item.no for item in run.items)
        children = {item.no for item in run.items if item.parent}
        for (path, code), count in lines.items():
            if count > named[code] * (3 if code in children else 1):
                yield f"{run.name}: {code} was sent {count} times to {path}"
        states: dict[str, set[str]] = defaultdict(set)
        for number, booked in run.booked.items():
            states[run.items[number - 1].no].add(booked.state)
        for path, code in lines:
            if not states[code] & {"created", "updated", "rejected", "superseded"}:
                yield f"{run.name}: {code} was sent to {path} though it was {states[code]}"
