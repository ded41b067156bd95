"""Takes the safeguards out, one at a time, and shows that the simulation notices.

`python -m tests.nights.mutations` runs seeds with each of them until one fails, 200 at most. What
is taken out is the product's own code, in this process, while it runs; no file is changed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from tests.nights.running import HASH_SEED, brief

SEEDS = 200


@dataclass(frozen=True)
class Mutation:
    """A safeguard, by name, and what stands in for the code that keeps it."""

    name: str
    place: str
    instead: Callable[[Any], Any]


def _never_superseded(_: Any) -> Any:
    return lambda *_, **__: False


def _order_as_it_is(_: Any) -> Any:
    def decide(candidate: Any, entry: Any, run_context: Any) -> str:
        from pim_connector.mapping.results import Filtered, Rejected

        if isinstance(candidate.found, Filtered):
            return "f"
        if isinstance(candidate.found, Rejected):
            return "r"
        if candidate.repeats or entry is None:
            return "q"
        same = (entry.fingerprint, entry.mapping) == (candidate.fingerprint, run_context.digest)
        return "u" if same and run_context.shortcut else "q"

    return decide


def _all_done_at_200(original: Any) -> Any:
    """Take every line of a call that was answered with 200 as written, as most clients do."""

    def call(self: Any, group: tuple[int, ...]) -> Any:
        from pim_connector.akeneo.answers import Upserted

        refused = original(self, group)
        if refused is None:
            for place in group:
                known = self.outcomes.get(place)
                self.outcomes[place] = known or Upserted(line=place + 1, created=False)
        return refused

    return call


_turns = count()


def _group_of_its_own(_: Any) -> Any:
    return lambda group: f"group-{group}-{next(_turns)}"


def _group_by_turns(_: Any) -> Any:
    return lambda _key, groups: next(_turns) % groups


def _unconditional(original: Any) -> Any:
    """Write without the condition that another writer would break."""

    def expressions(self: Any) -> Any:
        return original(replace(self, condition="", given={}))

    return expressions


def _put_always(original: Any) -> Any:
    def putting(self: Any, item: Any, *, if_absent: bool = False) -> Any:
        return original(self, item)

    return putting


def _forgotten(_: Any) -> Any:
    """Take the marker of a message away when it is asked for: it is booked as often as it comes."""

    def message_recorded(self: Any, run: str, message_id: str) -> bool:
        self._table.delete({"pk": f"run#{run}", "sk": f"message#{message_id}"})
        return False

    return message_recorded


def _always_short(_: Any) -> Any:
    return lambda *_: False


def _as_it_is(_: Any) -> Any:
    return lambda mapped, _entry: mapped


def _none_newer(_: Any) -> Any:
    return lambda *_: []


def _plain_id(_: Any) -> Any:
    return lambda message_id, _number: message_id


def _no_attempts(_: Any) -> Any:
    return lambda *_, **__: 1


def _shut(_: Any) -> Any:
    from pim_connector.akeneo.pim import Closed

    return lambda *_: Closed()


def _talkative(original: Any) -> Any:
    """Tell the log which token a request goes out with."""
    import logging

    def bearing(request: Any, token: str) -> Any:
        logging.getLogger("pim_connector").warning("a request with %s", token)
        return original(request, token)

    return bearing


def _no_wait(_: Any) -> Any:
    return lambda self: None


def _nothing(_: Any) -> Any:
    return lambda *_: None


def _all_taken(_: Any) -> Any:
    return lambda _, records: bytearray(b"\1" * (records + 1))


def _none(_: Any) -> Any:
    return lambda _: frozenset()


def _by_name_only(_: Any) -> Any:
    return lambda self, identity, _: identity in self._prints


def _forgets_parent(_: Any) -> Any:
    return lambda *_: True


def _nothing_always(original: Any) -> Any:
    """Take what is always the ERP's for what is the ERP's when it changes."""

    def chosen(slots: Any, *more: Any) -> Any:
        plain = [replace(slot, owner="on_change") for slot in slots]
        keys = {slot.key for slot in original(plain, *more)}
        return tuple(slot for slot in slots if slot.key in keys)

    return chosen


def _all_slots(_: Any) -> Any:
    return lambda slots, *_: tuple(slots)


MUTATIONS = (
    Mutation(
        "sync state: order checked by the mapper",
        "pim_connector.products.lines.is_superseded",
        _never_superseded,
    ),
    Mutation(
        "sync state: order checked at the split",
        "pim_connector.products.decisions.decide",
        _order_as_it_is,
    ),
    Mutation(
        "answers: lines counted",
        "pim_connector.akeneo.bulk._Upsert._call",
        _all_done_at_200,
    ),
    Mutation(
        "queue: one group per message group",
        "pim_connector.products.batching.group_id",
        _group_of_its_own,
    ),
    Mutation(
        "message groups: a family stays in its message group",
        "pim_connector.products.split.group_of",
        _group_by_turns,
    ),
    Mutation(
        "books: conditional writes (fence, checkpoint)",
        "pim_connector.aws.table.ItemChange.expressions",
        _unconditional,
    ),
    Mutation(
        "books: a window or message is put if absent",
        "pim_connector.aws.table.Table.putting",
        _put_always,
    ),
    Mutation(
        "books: a recorded message is done, once",
        "pim_connector.sync.message_results.Deliveries.message_recorded",
        _forgotten,
    ),
    Mutation(
        "split: nothing unchanged behind an older run",
        "pim_connector.sync.runs.Registry.older_unfinished",
        _always_short,
    ),
    Mutation(
        "split: what was begun ends first",
        "pim_connector.sync.runs.Registry.begun",
        _nothing,
    ),
    Mutation(
        "split: manifests of newer files",
        "pim_connector.sync.runs.Registry.newer_split",
        _none_newer,
    ),
    Mutation("baseline: only what the PIM took", "pim_connector.sync.snapshot._taken", _all_taken),
    Mutation(
        "baseline: no product that is there twice", "pim_connector.sync.snapshot._repeated", _none
    ),
    Mutation(
        "baseline: the very version", "pim_connector.sync.snapshot.Baseline.holds", _by_name_only
    ),
    Mutation(
        "parking: a released message has its own id",
        "pim_connector.products.delivery_context.released_id",
        _plain_id,
    ),
    Mutation(
        "parking: what lacks its parent waits",
        "pim_connector.products.sending._has",
        _forgets_parent,
    ),
    Mutation(
        "attempts: a message that crashes is put aside",
        "pim_connector.sync.message_results.Deliveries.start_attempt",
        _no_attempts,
    ),
    Mutation(
        "sync state: no word for what may have been written",
        "pim_connector.products.worker.doubt",
        _nothing,
    ),
    Mutation(
        "sync state: no word for what may have been withdrawn",
        "pim_connector.products.worker.presume",
        _nothing,
    ),
    Mutation(
        "sync state: what was begun has ended before a message is booked",
        "pim_connector.aws.threads.ended",
        _none_newer,
    ),
    Mutation("options: three a second", "pim_connector.akeneo.pim.OptionPace.wait", _no_wait),
    Mutation(
        "breaker: what one worker knows all know", "pim_connector.akeneo.pim.Breaker.enter", _shut
    ),
    Mutation("log: no token in it", "pim_connector.akeneo.auth._bearing", _talkative),
    Mutation(
        "report: every rejection is told",
        "pim_connector.housekeeping._troubled",
        _none_newer,
    ),
    Mutation(
        "full exports: what is there again is enabled",
        "pim_connector.products.shaping._enabled_again",
        _as_it_is,
    ),
    Mutation(
        "delta: what is always the ERP's", "pim_connector.sync.comparison._chosen", _nothing_always
    ),
    Mutation(
        "delta: no more than what changed", "pim_connector.sync.comparison._chosen", _all_slots
    ),
    Mutation(
        "links: what the PIM has not yet follows",
        "pim_connector.products.sending._without_links",
        _nothing,
    ),
    Mutation(
        "jobs: written down before anything is sent",
        "pim_connector.housekeeping.publish_staged",
        _nothing,
    ),
    Mutation(
        "jobs: what was not written down is given up",
        "pim_connector.sync.runs.Registry.give_up",
        _nothing,
    ),
    Mutation(
        "replay: nothing that a newer file held",
        "pim_connector.products.replaying.manifests_of",
        _none_newer,
    ),
)


@contextmanager
def _mutated(mutation: Mutation) -> Iterator[None]:
    from importlib import import_module

    path, _, name = mutation.place.rpartition(".")
    owner: Any
    try:
        owner = import_module(path)
    except ModuleNotFoundError:
        module, _, kind = path.rpartition(".")
        owner = getattr(import_module(module), kind)
    with patch.object(owner, name, mutation.instead(getattr(owner, name))):
        yield


def _noticed(task: tuple[int, int]) -> tuple[int, int | None, str, float]:
    """Give the first seed that fails with the mutation, and what it says."""
    index, seeds = task
    begin = time.monotonic()
    with _mutated(MUTATIONS[index]):
        for seed in range(seeds):
            found = brief(seed)
            if found.violations:
                return index, seed, found.violations[0], time.monotonic() - begin
    return index, None, "", time.monotonic() - begin


def main() -> int:
    """Print a table; 1 if a safeguard can go unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.nights.mutations", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"at most so many ({SEEDS})")
    parser.add_argument("--only", default="", help="those whose name has this in it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    asked = parser.parse_args()
    os.environ["PYTHONHASHSEED"] = HASH_SEED
    table: list[str] = []
    unnoticed = 0
    tasks = [
        (index, asked.seeds)
        for index in range(len(MUTATIONS))
        if asked.only in MUTATIONS[index].name
    ]
    with get_context("spawn").Pool(asked.jobs, maxtasksperchild=1) as pool:
        for index, seed, said, seconds in pool.imap(_noticed, tasks):
            unnoticed += seed is None
            when = f"seed {seed:3}" if seed is not None else "NOT SEEN"
            table.append(f"{MUTATIONS[index].name:48} {when}  {seconds:5.0f} s  {said[:110]}")
            print(table[-1], flush=True)
    print(f"\n{len(table)} safeguards taken out, {unnoticed} of them unnoticed:")
    print("\n".join(table))
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
