"""Every command line that help and documents show is run, as it stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from cli.reference import commands, examples, page
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from tests.integration.mapper.examples import CATALOG
from tests.integration.operator import MOTO, Operator
from tests.integration.shop import MAPPING, export, item, serving
from tests.integration.stack import ROOT, credentials

AKENEO = "https://example.cloud.akeneo.com"
RUN = "20261120T220000Z-erp-1a2b3c4d5e"
ORIGIN = "source: {reversible: true, exports: full, missing_products: disable}\n"
ELSEWHERE = {
    "pim-connector app": "asks for the secret of an app, and needs a PIM that has one",
    "pim-connector up": "starts servers: the demo runs it",
    "pim-connector down": "the demo runs it",
    "pim-connector import .local/demo": "the demo's own file: the demo imports it",
    "pim-connector assets": "needs a DAM: tests/integration/test_assets_preview.py and assets/",
}
MAY_END = {
    "pim-connector replay": {1},  # the record is rejected again, and it is the only one
    "pim-connector status": {1},
    "pim-connector import": {4},  # products of the run before are missing
    "pim-connector rejects": {3},
    "pim-connector discard": {2},  # it was approved the line before
}
"""Exit statuses beside 0 and 3 (records were rejected) that are right in this world."""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pim, str]]:
    with serving() as server:
        yield server


@pytest.fixture
def operator(
    server: tuple[Pim, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Operator]:
    credentials(monkeypatch)
    pim, url = server
    pim.clear(from_resources(CATALOG))
    monkeypatch.chdir(tmp_path)
    for name in ("mapping.yaml", "erp.yaml"):
        Path(name).write_text(MAPPING + ORIGIN)
    Path("export.xml").write_text(export(item(1), item(3)))
    Path("profiles.toml").write_text(
        f'[staging]\nurl = "{url}"\nclient_id = "c"\nsecret = "s"\nusername = "u"\npassword = "p"\n'
    )
    monkeypatch.setenv("PIM_CONNECTOR_PROFILES", str(tmp_path / "profiles.toml"))
    with mock_aws(config=MOTO), Operator.at_work(pim, url, monkeypatch, capsys) as operator:
        pull = "structure pull --pim staging -o"
        for name in ("structure.json", "pim.json"):
            assert operator.types(*pull.split(), name).status == 0
        yield operator


def held_run(operator: Operator) -> str:
    """Make a run that every command has something to say about: rejected, held, reversible."""
    operator.types("config", "push", "erp", "mapping.yaml")
    Path("night1.xml").write_text(export(item(1), item(2)))
    Path("night2.xml").write_text(export(item(1, name="Shoe"), item(3, code="too long")))
    first = operator.types("import", "night1.xml", "--source", "erp", "--json").json
    if first["hold"]:
        operator.types("approve", str(first["run"]))
    run = operator.types("import", "night2.xml", "--source", "erp", "--json").json
    assert (run["rejected"], run["hold"] is not None) == (1, True)
    return str(run["run"])


def shown(page: str) -> list[str]:
    """Give the command lines of a page, without the place and the comment."""
    text = (ROOT / page).read_text()
    lines = re.findall(r"^ *(?:\.venv/bin/)?(pim-connector .*)$", text, re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in lines]


def run_all(operator: Operator, lines: list[str]) -> None:
    run = ""
    for shown_line in lines:
        line, _, written = re.sub(r"\bRUN\b", RUN, shown_line).partition(" > ")
        if line.startswith(tuple(ELSEWHERE)):
            continue
        if RUN in line:
            run = run or held_run(operator)
        elif line.startswith("pim-connector import"):
            run = ""  # a newer file: about the last one there is nothing to confirm any more
        if line.startswith("pim-connector mapping init") and not written:
            Path("erp.yaml").unlink()  # it writes the file that others read
        said = operator.types(*shlex.split(line.replace(RUN, run))[1:])
        if written:
            Path(written).write_text(said.out)
        allowed = {0, 3} | MAY_END.get(" ".join(shlex.split(line)[:2]), set())
        assert said.status in allowed, f"{line}: {said.status}\n{said.out}\n{said.err}"


def test_every_command_shows_an_example_and_every_example_runs(operator: Operator) -> None:
    shown = {name: examples(text) for name, text in commands()}
    assert [name for name, lines in shown.items() if not lines] == []
    run_all(operator, [line for lines in shown.values() for line in lines])


@pytest.mark.parametrize(
    ("page", "least"),
    [
        ("README.md", 4),
        ("docs/getting-started.md", 7),
        ("docs/mapping.md", 2),
        ("docs/operations.md", 16),
    ],
)
def test_every_command_of_a_page_runs_in_its_order(
    operator: Operator,
    server: tuple[Pim, str],
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    least: int,
) -> None:
    for name in ("CLIENT_ID", "SECRET", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"AKENEO_{name}", name[0].lower())
    lines = [line.replace(AKENEO, server[1]) for line in shown(page)]
    assert len(lines) >= least
    run_all(operator, lines)


def test_the_page_of_the_command_line_is_what_help_says() -> None:
    again = "write it again: python -m cli.reference > docs/command-line.md"
    assert (ROOT / "docs/command-line.md").read_text() == page(), again
