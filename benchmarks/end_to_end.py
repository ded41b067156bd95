"""From the export to the PIM, against what people would use instead.

    python -m benchmarks.end_to_end [--short]

The same file, the same simulated PIM, four calls at once: a first load, and a second night in
which one product in a hundred has changed; without and with faults. What the PIM holds in the end
is compared with what the export says. The alternatives are in `benchmarks/alternatives`, in a
virtual environment of their own (`make .local/bench`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any, Final

from benchmarks import catalogue
from benchmarks.account import AWS_SECONDS, Account, tables
from benchmarks.flow import Flow
from benchmarks.pim import ROOT, SECRET, SimulatedPim, simulated_pim
from benchmarks.results import measured_on, table, write_section

RECORDS: Final = 3_000
LINE_MILLISECONDS: Final = 11.0
"""A fifth of the real PIM's, so that a run takes minutes; what takes time besides counts more."""
GROUPS: Final = 4
ALTERNATIVES: Final = {
    "script_requests": "xmltodict + requests, a PATCH a product",
    "bulk_pyakeneo": "pyakeneo, in bulk",
    "bulk_akeneo_api_client": "akeneo-api-client, in bulk",
    "load_dlt": "dlt, own destination",
}
CONNECTOR: Final = "this connector"
PYTHON: Final = ROOT / ".local" / "bench" / "bin" / "python"
SHARE: Final = 0.025
"""Of a contestant's calls answered with 429, and again of those cut: 5 %, at least one of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night of one contestant came to. `wrong` and `missing` count products."""

    who: str
    night: int
    faults: bool
    seconds: float
    calls: int
    lines: int
    megabytes: float
    wrong: int
    missing: int
    ended: str


class Cloud(BaseManager):
    """Gives a DynamoDB that lives in another process, as on AWS."""


Cloud.register("dynamodb", tables)


def nights(who: str, pim: SimulatedPim, exports: list[Path], *, faults: bool) -> list[Night]:
    """Let one contestant live through a night per export, beginning with an empty PIM."""
    pim.empty(catalogue.structure())
    command = (
        [sys.executable, "-m", "benchmarks.end_to_end", "--connector", pim.url, *map(str, exports)]
        if who == CONNECTOR
        else [str(PYTHON), f"benchmarks/alternatives/{who}.py", pim.url]
    )
    found: list[Night] = []
    with tempfile.TemporaryFile("w+") as said:
        process: subprocess.Popen[str] | None = None
        for number, export in enumerate(exports, start=1):
            pim.behave(**_weather(who, _records_in(export), faults=faults))
            pim.counted()
            began = time.perf_counter()
            if who == CONNECTOR:
                process = process or _started(command, said)
                told = json.loads(_asked(process))
                seconds, memory, ended = told["seconds"], told["megabytes"], told["ended"]
            else:
                process = _started([*command, str(export)], said)
                memory, ended = _waited_for(process, said)
                seconds = time.perf_counter() - began
            counted = pim.counted()
            wrong, missing = _compared(pim, number, _records_in(export))
            found.append(
                Night(
                    who=ALTERNATIVES.get(who, who),
                    night=number,
                    faults=faults,
                    seconds=seconds,
                    calls=sum(counted["calls"].values()),
                    lines=_lines(counted),
                    megabytes=memory,
                    wrong=wrong,
                    missing=missing,
                    ended=ended,
                )
            )
        if who == CONNECTOR and process is not None:
            process.communicate("")
    return found


def _weather(who: str, records: int, *, faults: bool) -> dict[str, Any]:
    """Set the speed, and faults: a call for one product cannot be cut, so it is broken off.

    Of thirty calls a share would strike none or three; so it is a number of the first ones.
    """
    speed = {"latency_ms": LINE_MILLISECONDS}
    if not faults:
        return speed
    single = who == "script_requests"
    struck = max(1, round(SHARE * (records if single else records / 100)))
    cut = "dropped_connections" if single else "cut_answers"
    return {
        **speed,
        "only": "PATCH",
        "too_many_requests": struck,
        cut: struck,
        "cut_after_lines": 40,
    }


def _started(command: list[str], said: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own programs
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'connector' / 'python'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if "--connector" in command else said,
        stderr=said,
        text=True,
    )


def _asked(process: subprocess.Popen[str]) -> str:
    """Let the connector's process go on with its next night, and read what came of it."""
    if process.stdin is None or process.stdout is None:
        raise SystemExit("the connector's process has no pipes")
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the connector's process ended early")
    return line


def _waited_for(process: subprocess.Popen[str], said: Any) -> tuple[float, str]:
    """Wait for a process to its end; give its peak memory in megabytes, and how it ended."""
    memory = 0.0
    while process.poll() is None:
        memory = max(memory, _peak_megabytes(process.pid))
        time.sleep(0.05)
    if process.stdin:
        process.stdin.close()
    said.seek(0)
    complaints = sum(1 for line in said if line.strip())
    said.seek(0)
    said.truncate()
    words = f"{complaints} lines of complaint" if complaints else "quietly"
    return memory, words if not process.returncode else "with an error"


def _peak_megabytes(process: int | str) -> float:
    """Read the peak of a process's memory; what `wait4` gives includes its parent's."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _lines(counted: dict[str, Any]) -> int:
    single: int = counted["calls"].get("PATCH /products/{code:path}", 0)
    in_bulk: int = sum(n for name, n in counted["lines"].items() if name.count(" ") == 1)
    return single + in_bulk


def _records_in(export: Path) -> int:
    content: bytes = export.read_bytes()
    return content.count(b"<product ")


def _compared(pim: SimulatedPim, night: int, records: int) -> tuple[int, int]:
    """Count products that hold something else than the export says, and those not there."""
    held = pim.products()
    wrong = missing = 0
    for product in catalogue.products(records, night=night):
        there = held.get(product["identifier"])
        if there is None:
            missing += 1
            continue
        family, values = there
        same = family == product["family"] and all(
            _plain(values.get(attribute)) == _plain(expected)
            for attribute, expected in product["values"].items()
        )
        wrong += not same
    return wrong, missing


def _plain(data: Any) -> Any:
    """Give data without the PIM's ways of writing amounts and dates."""
    if isinstance(data, dict):
        found = {key: _plain(part) for key, part in data.items()}
        if "amount" in found:
            found["amount"] = float(found["amount"])
        return found
    if isinstance(data, list):
        plain = [_plain(part) for part in data]
        return sorted(plain, key=json.dumps)
    return data.removesuffix("T00:00:00+00:00") if isinstance(data, str) else data


def connector(url: str, exports: list[str]) -> None:
    """Be the connector, with workers and queue in this process: a night for each line read."""
    with Cloud() as cloud:
        dynamodb = cloud.dynamodb()  # type: ignore[attr-defined]  # registered above
        account = Account(secret=SECRET, seconds=AWS_SECONDS, dynamodb=dynamodb)
        flow = Flow(account, catalogue.mapping(), url=url, groups=GROUPS)
        for number, export in enumerate(exports, start=1):
            sys.stdin.readline()
            before = Counter(flow.ends)
            began = time.perf_counter()
            flow.take_in(Path(export).read_bytes(), f"night-{number}.xml")
            flow.deliver()
            told = {
                "seconds": time.perf_counter() - began,
                "megabytes": _peak_megabytes("self"),
                "ended": ", ".join(
                    f"{count} {end}" for end, count in sorted((flow.ends - before).items())
                ),
            }
            print(json.dumps(told), flush=True)
        flow.close()


def measure(records: int, contestants: list[str]) -> Iterator[Night]:
    """Run all contestants, first without faults, then with them."""
    with simulated_pim() as pim, tempfile.TemporaryDirectory() as folder:
        exports = [Path(folder, f"night-{night}.xml") for night in (1, 2)]
        for night, export in enumerate(exports, start=1):
            catalogue.write_export(export, records, night=night)
        for faults in (False, True):
            for who in contestants:
                yield from nights(who, pim, exports, faults=faults)


def report(found: list[Night], records: int) -> Iterator[str]:
    """Write the section."""
    yield "## End to end, against the alternatives\n"
    yield measured_on("httpx", "lxml") + "\n"
    yield (
        f"{records:,} products of 12 attributes, the simulated PIM at {LINE_MILLISECONDS:g} ms a "
        "line (a fifth of the real one's 55: the simulator is the bottleneck, and a run has to end "
        "within minutes), four calls at once for all. In the second night 1 % of the products have "
        f"changed. Faults: {SHARE:.1%} of the writing calls, at least one, are answered with 429, "
        "as many are cut after 40 lines (a call for one product: the connection breaks before "
        "anything is written). "
        "*Lines* are products that the PIM looked at; *wrong* and *missing* are products in the "
        "PIM afterwards, against the export. Memory is the peak of the process; the connector's "
        "holds four workers, the queue and the bucket with both exports, which on AWS are "
        "elsewhere, and DynamoDB in a process of its own. AWS takes its time "
        "(`benchmarks/account.py`); cold starts are not in it.\n"
    )
    for faults in (False, True):
        yield f"### {'With' if faults else 'Without'} faults\n"
        head = ["", "night", "seconds", "calls", "lines", "memory, MB", "wrong", "missing"]
        rows = [
            (
                one.who,
                one.night,
                f"{one.seconds:.1f}",
                f"{one.calls:,}",
                f"{one.lines:,}",
                f"{one.megabytes:.0f}",
                one.wrong,
                one.missing,
            )
            for one in found
            if one.faults == faults
        ]
        yield table(head, rows) + "\n"
        yield from (
            f"- {one.who}, night {one.night}: {one.ended}" for one in found if one.faults == faults
        )
        yield ""


def main(arguments: list[str]) -> None:
    """Measure and write the section, or only see that it runs."""
    if arguments[:1] == ["--connector"]:
        connector(arguments[1], arguments[2:])
    elif "--short" in arguments:
        contestants = [CONNECTOR, *(ALTERNATIVES if PYTHON.exists() else ())]
        for night in measure(200, contestants):
            print(night)
    else:
        found = list(measure(RECORDS, [CONNECTOR, *ALTERNATIVES]))
        write_section("end-to-end", "\n".join(report(found, RECORDS)))


if __name__ == "__main__":
    main(sys.argv[1:])
