"""Builds are made once for each content, and forgotten when newer ones have been used."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.stack import builds

PARAMETERS = {"PythonRuntime": "python3.13"}


@dataclass
class Checkout:
    """A project with one function, and what stands in for `sam build`: it copies that function."""

    root: Path
    made: list[str] = field(default_factory=list)

    def edit(self, text: str, name: str = "functions/hello/handler.py") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, parameters: dict[str, str] = PARAMETERS) -> builds.Build:
        return builds.find(self.root / "store", self.root, parameters)

    def make(self) -> Path:
        text = (self.root / "functions/hello/handler.py").read_text()
        self.made.append(text)
        built = self.root / "built"
        built.mkdir()
        (built / "handler.py").write_text(text)
        return built

    def complete(self, *, spared: Path | None = None) -> builds.Build:
        build = self.build()
        builds.complete(build, self.make, spared=spared)
        return build


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    found = Checkout(tmp_path)
    found.edit("Resources: {}", "template.yaml")
    found.edit("def answer(): return 42\n")
    return found


def test_what_nobody_changed_is_built_once(checkout: Checkout) -> None:
    first, second = checkout.complete(), checkout.complete()

    assert first == second
    assert (first.artifacts / "handler.py").read_text() == "def answer(): return 42\n"
    assert len(checkout.made) == 1


@pytest.mark.parametrize(
    "name", ["template.yaml", "functions/hello/handler.py", "layers/own/new.py", "samconfig.toml"]
)
def test_a_change_anywhere_is_another_build(checkout: Checkout, name: str) -> None:
    before = checkout.build()
    checkout.edit("x = 1\n", name)

    assert checkout.build() != before


def test_another_python_or_processor_is_another_build(checkout: Checkout) -> None:
    assert checkout.build() != checkout.build({"PythonRuntime": "python3.12"})


def test_what_python_compiled_in_passing_is_no_change(checkout: Checkout) -> None:
    before = checkout.build()
    checkout.edit("", "functions/hello/__pycache__/handler.cpython-313.pyc")

    assert checkout.build() == before


def test_what_is_built_runs_from_bytecode(checkout: Checkout) -> None:
    artifacts = checkout.complete().artifacts
    # The bytecode is trusted without a look at the source, so what it says is what runs.
    (artifacts / "handler.py").write_text("def answer(): return 'from source'\n")

    said = subprocess.run(
        [sys.executable, "-c", "import handler; print(handler.answer())"],
        cwd=artifacts,
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "42\n"


def test_a_build_that_fails_is_made_again(checkout: Checkout) -> None:
    def fail() -> Path:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        builds.complete(checkout.build(), fail, spared=None)

    assert (checkout.complete().artifacts / "handler.py").exists()


def test_the_builds_used_last_are_kept_and_the_one_of_the_stack_that_is_up(
    checkout: Checkout,
) -> None:
    made: list[builds.Build] = []
    for number in range(builds.KEPT + 2):
        checkout.edit(f"def answer(): return {number}\n")
        build = checkout.complete(spared=made[0].artifacts if made else None)
        os.utime(build.artifacts.parent, (number, number))
        made.append(build)

    up, old, *last = made
    assert up.artifacts.exists()
    assert not old.artifacts.exists()
    assert all(build.artifacts.exists() for build in last)


def test_a_build_that_is_used_again_counts_as_new(checkout: Checkout) -> None:
    oldest = checkout.complete()
    os.utime(oldest.artifacts.parent, (0, 0))
    checkout.complete()
    for number in range(builds.KEPT - 1):
        checkout.edit(f"def answer(): return {number}\n")
        build = checkout.complete()
        os.utime(build.artifacts.parent, (number + 1, number + 1))
    checkout.edit("def answer(): return None\n")
    checkout.complete()

    assert oldest.artifacts.exists()
