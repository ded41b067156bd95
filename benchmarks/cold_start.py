"""What a cold start takes: importing each handler, composing it, and how large what it loads is.

    python -m benchmarks.cold_start [--short]

Compared in turns with `import boto3, httpx, lxml.etree` alone. Only the packages that are in the
layer and in Lambda's runtime can be imported, each start is a process of its own, and what counts
is processor time, the least of several starts. Layers of `sam build` hold sources only and are
read-only, so each cold start compiles what it imports of them; with no bytecode at all is the upper
bound of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from benchmarks.pim import ROOT
from benchmarks.results import measured_on, table, write_section

LAYER: Final = ROOT / "layers" / "connector" / "python"
REQUIREMENTS: Final = (
    ROOT / "layers" / "dependencies" / "requirements.txt",
    ROOT / "requirements" / "runtime.txt",
)
FUNCTIONS: Final = tuple(sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py")))
BARE: Final = "boto3, httpx, lxml.etree"
TURNS: Final = 25
_NAMES: Final = (
    "AKENEO_SECRET_ARN",
    "BUCKET",
    "EVENT_BUS",
    "CONSOLE_KEY_ARN",
    "STACK_NAME",
    "SYNC_STATE_TABLE",
    "RUN_TABLE",
    "STATE_TABLE",
)
_ADDRESSES: Final = (
    "AKENEO_URL",
    "ASSET_DEAD_LETTER_QUEUE_URL",
    "ASSET_QUEUE_URL",
    "PRODUCT_QUEUE_URL",
    "PRODUCT_DEAD_LETTER_QUEUE_URL",
)
ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    **dict.fromkeys(_NAMES, "name"),
    **dict.fromkeys(_ADDRESSES, "https://example.invalid/x.fifo"),
    "CONCURRENT_CALLS": "4",
    "TRIGGER": "upload",
    "PARENT_WAIT_MINUTES": "60",
    "ASSET_CONCURRENT_CALLS": "2",
}
_DEFERRED: Final = """
Imported only when it is needed, and so not in these numbers: cryptography (the first signature of \
SNS or Adobe), anyascii (codes of other scripts), Jinja2 (housekeeping closes a run), zoneinfo (a \
DAM's stamps have a time zone), difflib (something in a file is wrong). PyYAML, 14 ms of which 6 \
compile one regular expression, is not: whoever imports it reads a file with it on its first \
job. The mapper went without Powertools' batch processor, and 30 ms: it brings the classes of \
every event source, and asyncio; a batch of one message needs six lines."""
_COMPILED: Final = """
import sys
sys.path[:0] = {paths!r}
import json, time
began = time.process_time()
{imports}
imported = time.process_time()
{compose}
ended = time.process_time()
print(json.dumps([imported - began, ended - imported, len(sys.modules)]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Seconds of processor time to import and to compose, and how many modules were loaded."""

    name: str
    imports: float
    compose: float
    modules: int


def starts(turns: int, packages: Path, *, compiled: bool) -> list[Start]:
    """Measure all functions, the bare imports first in every turn."""
    found: dict[str, list[Start]] = {}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(turns + compiled):
            for name in (BARE, *FUNCTIONS):
                found.setdefault(name, []).append(_start(name, packages, cache, compiled))
    return [
        Start(
            name=name,
            imports=min(one.imports for one in each),
            compose=min(one.compose for one in each),
            modules=each[-1].modules,
        )
        for name, each in found.items()
    ]


def _start(name: str, packages: Path, cache: str, compiled: bool) -> Start:
    paths = [str(packages)] if name == BARE else _paths(name, packages)
    program = _COMPILED.format(
        paths=paths,
        imports=f"import {BARE}" if name == BARE else "import handler",
        compose="" if name == BARE else "getattr(handler, 'parts', lambda: None)()",
    )
    more = {"PYTHONPYCACHEPREFIX": cache} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
    if not compiled:
        more["PYTHONPYCACHEPREFIX"] = f"{cache}/none"
    environment = {"PATH": os.environ["PATH"], **ENVIRONMENT, **more}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-S", "-s", "-c", program],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    imports, compose, modules = json.loads(done.stdout)
    return Start(name=name, imports=imports, compose=compose, modules=modules)


def _paths(function: str, packages: Path) -> list[str]:
    return [str(ROOT / "functions" / function), str(LAYER), str(packages)]


def lay_out(folder: Path) -> dict[str, int]:
    """Link what the layer and the runtime hold into a folder; give the layer's bytes by package."""
    sizes: dict[str, int] = {}
    for place, requirements in enumerate(REQUIREMENTS):
        for name in re.findall(r"^([A-Za-z0-9_.-]+)==", requirements.read_text(), re.MULTILINE):
            try:
                files = metadata.files(name) or []
            except metadata.PackageNotFoundError:
                continue  # only for other systems
            inside = [f for f in files if ".." not in f.parts and "__pycache__" not in f.parts]
            for top in {file.parts[0] for file in inside}:
                link = folder / top
                if not link.exists():
                    source = Path(str(metadata.distribution(name).locate_file(top)))
                    link.symlink_to(source.resolve())
            if place == 0:
                sizes[name] = sum(_size(Path(str(file.locate()))) for file in inside)
    return sizes


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def dearest(function: str, packages: Path, count: int = 8) -> list[tuple[str, float]]:
    """Name what takes longest by itself, with milliseconds: -X importtime, the least of several."""
    program = f"import sys; sys.path[:0] = {_paths(function, packages)!r}; import handler"
    least: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(TURNS):
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-S", "-s", "-X", "importtime", "-c", program],
                env={"PATH": os.environ["PATH"], **ENVIRONMENT, "PYTHONPYCACHEPREFIX": cache},
                check=True,
                capture_output=True,
                text=True,
            )
            for took, module in re.findall(
                r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done.stderr
            ):
                least[module] = min(int(took), least.get(module, int(took)))
    taken: dict[str, float] = {}
    for module, microseconds in least.items():
        top = module.partition(".")[0]
        taken[top] = taken.get(top, 0.0) + microseconds / 1000
    return sorted(taken.items(), key=lambda each: -each[1])[:count]


def report(
    compiled: list[Start],
    sources: list[Start],
    sizes: dict[str, int],
    heavy: list[tuple[str, float]],
) -> Iterator[str]:
    """Write the section."""
    yield "## Cold start\n"
    yield measured_on("boto3", "httpx", "lxml", "msgspec") + "\n"
    yield (
        "Milliseconds of processor time, the least of several starts, in turns. *Compose* is the "
        "first call of `parts()`, where a handler has one: boto3's clients and what is built on "
        "them. The ratio is that of the imports alone; goal: 1.3.\n"
    )
    for title, found in (
        ("With bytecode", compiled),
        (
            "Without any bytecode (layers of `sam build` have none, Lambda's own packages have)",
            sources,
        ),
    ):
        bare = found[0].imports
        yield f"### {title}\n"
        yield (
            table(
                ["", "import, ms", "ratio", "compose, ms", "modules"],
                [
                    (
                        one.name,
                        f"{one.imports * 1000:.0f}",
                        f"{one.imports / bare:.2f}",
                        f"{one.compose * 1000:.0f}" if one.compose > 0.001 else "",
                        one.modules,
                    )
                    for one in found
                ],
            )
            + "\n"
        )
    total = sum(sizes.values())
    ours = sum(path.stat().st_size for path in LAYER.rglob("*") if path.suffix != ".pyc")
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:5]
    yield (
        f"The dependencies' layer holds {total / 1e6:.1f} MB unpacked, most of it "
        + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in largest)
        + f"; the connector's own {ours / 1e6:.1f} MB. Lambda allows 250 MB."
    )
    yield (
        "\nWhere the mapper's import goes (`-X importtime`, milliseconds by themselves): "
        + ", ".join(f"{name} {took:.0f}" for name, took in heavy)
        + "."
    )
    yield _DEFERRED


def main(short: bool) -> None:
    """Measure and write the section, or only see that it runs."""
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder)
        sizes = lay_out(packages)
        if short:
            print(*starts(1, packages, compiled=False), sep="\n")
            return
        compiled = starts(TURNS, packages, compiled=True)
        sources = starts(TURNS // 4, packages, compiled=False)
        heavy = dearest("mapper", packages)
    write_section("cold-start", "\n".join(report(compiled, sources, sizes, heavy)))


if __name__ == "__main__":
    main("--short" in sys.argv)
