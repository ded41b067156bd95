"""All runs, one run with what was rejected and changed, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pim_connector.console import rejections
from pim_connector.console.downloads import in_the_erps_format, presigned
from pim_connector.console.exchange import Call, RefusedError, Reply, missing, redirect
from pim_connector.console.history import of_run
from pim_connector.console.rendering import outcome, page
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

PER_PAGE: Final = 50
MOST_SKIPPED: Final = 100_000
MOST_XML: Final = 20_000
_RUN: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}")
FILES: Final = {
    "rejected.csv": "rejected.csv",
    "report.html": "report.html",
    "missing.csv": "missing.csv",
}


class Step(Struct, frozen=True, kw_only=True):
    """One part of a run's course."""

    name: str
    at: str | None


def runs(parts: Parts, call: Call) -> Reply:
    """List the runs, the newest first, those of one source if it is named."""
    source = call.query.get("source", "")
    skip = call.number("skip", 0, most=MOST_SKIPPED)
    names = (n for n in parts.registry.all_runs() if not source or n.source == source)
    chosen = list(islice(names, skip, skip + PER_PAGE + 1))
    return page(
        "runs.html",
        call,
        parts,
        runs=list(parts.registry.each(name.run for name in chosen[:PER_PAGE])),
        source=source,
        sources=parts.sources(),
        skip=skip,
        more=len(chosen) > PER_PAGE,
        per_page=PER_PAGE,
    )


def found(parts: Parts, call: Call) -> Run:
    """Return the run of the address; 404 for one that this stack does not have."""
    name = call.names["run"]
    run = parts.registry.get(name) if _RUN.fullmatch(name) else None
    if run is None:
        raise missing("run")
    return run


def run(parts: Parts, call: Call) -> Reply:
    """Show one run."""
    name = call.names["run"]
    if "expected" in call.query and _RUN.fullmatch(name) and parts.registry.get(name) is None:
        return page("run_expected.html", call, parts, status=404, run=name)
    one = found(parts, call)
    skip = call.number("skip", 0, most=MOST_SKIPPED)
    shown = rejections.Shown(outcomes=[], more=False)
    reasons = []
    if one.counts["rejected"]:
        shown = rejections.rejected(parts, one, skip=skip, most=PER_PAGE)
        reasons = rejections.top_reasons(parts, one, 6)
    return page(
        "run.html",
        call,
        parts,
        run=one,
        course=list(course(one)),
        under_way=outcome(one) in ("running", "waiting"),
        shown=shown,
        reasons=reasons,
        skip=skip,
        per_page=PER_PAGE,
        acts=list(parts.history.of(of_run(one.id))),
        may_send_again=one.kind in ("file", "replay") and one.counts["rejected"] > 0,
        may_revert=one.finished_at is not None and one.kind in ("file", "replay"),
    )


def course(run: Run) -> Iterator[Step]:
    """Return how the run went, step by step. Pure."""
    yield Step(name="noticed", at=run.registered_at)
    yield Step(name="reading began", at=run.started_at)
    yield Step(name="read", at=run.split_at)
    yield Step(name="ended", at=run.finished_at)


def record(parts: Parts, call: Call) -> Reply:
    """Show one rejected record as the ERP sent it, beside what is wrong with it."""
    from pim_connector.products.replaying import raw_xml

    one = found(parts, call)
    text = call.names["record"]
    if not text.isdecimal() or len(text) > 9:
        raise missing("record")
    number = int(text)
    outcome_of = next(
        (each for each in rejections.every(parts, one) if each.number == number), None
    )
    if outcome_of is None:
        raise missing("rejected record in this run")
    xml = readable(raw_xml(parts.bucket, one.id, {number}).get(number, ""))
    return page(
        "record.html",
        call,
        parts,
        run=one,
        record=outcome_of,
        xml=xml[:MOST_XML],
        cut=len(xml) > MOST_XML,
    )


def readable(xml: str) -> str:
    """Indent a record that stands on one line; others are shown as they are. Pure."""
    from lxml import etree

    from pim_connector.records import RECORD_MARK

    xml = xml.replace(f"<?{RECORD_MARK}?>", "")
    if not xml or "\n" in xml.strip():
        return xml
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError:
        return xml
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def changes(parts: Parts, call: Call) -> Reply:
    """Show which products the run changed: attribute, old and new value."""
    from pim_connector.console.changes import changed_products

    one = found(parts, call)
    skip = call.number("skip", 0, most=MOST_SKIPPED)
    products, more = changed_products(parts, one, skip=skip)
    return page("changes.html", call, parts, run=one, products=products, more=more, skip=skip)


def file(parts: Parts, call: Call) -> Reply:
    """Send the browser to a file of the run in the bucket, by an address good for a minute."""
    one, name = found(parts, call), call.names["name"]
    if name == "rejected.xml":
        key = in_the_erps_format(parts, one)
    elif name in FILES:
        key = f"reports/{one.id}/{FILES[name]}"
    else:
        raise missing("file")
    if parts.bucket.describe(key) is None:
        raise RefusedError(404, f"{name} is written when the run ends; this run has none yet.")
    return Reply(status=303, headers={"location": presigned(parts, key, f"{one.id}-{name}")})


def ask_send_again(parts: Parts, call: Call) -> Reply:
    """Ask once more before rejected records are sent again."""
    return page("send_again.html", call, parts, run=found(parts, call))


def send_again(parts: Parts, call: Call) -> Reply:
    """Send the rejected records again, with today's mapping, as a new run."""
    from pim_connector.products.replaying import Selection, replay

    one = found(parts, call)
    job = replay(one, Selection(rejected=True), parts.replays())
    noted(parts, call, one, "sent the rejected records again", led_to=job.id)
    return redirect(f"/runs/{job.id}", said="The rejected records are on their way again.")


def ask_revert(parts: Parts, call: Call) -> Reply:
    """Show what a revert would do, and ask."""
    from pim_connector.products.reverting import plan_revert

    one = found(parts, call)
    plan = plan_revert(one, parts.jobs())
    return page("revert.html", call, parts, run=one, plan=plan)


def revert(parts: Parts, call: Call) -> Reply:
    """Set back what the run changed."""
    from pim_connector.products.reverting import plan_revert, revert

    one, jobs = found(parts, call), parts.jobs()
    job = revert(one, plan_revert(one, jobs), jobs)
    noted(parts, call, one, "reverted this run", led_to=job.id)
    return redirect(f"/runs/{job.id}", said="The revert is on its way.")


def noted(parts: Parts, call: Call, about: Run, what: str, *, led_to: str = "") -> None:
    """Keep who did it, with the run it was done to and the one that came of it."""
    parts.history.note_run(about.id, call.visitor.actor, what, parts.clock(), led_to=led_to)
