"""The demo itself: an export goes through the whole stack, and what arrived is checked.

    python -m local.demo [--file EXPORT --mapping MAPPING] [--pim URL]

Standard output ends with one JSON object. Exit status 0 only if the PIM holds what the file says.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.imports import ended, put_mapping, upload
from cli.profiles import find_profile
from cli.summary import counts_table, outcome_line, rejections_table
from cli.target import Target, connect_local
from local.demo import own_file, pictures
from local.demo.arrival import (
    count_differences,
    differences,
    read_pim,
    rejection_differences,
    strangers,
)
from local.demo.assortment import assortment
from local.demo.expectation import expectation
from local.demo.export import export
from local.stack import lifecycle, record
from local.stack.lifecycle import CATALOG, Pim, simulated_pim
from local.stack.places import DEMO_RUN, LOCAL
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from local.stack.record import RunningStack
    from pim_connector.akeneo.client import AkeneoClient
    from pim_connector.outcomes import RecordOutcome
    from pim_connector.sync.runs import Run

SOURCE = "demo"
RESULTS = LOCAL / "demo"
SAMPLE = RESULTS / "sample-export.xml"
SAMPLE_MAPPING = Path(__file__).with_name("mapping.yaml")
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be imported and where; `sample` says that we know what has to come out."""

    file: Path
    mapping: Path
    pim: Pim | None
    sample: bool


def job(file: Path | None, mapping: Path | None, pim_name: str | None) -> Job:
    """Decide what the demo works on. ConfigurationError says what is missing."""
    pim = _real_pim(pim_name) if pim_name else None
    if file and mapping:
        return Job(file=file, mapping=mapping, pim=pim, sample=False)
    if file or mapping:
        raise ConfigurationError(
            "FILE and MAPPING belong together: an export and the mapping that reads it. "
            "`pim-connector mapping init FILE` writes a first mapping."
        )
    SAMPLE.parent.mkdir(parents=True, exist_ok=True)
    SAMPLE.write_bytes(export(assortment()))
    return Job(file=SAMPLE, mapping=SAMPLE_MAPPING, pim=pim, sample=True)


def run_demo(work: Job, console: Console) -> bool:
    """Import, show, check; True if the PIM holds what the file says."""
    if work.pim:
        _check_pim(work.pim, sample=work.sample)
    alone = work.pim is None and work.sample and record.read() is None
    with _stack(work, console) as stack:
        target = connect_local(stack)
        console.print(f"Importing {work.file.name} ({work.file.stat().st_size:,} bytes)")
        put_mapping(target, SOURCE, work.mapping)
        run = ended(target, upload(target, SOURCE, work.file))
        rejected = _rejected(target, run)
        _show(run, rejected, console)
        with _client(work.pim or simulated_pim(stack.servers)) as client:
            problems = _problems(work, run, rejected, client)
            if alone and not problems:
                problems = strangers(expectation(assortment()), client)
            if work.pim is None and work.sample:
                problems += _show_pictures(stack, target, client, console)
        _keep_reports(target, run)
    _conclude(problems, console)
    print(json.dumps(outcome_line(run)))
    return not problems and run.phase == "finished"


@contextlib.contextmanager
def _stack(work: Job, console: Console) -> Iterator[RunningStack]:
    running = record.read() if work.pim is None else None
    if running:
        console.print("Using the local stack that is up")
        yield running
        return
    began = time.monotonic()
    with lifecycle.temporary(directory=DEMO_RUN, tell=console.print, pim=work.pim) as started:
        console.print(f"The stack is up after {time.monotonic() - began:.0f} s")
        yield started


def _client(pim: Pim) -> AkeneoClient:
    from pim_connector.akeneo.client import AkeneoClient

    return AkeneoClient(pim.url, pim.credentials, tries=2)


def _show_pictures(
    stack: RunningStack, target: Target, client: AkeneoClient, console: Console
) -> list[str]:
    """Have pictures come from the simulated DAM; give what is not as it should be."""
    dam = stack.servers["dam"].url
    wanted = pictures.pictures(expectation(assortment()))
    pictures.fill_dam(dam, wanted)
    pictures.poll(target, stack.stack_name, dam)
    problems = pictures.await_arrival(client, wanted)
    shown = [picture for picture in wanted if picture.sku]
    if not problems:
        products = len({picture.sku for picture in shown})
        console.print(
            f"{len(shown)} pictures of the simulated DAM ({dam}) are in the PIM, linked to "
            f"{products} products; {len(wanted) - len(shown)} that shows no product was left out."
        )
    return problems


def _check_pim(pim: Pim, *, sample: bool) -> None:
    """See that the PIM answers, and has what the sample needs, before anything is started."""
    with _client(pim) as client:
        client.system_information()
        missing = lacking(json.loads(CATALOG.read_bytes()), client) if sample else []
    if missing:
        raise ConfigurationError(
            f"{pim.url} lacks what the sample export needs: {', '.join(missing)}. Give an "
            "export and a mapping of your own (FILE= MAPPING=), or create these first as "
            "local/demo/catalog.json describes them."
        )


def lacking(catalog: dict[str, list[dict[str, str]]], client: AkeneoClient) -> list[str]:
    """Name the attributes, families, categories and channels of the catalogue the PIM lacks."""
    listed = {
        "attributes": client.list_attributes,
        "families": client.list_families,
        "categories": client.list_categories,
        "channels": client.list_channels,
    }
    missing = []
    for resource, of_pim in listed.items():
        there = {item["code"] for item in of_pim()}
        wanted = [row["code"] for row in catalog[resource]]
        missing += [f"{resource} {code}" for code in wanted if code not in there]
    return missing


def _real_pim(name: str) -> Pim:
    profile = find_profile(name)
    return Pim(url=profile.url.rstrip("/"), credentials=profile.credentials)


def _problems(
    work: Job, run: Run, rejected: list[RecordOutcome], client: AkeneoClient
) -> list[str]:
    if run.problem:
        return [run.problem]
    if not work.sample:
        refused = {outcome.identifier for outcome in rejected if outcome.identifier}
        return list(own_file.differences(work.file, work.mapping, client, refused))
    expected = expectation(assortment())
    identifiers = {*expected.accepted, *(r.identifier for r in expected.rejected.values())} - {""}
    return [
        *count_differences(expected, run.counts),
        *rejection_differences(expected, rejected),
        *differences(expected, read_pim(client, identifiers)),
    ]


def _rejected(target: Target, run: Run) -> list[RecordOutcome]:
    from cli.runs import rejections

    return rejections(target, run.id)


def _show(run: Run, rejected: list[RecordOutcome], console: Console) -> None:
    console.print(counts_table(run))
    if rejected:
        console.print(rejections_table(rejected[:SHOWN]))
    if len(rejected) > SHOWN:
        console.print(f"… and {len(rejected) - SHOWN:,} more: pim-connector rejects {run.id}")


def _keep_reports(target: Target, run: Run) -> None:
    """Save the run's report beside the sample, because the stack may be gone in a moment."""
    bucket = target.bucket()
    for key in bucket.keys(f"reports/{run.id}/"):
        (RESULTS / key.rpartition("/")[2]).write_bytes(bucket.get(key))


def _conclude(problems: list[str], console: Console) -> None:
    for problem in problems[:SHOWN]:
        console.print(f"NOT AS IN THE FILE: {problem}", style="bold red")
    if len(problems) > SHOWN:
        console.print(f"… and {len(problems) - SHOWN:,} more differences")
    if not problems:
        console.print("What arrived in the PIM is what the file says.", style="bold green")
    here = RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS
    console.print(
        f"\nReport:             {here}/report.html (the export lies beside it)\n"
        "Browse the PIM:     make up keeps all of this running, and names the pages\n"
        "Your own export:    make demo FILE=export.xml MAPPING=mapping.yaml\n"
        "Your own PIM:       make demo PIM=https://… (see the README)"
    )
