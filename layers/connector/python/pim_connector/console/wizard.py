"""The first evening: numbered steps from a PIM to products, to be left and taken up again.

Where somebody stands follows from what there is, not from what was clicked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from pim_connector.console.exchange import Call, Reply, redirect
from pim_connector.console.history import OF_STACK, of_run
from pim_connector.console.parts import checked_source
from pim_connector.console.rendering import page
from pim_connector.errors import ConfigurationError, ConnectorError
from pim_connector.products.splitting import new_run
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

State = Literal["done", "now", "later"]
LEFT: Final = f"{OF_STACK}#wizard"
DEFAULT_SOURCE: Final = "erp"
TRIAL: Final = 10


class Step(Struct, frozen=True, kw_only=True):
    """One step: what to do, where, and whether it is done."""

    title: str
    text: str
    state: State
    link: str = ""
    action: str = ""


def is_first_visit(parts: Parts, runs: Sequence[Run]) -> bool:
    """Return whether nothing was imported yet and nobody has put the wizard away."""
    return not runs and next(parts.history.of(LEFT), None) is None


def wizard(parts: Parts, call: Call) -> Reply:
    """Show the steps, with the first that is open as the next thing to do."""
    steps = in_order(_facts(parts))
    return page(
        "wizard.html", call, parts, steps=steps, finished=all(s.state == "done" for s in steps)
    )


def leave(parts: Parts, call: Call) -> Reply:
    """Put the wizard away; it stays under Help."""
    parts.history.note(LEFT, call.visitor.actor, "put the first steps away", parts.clock())
    return redirect("/", said="You find the first steps under Help whenever you want them.")


def trial(parts: Parts, call: Call) -> Reply:
    """Send the first ten records of the sample, as a run of their own."""
    from functools import partial

    from pim_connector.console.studio import sample_keys
    from pim_connector.erp.reader import read_records
    from pim_connector.products.replaying import Sending
    from pim_connector.products.splitting import make_plan
    from pim_connector.sync.jobs import begin, job_name

    source = checked_source(call.query.get("source", ""))
    stored = next(filter(None, map(parts.bucket.describe, sample_keys(parts, source))), None)
    if stored is None:
        raise ConfigurationError(f"{source} has no sample any more: drop one in the studio first.")
    replays = parts.replays()
    sample = new_run(parts.bucket.name, source, stored, phase="waiting", now=parts.clock())
    plan = make_plan(sample, parts.bucket)
    job = begin(
        sample,
        "replay",
        job_name(sample, "replay", parts.clock()),
        replays.jobs,
        pin=plan.pin,
    )
    records = read_records(partial(parts.bucket.open, stored), plan.compiled, others=plan.others)
    Sending(job=job, plan=plan, parts=replays, force=None).send(islice(records, TRIAL))
    what = f"imported the first {TRIAL} records of {stored.key}"
    parts.history.note(of_run(job.id), call.visitor.actor, what, parts.clock())
    return redirect(f"/runs/{job.id}", expected="1")


class Facts(Struct, frozen=True, kw_only=True):
    """What is there already."""

    connected: str
    source: str
    has_sample: bool
    has_mapping: bool
    runs: int
    imported: bool
    whole: bool


def _facts(parts: Parts) -> Facts:
    from pim_connector.console.uploads import SAMPLES

    known = parts.sources()
    source = known[0] if known else DEFAULT_SOURCE
    runs = [run for run in parts.newest(20) if run.kind in ("file", "replay")]
    done = [run for run in runs if run.phase == "finished"]
    return Facts(
        connected=_connected(parts),
        source=source,
        has_sample=any(True for _ in parts.bucket.keys(f"{SAMPLES}")) or bool(runs),
        has_mapping=bool(known),
        runs=len(runs),
        imported=any(run.counts["created"] + run.counts["updated"] for run in done),
        whole=any(run.records > TRIAL for run in done),
    )


def _connected(parts: Parts) -> str:
    try:
        with parts.pim() as pim:
            told = pim.system_information()
    except ConnectorError:
        return ""
    return f"Akeneo {told.get('version', '')} {told.get('edition', '')}".strip()


def in_order(facts: Facts) -> list[Step]:
    """Return the steps; the first that is not done is the one to do now. Pure."""
    studio = f"/studio/{facts.source}"
    wanted = [
        (
            "Connect the PIM",
            f"Connected: {facts.connected}." if facts.connected else "Enter what the PIM gave you.",
            bool(facts.connected),
            "/settings",
            "Open the connection",
        ),
        (
            "Drop a sample of your export",
            "A real file of your ERP, whole or cut. It stays in your bucket; nothing is imported.",
            facts.has_sample,
            f"{studio}?first=1",
            "Choose a sample",
        ),
        (
            "See the draft mapping, fix what is marked, publish",
            "The studio drafts which element of the record becomes which attribute. On the right "
            "you see the product it makes. What is uncertain is marked with # ?.",
            facts.has_mapping,
            studio,
            "Open the studio",
        ),
        (
            f"Import the first {TRIAL} products",
            "Only these are sent, so that you can look at them before the rest follows.",
            facts.runs > 0,
            f"/start/trial?source={facts.source}",
            f"Import {TRIAL} products",
        ),
        (
            "Look at them in the PIM",
            "Open one and compare it with your ERP. If something is wrong, go back to the studio.",
            facts.imported,
            "/runs",
            "Open the run",
        ),
        (
            "Import everything",
            "Drop the whole export. From then on every file that arrives is imported by itself.",
            facts.whole,
            f"/sources/{facts.source}",
            "Upload the export",
        ),
    ]
    steps, open_one = [], True
    for title, text, done, link, action in wanted:
        state: State = "done" if done else ("now" if open_one else "later")
        open_one = open_one and done
        steps.append(Step(title=title, text=text, state=state, link=link, action=action))
    return steps
