"""A release is one version everywhere, and the same bytes each time it is built."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import pytest

from local.release import VARIANTS, ReleaseError, Variant, archive, built_for, version
from tests.unit.test_template import ROOT, TEMPLATE


def test_template_and_command_line_have_one_version(capsys: pytest.CaptureFixture[str]) -> None:
    from cli.app import build

    with pytest.raises(SystemExit) as ended:
        build()(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"pim-connector {version()}\n"
    assert TEMPLATE["Mappings"]["Release"]["This"]["Version"] == version()


def test_a_released_version_is_in_the_changelog() -> None:
    heads = re.findall(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", head) for head in heads[1:])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_the_one_line_that_decides(variant: Variant) -> None:
    template = (ROOT / "template.yaml").read_text()
    changed = built_for(template, variant)

    different = [
        new
        for old, new in zip(template.splitlines(), changed.splitlines(), strict=True)
        if old != new
    ]
    row = f'    "false": {{ Python: {variant.python}, Architecture: {variant.architecture} }}'
    assert different in ([], [row])
    assert row in changed.splitlines()


def test_a_template_without_that_line_cannot_be_released() -> None:
    with pytest.raises(ReleaseError, match="mapping Build"):
        built_for("Mappings: {}", VARIANTS[0])


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    packed: list[bytes] = []
    for name, names in (("one", ("a", "b")), ("two", ("b", "a"))):
        folder = tmp_path / name / "deep"
        folder.mkdir(parents=True)
        for file in names:
            (folder / file).write_text(file)
        os.utime(folder / "a", (len(packed), len(packed)))
        (folder / "b").chmod(0o600 if packed else 0o755)
        archive(tmp_path / name, tmp_path / f"{name}.zip")
        packed.append((tmp_path / f"{name}.zip").read_bytes())

    assert packed[0] == packed[1]
    with zipfile.ZipFile(tmp_path / "one.zip") as found:
        assert found.namelist() == ["deep/a", "deep/b"]


@pytest.mark.parametrize("name", ["ci.yaml", "release.yaml"])
def test_a_workflow_runs_what_a_person_runs(name: str) -> None:
    workflow = (ROOT / ".github" / "workflows" / name).read_text()
    targets = re.findall(r"^(\S+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)

    run = re.findall(r"\bmake (\S+)", workflow)
    assert run
    assert set(run) <= set(targets)
