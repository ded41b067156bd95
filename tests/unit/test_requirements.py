"""What the code imports and what is installed for it are the same."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GIVEN_BY_LAMBDA = {"boto3", "botocore", "urllib3"}
"""urllib3 comes with botocore (docs/decisions)."""
OURS = {
    *("simulators", "pim_connector", "telemetry", "drafting", "cli", "local"),
    *("tests", "functions"),
}
OF_OTHERS = {"samcli", "samtranslator", "ministack"}
"""Imported by local/scan/translation.py and local/stack/shared_layers.py, which SAM's own Python
and the emulator's run."""
RUN_BY_NAME = {"tzdata", "setuptools"}
"""Needed without being imported: by zoneinfo, and to install this project."""


def imported(*folders: str) -> set[str]:
    """The third-party packages that the code of these folders imports when it runs."""
    return {
        name
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for name in _imports(ast.parse(path.read_text()))
        if name not in sys.stdlib_module_names | OURS and not name.startswith("mypy_boto3")
    }


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


def required(*names: str) -> set[str]:
    lines = [
        line for n in names for line in (ROOT / "requirements" / f"{n}.in").read_text().splitlines()
    ]
    found = (re.match(r"[A-Za-z0-9_-]+", line) for line in lines)
    return {match[0].lower().replace("_", "-") for match in found if match}


def distributions(packages: set[str]) -> set[str]:
    known = packages_distributions()
    return {known[name][0].lower().replace("_", "-") for name in packages}


def test_what_lambda_code_imports_is_in_the_layer_and_nothing_else_is() -> None:
    code = imported("functions", "layers/connector/python") - GIVEN_BY_LAMBDA

    assert distributions(code) == required("lambda") - RUN_BY_NAME


def test_what_the_command_line_and_the_simulators_import_is_installed() -> None:
    folders = ("functions", "layers/connector/python", "cli", "local", "simulators")
    code = imported(*folders) - {"botocore", "urllib3"} - OF_OTHERS

    assert distributions(code) == required("lambda", "cli", "local") - RUN_BY_NAME


def test_every_requirement_says_what_it_is_for() -> None:
    for path in (ROOT / "requirements").glob("*.in"):
        for line in path.read_text().splitlines():
            assert not line or "#" in line, f"{path.name}: {line}"


def test_every_package_is_pinned_with_hashes_and_no_registry_is_named() -> None:
    pinned = [*(ROOT / "requirements").glob("*.txt"), ROOT / "layers/dependencies/requirements.txt"]
    asked_for = {path.stem for path in (ROOT / "requirements").glob("*.in")}
    assert {path.stem for path in pinned} == asked_for - {"lambda"} | {"requirements"}
    for path in pinned:
        text = path.read_text()
        entries = re.findall(r"^[a-z0-9A-Z].*", text, re.MULTILINE)
        assert entries
        assert all("==" in entry for entry in entries), path
        assert text.count("--hash=sha256:") >= len(entries)
        assert "://" not in text
        assert "index-url" not in text
