"""The simulated DAM over the wire, with its back door, as demo and acceptance tests use it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx

from simulators.dam.dam import Dam
from simulators.dam.server import application
from tests.integration.dam_server import served


def test_habits_are_switched_while_it_runs() -> None:
    with served(application(Dam())) as url, httpx.Client(base_url=url) as client:
        added = client.post("/_dam/assets", json={"count": 3}).json()["ids"]
        assert client.get("/offset/assets").json()["meta"]["filter_count"] == 3
        assert client.patch("/_dam/habits", json={"deleted_status": 403}).status_code == 200
        assert client.patch("/_dam/habits", json={"manners": 1}).status_code == 400
        assert client.patch(f"/_dam/assets/{added[0]}", json={"title": "New"}).status_code == 204
        assert client.delete(f"/_dam/assets/{added[1]}").status_code == 204
        assert client.get(f"/assets/{added[1]}").status_code == 403
        assert client.get("/_dam/truth").json()[added[0]]["title"] == "New"
        assert client.get("/_dam/requests").json()["list"] == 1


def test_a_webhook_is_called_with_a_signature() -> None:
    with (
        served(application(Dam())) as receiver,
        served(application(Dam())) as url,
        httpx.Client(base_url=url) as client,
    ):
        hook = {"url": f"{receiver}/hook", "scheme": "hmac", "secret": "s3cret"}
        assert client.post("/_dam/webhooks", json=hook).status_code == 201
        assert client.post("/_dam/webhooks", json={**hook, "scheme": "wax"}).status_code == 400
        client.post("/_dam/assets", json={})
        assert client.post("/_dam/deliver").json() == {"sent": 1}
        assert httpx.get(f"{receiver}/_dam/requests").json() == {"all": 1}


def test_the_command_serves_on_this_machine_only_and_ends_when_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "simulators.dam", "--port", str(port), "--assets", "5"]
    habits = json.dumps({"total": "stale"})
    path = os.pathsep.join(part for part in sys.path if part)
    process = subprocess.Popen(  # noqa: S603
        [*command, "--habits", habits], env={**os.environ, "PYTHONPATH": path}
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/page/assets")
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
        assert (len(answer.json()["data"]), answer.json()["meta"]["total"]) == (5, 1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)
