"""Whether a revert has set back what its run had set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tests.nights.oracle import FileRun, Key

if TYPE_CHECKING:
    from tests.nights.account import Account
    from tests.nights.pim import Write


def undone(account: Account, runs: Sequence[FileRun]) -> Iterator[str]:
    """Say where a product is not as it was before the run, though nobody else has touched it."""
    undoes = {run.id: run.undoes for run in runs if run.undoes}
    by_key: dict[Key, list[Write]] = {}
    for write in account.pim.pim.writes:
        by_key.setdefault((write.kind, write.code), []).append(write)
    for key, writes in by_key.items():
        for place, write in enumerate(writes):
            of = undoes.get(write.run)
            if of and _alone(account, key, writes[: place + 1], of):
                yield from _differences(account, key, write, of)


def _alone(account: Account, key: Key, writes: Sequence[Write], of: str) -> bool:
    """Say whether from the first write of a run to the last here only it and its revert wrote."""
    first = next((n for n, write in enumerate(writes) if write.run == of), None)
    if first is None:
        return False
    since = writes[first].time
    edited = any(
        e.key == key and since <= e.time <= writes[-1].time for e in account.marketing.edits
    )
    return not edited and {write.run for write in writes[first:]} == {of, writes[-1].run}


def _differences(account: Account, key: Key, write: Write, of: str) -> Iterator[str]:
    pim = account.pim.pim
    before, after = pim.before.get((of, key)), pim.after[write]
    if before is None:
        if after.get("enabled") != "False":
            yield f"{write.run}: {key} was made by {of} and is not disabled"
        return
    different = {n for n in {*before, *after} if before.get(n, "") != after.get(n, "")}
    if different:
        shown = {n: (before.get(n, ""), after.get(n, "")) for n in sorted(different)}
        yield f"{write.run}: {key} is not as before {of}: {shown}"
