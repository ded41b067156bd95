"""Files that are named on the command line: read whole, opened again and again, written whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import Structure


def read(path: Path) -> bytes:
    """Give what a file holds; ConfigurationError names the file and why not."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error


def opener(path: Path) -> Callable[[], BinaryIO]:
    """Checks now that the file is there; it may be opened several times later."""
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file")
    return lambda: path.open("rb")


def write(path: Path, data: bytes) -> None:
    """Write it whole or not at all, because half a file looks like a whole small one."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def structure(path: Path | None) -> Structure | None:
    """Give the PIM's structure from a file of `structure pull`, where one is named."""
    from pim_connector.akeneo.structure import Structure

    return None if path is None else Structure.from_json(read(path), name=str(path))
