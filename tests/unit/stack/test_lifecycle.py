"""Two commands of one checkout do not take a stack's folder from one another."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from local.stack import lifecycle, record
from local.stack.record import RunningStack
from local.stack.servers import Server, ServerError, _born


def ignore(_: str) -> None:
    return


def test_a_folder_another_command_works_on_is_left_alone(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    with (
        lifecycle._alone(directory),
        pytest.raises(ServerError, match="another command"),
        lifecycle.temporary(directory=directory, tell=ignore),
    ):
        pass


def test_a_stack_that_runs_is_not_started_over(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    me = Server(name="aws", url="", pid=os.getpid(), born=_born(os.getpid()), log="")
    running = RunningStack(stack_name="s", build="b", servers={"aws": me})
    record.write(running, directory / "stack.json")

    with pytest.raises(ServerError, match="make down"):
        lifecycle.up(directory=directory, tell=ignore)

    assert record.read(directory / "stack.json") == running


def test_a_stack_that_starts_keeps_others_from_looking_for_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with lifecycle.ports():
        (lock,) = tmp_path.glob("*.lock")
        with lock.open("w") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lifecycle.ports():
        pass
