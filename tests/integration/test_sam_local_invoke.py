"""Every function with each of its events in a container, by the stock `sam local invoke`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.target import connect_local
from local.docker.bridge import CONTAINERS_NAME, bridged
from local.docker.engine import Engine, NoEngineError, engine
from local.docker.image import ensure
from local.docker.invoking import invoke, ports
from local.stack import lifecycle
from local.stack.record import RunningStack
from local.stack.servers import HOST

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("default::ResourceWarning")]

ROOT = Path(__file__).resolve().parents[2]
EVENTS = sorted((ROOT / "events").glob("*/*.json"))
ANSWERS = {
    "splitter": {"taken_in"},
    "mapper": {"batchItemFailures"},
    "housekeeping": {"closed"},
    "dam_poller": {"polls", "links_tried"},
    "dam_webhook": {"statusCode", "batchItemFailures"},
    "asset_mapper": {"batchItemFailures"},
    "console": {"statusCode"},
}
"""A key that each function's answer has; nothing else could have been answered by mistake."""


DAM_SOURCE = """
source: sim
base_url: DAM
list:
  path: /offset/assets
  params: {"filter[updated_at][_gte]": "{{since}}", sort: updated_at, limit: "{{limit}}",
           offset: "{{offset}}"}
  items: data
  pagination: {kind: offset, size: 20}
updated: updated_at
since: {format: iso_ms_z}
item: {get: "/assets/{{id}}", item: data}
deleted: {flag: deleted}
"""


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    try:
        with engine() as found:
            yield found
    except NoEngineError as error:
        pytest.skip(f"NOT TRIED IN CONTAINERS: {error}")


@pytest.fixture(scope="module")
def image(docker: Engine) -> str:
    return ensure(docker)


@pytest.fixture(scope="module")
def stack(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory = tmp_path_factory.mktemp("stack")
    with (
        lifecycle.temporary(directory=directory, tell=lambda _: None) as running,
        bridged(ports(running)),
    ):
        dam = running.servers["dam"].url.replace(HOST, CONTAINERS_NAME)
        source = DAM_SOURCE.replace("DAM", dam).encode()
        connect_local(running).bucket().put("config/dam/sim.yaml", source)
        yield running


def test_every_function_has_events() -> None:
    functions = {path.parent.name for path in ROOT.glob("functions/*/handler.py")}

    assert {event.parent.name for event in EVENTS} == functions == set(ANSWERS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_function_answers_in_a_container(
    event: Path, stack: RunningStack, docker: Engine, image: str
) -> None:
    answer = invoke(event.parent.name, event, stack, docker, image)

    assert ANSWERS[event.parent.name] & answer.keys(), answer
