"""Builds what a release consists of, the same bytes each time: `python -m local.release`.

The wheel of the command line, and for each Python and architecture an archive of what `sam build`
makes: unpacked, `sam deploy --guided` deploys it, and nothing has to be built. What cannot be built
on this machine is named and left out.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from local.stack.bytecode import add_bytecode
from local.stack.places import ROOT, SAM_VENV

DIST: Final = ROOT / "dist"
ROW: Final = re.compile(r'^(    "false": )\{ Python: \S+, Architecture: \S+ \}$', re.MULTILINE)
"""The line of template.yaml that says what is built and what it runs on."""
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive; zip knows none before."""


class Variant(NamedTuple):
    """What functions and layers are built for."""

    python: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.python}-{self.architecture}"


VARIANTS: Final = tuple(
    Variant(python, architecture)
    for python in ("python3.13", "python3.12", "python3.11")
    for architecture in ("arm64", "x86_64")
)


class ReleaseError(Exception):
    """Something could not be built; the message has what was printed."""


def version() -> str:
    """Return the version of this checkout, which pyproject.toml says."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def built_for(template: str, variant: Variant) -> str:
    """Return the template with the one line changed that says what is built and runs."""
    row = rf"\g<1>{{ Python: {variant.python}, Architecture: {variant.architecture} }}"
    changed, times = ROW.subn(row, template)
    if times != 1:
        raise ReleaseError("template.yaml has no row `false` in its mapping Build: put it back")
    return changed


def archive(folder: Path, target: Path) -> None:
    """Zip the folder so that the same files make the same bytes, wherever and whenever."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EARLIEST)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def release(variants: tuple[Variant, ...], dist: Path) -> Iterator[str]:
    """Build it all into `dist`, and say line by line what was built and what was not."""
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "checkout"
        _copy(checkout)
        yield _wheel(checkout, dist)
        template = (checkout / "template.yaml").read_text()
        for variant in variants:
            if shutil.which(variant.python) is None:
                yield f"not built: {variant}: {variant.python} is not on the PATH"
                continue
            (checkout / "template.yaml").write_text(built_for(template, variant))
            yield _stack(checkout, variant, dist)
    sums = [f"{_sum(path)}  {path.name}\n" for path in sorted(dist.iterdir())]
    (dist / "SHA256SUMS").write_text("".join(sums))


def _copy(target: Path) -> None:
    """Copy what the repository has, and nothing that lies about in the folder."""
    for name in _run(["git", "ls-files"], ROOT).splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


def _wheel(checkout: Path, dist: Path) -> str:
    seconds = _run(["git", "log", "-1", "--format=%ct"], ROOT).strip()
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(dist), "."]
    _run(wheel, checkout, {"SOURCE_DATE_EPOCH": seconds, "TZ": "UTC"})
    [built] = dist.glob("*.whl")
    return f"built: {built.name}"


def _stack(checkout: Path, variant: Variant, dist: Path) -> str:
    built = checkout / ".aws-sam" / "build"
    sam = [str(SAM_VENV / "bin" / "sam"), "build"]
    _run(sam, checkout, {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"})
    for stray in built.rglob("__pycache__"):
        shutil.rmtree(stray)
    if variant.python == f"python{sys.version_info.major}.{sys.version_info.minor}":
        add_bytecode(built)
    shutil.copyfile(checkout / "samconfig.toml", built / "samconfig.toml")
    name = f"pim-connector-{version()}-{variant}.zip"
    archive(built, dist / name)
    return f"built: {name}"


def _run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603  our own command lines
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    """Build a release, or only the variants that are named."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--only", action="append", choices=[str(each) for each in VARIANTS])
    only = parser.parse_args(arguments).only
    chosen = tuple(each for each in VARIANTS if only is None or str(each) in only)
    try:
        for line in release(chosen, DIST):
            print(line, flush=True)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"pim-connector {version()} lies in {DIST.name}/, with SHA256SUMS")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
