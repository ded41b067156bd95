"""MiniStack, whose functions share one unpacked copy of each layer; a script for its own Python.

    .local/emulator/bin/python local/stack/shared_layers.py FOLDER

MiniStack unpacks every layer anew for every worker: 4,000 files and 75 MB, seconds of each cold
start, and as long again to remove them. On AWS a layer is mounted read-only, not copied.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sys
import threading
import types
import zipfile
from pathlib import Path
from typing import Any

LAYER = "layer_"
"""Beginning of the folder's name that MiniStack unpacks a layer into."""


class SharedArchive(zipfile.ZipFile):
    """An archive that is unpacked once, if it is a layer; after that its folder is a link."""

    store: Path
    _unpacking = threading.Lock()

    def namelist(self) -> list[str]:
        """Names that MiniStack looks at, one by one, for ways out of the folder; once will do."""
        return [] if self._shared.exists() else super().namelist()

    def extractall(self, path: Any = None, *others: Any, **named: Any) -> None:
        """Unpack into `path`, an empty folder."""
        folder = Path(path)
        if not folder.name.startswith(LAYER):
            super().extractall(path, *others, **named)
            return
        with self._unpacking:
            if not self._shared.exists():
                self._unpack()
        folder.rmdir()
        folder.symlink_to(self._shared)
        Path(str(self.filename)).unlink()  # 17 MB for each worker, and nobody reads it again

    def _unpack(self) -> None:
        draft = self._shared.with_suffix(f".{os.getpid()}")
        super().extractall(draft, super().namelist())
        try:
            draft.rename(self._shared)
        except OSError:  # another emulator was first
            shutil.rmtree(draft)

    @functools.cached_property
    def _shared(self) -> Path:
        with Path(str(self.filename)).open("rb") as archive:
            digest = hashlib.file_digest(archive, "sha256").hexdigest()
        return self.store / digest


def share(runtime: Any, store: Path) -> None:
    """Have MiniStack's module that starts workers unpack layers into `store`."""
    SharedArchive.store = store
    names = {name: getattr(zipfile, name) for name in zipfile.__all__}
    runtime.zipfile = types.SimpleNamespace(**{**names, "ZipFile": SharedArchive})


if __name__ == "__main__":
    from ministack import app  # type: ignore[import-not-found]  # in the emulator's environment
    from ministack.core import lambda_runtime  # type: ignore[import-not-found]

    share(lambda_runtime, Path(sys.argv.pop(1)))
    sys.exit(app.main())
