"""A base image for `sam local invoke`, made of this machine's own Python.

The layout is that of AWS's image: Python at /var/lang, the runtime client at /var/runtime, the
function at /var/task, layers at /opt. The operating system below it is this machine's, so it proves
template, packaging, layers, handlers and wiring, and not that wheels fit Amazon Linux.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from local.docker.engine import Engine
from local.stack.places import ROOT

REPOSITORY = "pim-connector-lambda"
REQUIREMENTS = ROOT / "requirements" / "runtime.txt"
TOOLS = ("sh", "cat", "chmod", "cp", "ls", "mkdir", "mv", "rm")
"""What the Dockerfile that sam writes around a layer calls."""
MANYLINUX = (
    *("libc.so.6", "libm.so.6", "librt.so.1", "libdl.so.2", "libpthread.so.0", "libutil.so.1"),
    *("libresolv.so.2", "libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1", "libstdc++.so.6"),
)
"""What a wheel may expect of every system (https://peps.python.org/pep-0600/), and host names."""
UNUSED = ("test", "idlelib", "tkinter", "turtledemo", "site-packages", "ensurepip", "config-*")
BOOTSTRAP = """#!/var/lang/bin/{python}
import os, sys
# In AWS's order: the function before its layers, and the runtime's own packages last.
sys.path[:0] = [os.environ.get("LAMBDA_TASK_ROOT", "/var/task"), "/opt/python", "/var/runtime"]
from awslambdaric.__main__ import main
os.environ.setdefault("PATH", "/var/lang/bin:/usr/bin:/bin")
main(["awslambdaric", os.environ["_HANDLER"]])
"""


def ensure(engine: Engine) -> str:
    """Give the name of the image, after building it if the engine does not have it yet."""
    name = f"{REPOSITORY}:{_version()}-{_digest()}"
    if engine.request("GET", f"/images/{name}/json").status == 200:
        return name
    with tempfile.TemporaryFile() as archive:
        _write_root(archive)
        archive.seek(0)
        changes = "&".join(
            f"changes={change}"
            for change in (
                "WORKDIR%20/var/task",
                "ENV%20LD_LIBRARY_PATH=/var/lang/lib:/lib:/usr/lib",
            )
        )
        repository, _, tag = name.partition(":")
        path = f"/images/create?fromSrc=-&repo={repository}&tag={tag}&{changes}"
        answer = engine.request("POST", path, body=archive)
        text = answer.read().decode(errors="replace")
    if answer.status != 200 or '"error"' in text:
        raise RuntimeError(f"the base image was not taken: {text[-500:]}")
    return name


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _digest() -> str:
    """Tell images apart that were made from other files or by another version of this module."""
    content = sys.version.encode() + REQUIREMENTS.read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def _write_root(archive: BinaryIO) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _add_python(root)
        _add_runtime(root)
        _add_tools(root)
        for name in ("tmp", "var/task", "opt", "etc", "usr/lib"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "tmp").chmod(0o1777)
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        # Last, because what pip installed brings needs of its own.
        _add_libraries(root, _compiled_mappings(root))
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(root, arcname=".")


def _add_python(root: Path) -> None:
    prefix = Path(sys.base_prefix)
    library = f"lib/python{_version()}"
    (root / "var/lang/bin").mkdir(parents=True)
    python = f"python{_version()}"
    shutil.copy2(prefix / "bin" / python, root / "var/lang/bin" / python)
    (root / "var/lang/bin/python3").symlink_to(python)
    ignore = shutil.ignore_patterns("__pycache__", *UNUSED)
    shutil.copytree(prefix / library, root / "var/lang" / library, ignore=ignore, symlinks=True)
    for shared in (prefix / "lib").glob("libpython*.so*"):
        shutil.copy2(shared, root / "var/lang/lib" / shared.name)


def _add_runtime(root: Path) -> None:
    runtime = root / "var/runtime"
    install = ["-m", "pip", "install", "-q", "-q", "--no-deps", "--no-compile", "--require-hashes"]
    subprocess.run(  # noqa: S603
        [sys.executable, *install, "-r", str(REQUIREMENTS), "--target", str(runtime)], check=True
    )
    bootstrap = runtime / "bootstrap"
    bootstrap.write_text(BOOTSTRAP.format(python=f"python{_version()}"))
    bootstrap.chmod(0o755)


def _add_tools(root: Path) -> None:
    (root / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin")
        if found is None:
            raise RuntimeError(f"{tool} is not on this machine")
        shutil.copy2(Path(found).resolve(), root / "bin" / tool)


def _compiled_mappings(root: Path) -> Iterator[Path]:
    yield from (root / "bin").iterdir()
    yield root / f"var/lang/bin/python{_version()}"
    yield from (path for path in root.rglob("*.so*") if path.is_file())


def _add_libraries(root: Path, compiled_mappings: Iterable[Path]) -> None:
    wanted: set[Path] = set()
    for compiled in compiled_mappings:
        listed = subprocess.run(  # noqa: S603
            ["ldd", str(compiled)],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        wanted.update(map(Path, re.findall(r"(/\S+\.so\S*) \(0x", listed.stdout)))
    (system,) = {library.parent for library in wanted if library.name == "libc.so.6"}
    wanted.update(system / name for name in MANYLINUX if (system / name).exists())
    for library in wanted:
        target = root / library.relative_to("/")
        if not target.exists() and not library.is_relative_to(root):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, target)
