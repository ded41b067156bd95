"""What a stack is deployed from, kept by content: built, compiled and unpacked once.

Each of the three makes thousands of files, and the next start would have to remove them; on a slow
disk that takes longer than everything else. A stack whose code nobody changed is started without.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.stack.bytecode import add_bytecode

ARTIFACTS = "artifacts"
KEPT = 3
TEMPLATES = ("template.yaml", "storage.yaml", "monitoring.yaml")
INPUTS = (*TEMPLATES, "samconfig.toml", "functions", "layers", "requirements/sam.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The build of one content.

    `artifacts` is what `sam build` made, with bytecode, once `complete` has seen to it; `layers` is
    where the emulator unpacks the layers it is given.
    """

    artifacts: Path
    layers: Path


def find(store: Path, root: Path, parameters: Mapping[str, str]) -> Build:
    """Give the build of what is in `root` now, whether it was made before or not."""
    folder = store / _content(root, parameters)
    return Build(artifacts=folder / ARTIFACTS, layers=folder / "layers")


def complete(build: Build, make: Callable[[], Path], *, spared: Path | None) -> None:
    """See that the artifacts are there; `make` builds them into a folder, which is taken over.

    Nobody changes what is there. The builds used last are kept, and the one with the artifacts
    `spared`. The caller sees to it that nobody else works on the same store.
    """
    folder = build.artifacts.parent
    if not build.artifacts.exists():
        made = make()
        add_bytecode(made)
        folder.mkdir(parents=True, exist_ok=True)
        made.rename(build.artifacts)
    os.utime(folder)
    _forget_old(folder.parent, spared)


def _content(root: Path, parameters: Mapping[str, str]) -> str:
    digest = hashlib.sha256(f"{sys.version} {sorted(parameters.items())}".encode())
    for path in _inputs(root):
        digest.update(f"\0{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _inputs(root: Path) -> Iterator[Path]:
    for name in INPUTS:
        under = [root / name] if (root / name).is_file() else sorted((root / name).rglob("*"))
        yield from (path for path in under if path.is_file() and path.suffix != ".pyc")


def _forget_old(store: Path, spared: Path | None) -> None:
    by_use = sorted(store.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_use[KEPT:]:
        if old / ARTIFACTS != spared:
            shutil.rmtree(old)
