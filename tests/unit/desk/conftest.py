"""The pages on a port of their own, without a stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.desk.app import create_app
from local.desk.connection import Connection
from local.desk.studio import Studio
from simulators.akeneo.server import serve


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that sends what a browser on one of the pages would."""
    connection = Connection(tmp_path_factory.mktemp("no-stack") / "stack.json")
    studio = Studio(connection)
    with (
        serve(create_app(connection, studio)) as url,
        httpx.Client(base_url=url, headers={"Origin": url}, timeout=30) as found,
    ):
        yield found
    studio.close()


@pytest.fixture
def record_of(tmp_path: Path) -> Path:
    return tmp_path / "sample.xml"
