"""The way of one new product through a warm mapper: which modules it enters, how deep it goes."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Final, NamedTuple

import pytest

from simulators.akeneo.catalog import from_resources
from tests.house.measures import LAYER

OURS: Final = str(LAYER / "pim_connector")


class Way(NamedTuple):
    """What one product's delivery runs through."""

    modules: tuple[str, ...]
    functions: int
    deepest: int


class Watch:
    """Notes every function of ours that is entered while it watches."""

    def __init__(self) -> None:
        self.functions: set[tuple[str, str]] = set()
        self.deepest = 0

    def __enter__(self) -> Watch:
        sys.setprofile(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _enter(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(OURS):
            return
        self.functions.add((frame.f_code.co_filename, frame.f_code.co_qualname))
        depth, outer = 0, frame.f_back
        while outer is not None:
            depth += outer.f_code.co_filename.startswith(OURS)
            outer = outer.f_back
        self.deepest = max(self.deepest, depth + 1)

    def way(self) -> Way:
        files = {name.removeprefix(OURS + "/") for name, _ in self.functions}
        return Way(tuple(sorted(files)), len(self.functions), self.deepest)


def follow() -> Way:
    """Create one product with a mapper that has created others, and return its way."""
    from moto import mock_aws

    from simulators.akeneo.accounts import Connection
    from simulators.akeneo.app import create_app
    from simulators.akeneo.pim import Pim
    from simulators.akeneo.server import serve
    from tests.integration.mapper.examples import CATALOG, MAPPING, boots
    from tests.integration.mapper.world import SECRET, World

    pim = Pim(catalog=from_resources(CATALOG))
    pim.accounts.connect(Connection(**SECRET))
    with serve(create_app(pim)) as url, pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("POWERTOOLS_METRICS_NAMESPACE", "PimConnector")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "mapper")
        world = World(pim, url, patch)
        try:
            return _one_more(world, world.put_mapping(MAPPING), boots)
        finally:
            world.close()


def _one_more(world: Any, mapping: Any, records: Any) -> Way:
    world.send("run-1", mapping, records(2))
    world.deliver_all()
    world.send("run-2", mapping, records(3)[2:])
    with Watch() as watch:
        world.deliver_all()
    return watch.way()
