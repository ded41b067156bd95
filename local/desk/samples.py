"""Exports to try a mapping on: the demo's, those in the bucket, and ones brought along."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import uuid4

from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from cli.target import Target

DEMO: Final = "demo"
FOLDERS: Final = ("incoming/", "done/", "failed/")
MOST_BYTES: Final = 64 * 1024**2
MOST_FILES: Final = 50


@dataclass(slots=True)
class Samples:
    """Keeps copies in a folder of its own, which goes with the process."""

    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="pim-connector-desk-")
    )
    _brought: dict[str, str] = field(default_factory=dict)

    def names(self, target: Target | None) -> Iterator[tuple[str, str]]:
        """Give name and label of each sample there is to choose from."""
        yield DEMO, "the demo's export"
        yield from self._brought.items()
        if target:
            for folder in FOLDERS:
                for key in islice(target.bucket().keys(folder), MOST_FILES):
                    yield f"s3:{key}", key

    def bring(self, name: str, file: BinaryIO) -> str:
        """Keep a file that somebody brought, and give it a name."""
        chosen = f"brought:{uuid4().hex}"
        with self._path(chosen).open("wb") as copy:
            shutil.copyfileobj(file, copy)
        self._brought[chosen] = name
        return chosen

    def path(self, name: str, target: Target | None) -> Path:
        """Give a sample as a file. ConfigurationError where there is none, or it is too large."""
        path = self._path(name)
        if name == DEMO:
            if not path.exists():
                path.write_bytes(_demo())
        elif name.startswith("s3:") and target:
            return self._from_bucket(name.removeprefix("s3:"), target)
        elif name not in self._brought:
            raise ConfigurationError(f"there is no sample {name!r}: choose another")
        return path

    def folder(self) -> Path:
        return Path(self._folder.name)

    def close(self) -> None:
        self._folder.cleanup()

    def _path(self, name: str) -> Path:
        return self.folder() / hashlib.sha256(name.encode()).hexdigest()

    def _from_bucket(self, key: str, target: Target) -> Path:
        bucket = target.bucket()
        stored = bucket.describe(key) if key.startswith(FOLDERS) else None
        if stored is None:
            raise ConfigurationError(f"{key} is not in the bucket any more: choose another sample")
        if stored.size > MOST_BYTES:
            raise ConfigurationError(
                f"{key} has {stored.size:,} bytes, more than the {MOST_BYTES:,} that a sample may "
                "have here: cut it, or use `pim-connector preview`"
            )
        path = self._path(f"{key}\0{stored.version}")
        if not path.exists():
            with bucket.open(stored) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        return path


def _demo() -> bytes:
    from local.demo.assortment import assortment
    from local.demo.export import export

    return export(assortment(1))
