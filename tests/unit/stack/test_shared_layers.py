"""Layers are unpacked once for all functions, code for each of them."""

from __future__ import annotations

import shutil
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local.stack import shared_layers


@pytest.fixture
def runtime(tmp_path: Path) -> Any:
    """A module that unpacks as MiniStack's does, through the name `zipfile` in it."""
    module = types.SimpleNamespace(zipfile=zipfile)
    shared_layers.share(module, tmp_path / "layers")
    return module


def unpack(runtime: Any, archive: Path, folder: Path) -> list[str]:
    folder.mkdir(parents=True)
    copied = shutil.copy(archive, folder.with_suffix(".zip"))
    with runtime.zipfile.ZipFile(copied) as opened:
        names: list[str] = opened.namelist()
        opened.extractall(folder)
    return names


def archive(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name, text in files.items():
            written.writestr(f"python/{name}.py", text)
    return path


def test_two_workers_share_one_copy_of_a_layer(runtime: Any, tmp_path: Path) -> None:
    layer = archive(tmp_path / "layer.zip", one="x = 1")
    folders = [tmp_path / worker / "layer_0" for worker in ("splitter", "mapper")]

    looked_at = [unpack(runtime, layer, folder) for folder in folders]

    assert looked_at == [["python/one.py"], []]
    assert [(folder / "python" / "one.py").read_text() for folder in folders] == ["x = 1"] * 2
    assert not list(tmp_path.glob("*/*.zip"))
    (shared,) = (tmp_path / "layers").iterdir()
    assert {folder.resolve() for folder in folders} == {shared}


def test_an_emulator_that_was_overtaken_takes_what_is_there(runtime: Any, tmp_path: Path) -> None:
    layer = archive(tmp_path / "layer.zip", one="x = 1")
    with runtime.zipfile.ZipFile(layer) as opened:
        unpack(runtime, layer, tmp_path / "other" / "layer_0")
        opened._unpack()

    assert len(list((tmp_path / "layers").iterdir())) == 1


def test_layers_of_other_content_are_apart(runtime: Any, tmp_path: Path) -> None:
    for number in (0, 1):
        layer = archive(tmp_path / f"{number}.zip", one=f"x = {number}")
        unpack(runtime, layer, tmp_path / "worker" / f"layer_{number}")

    read = [(tmp_path / "worker" / f"layer_{n}/python/one.py").read_text() for n in (0, 1)]
    assert read == ["x = 0", "x = 1"]


def test_a_functions_code_is_its_own(runtime: Any, tmp_path: Path) -> None:
    code = archive(tmp_path / "code.zip", handler="x = 1")
    for worker in ("one", "two"):
        unpack(runtime, code, tmp_path / worker / "code")

    (tmp_path / "one/code/python/handler.py").write_text("changed")

    assert (tmp_path / "two/code/python/handler.py").read_text() == "x = 1"
    assert not (tmp_path / "one/code").is_symlink()


def test_a_broken_archive_is_the_error_that_ministack_knows(runtime: Any, tmp_path: Path) -> None:
    broken = tmp_path / "layer.zip"
    broken.write_bytes(b"PK\3\4 and nothing")

    with pytest.raises(runtime.zipfile.BadZipFile):
        unpack(runtime, broken, tmp_path / "layer_0")
