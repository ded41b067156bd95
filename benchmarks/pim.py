"""The PIMs of the benchmarks: the simulator in a process of its own, and one that takes no time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from simulators.akeneo.__main__ import DEFAULTS

ROOT: Final = Path(__file__).parents[1]
SECRET: Final = json.dumps(DEFAULTS)
_MINUTES: Final = httpx.Timeout(120.0)


@dataclass(frozen=True, slots=True)
class SimulatedPim:
    """A running simulator."""

    url: str

    def empty(self, structure: dict[str, Any]) -> None:
        """Begin again with a structure, without products, faults and counts."""
        httpx.put(f"{self.url}/_simulator/catalog", json=structure, timeout=_MINUTES)

    def behave(self, **faults: Any) -> None:
        """Set the speed and what goes wrong (`simulators/akeneo/faults.py`)."""
        answer = httpx.put(f"{self.url}/_simulator/faults", json=faults)
        answer.raise_for_status()

    def counted(self) -> dict[str, Any]:
        """Give what was counted, and count from here on."""
        report: dict[str, Any] = httpx.get(f"{self.url}/_simulator/counters").json()
        httpx.delete(f"{self.url}/_simulator/counters")
        return report

    def products(self) -> dict[str, Any]:
        """Give what each product holds, by identifier."""
        asked = {"only": "products"}
        state = httpx.get(f"{self.url}/_simulator/state", params=asked, timeout=_MINUTES).json()
        return {
            product["identifier"]: (product["family"], product["values"])
            for product in state["products"]
        }


class AcceptingPim(httpx.BaseTransport):
    """A PIM with the given structure that accepts every line; counts calls by kind.

    It answers at once, or line by line with `pause` seconds before each.
    """

    def __init__(self, structure: dict[str, Any], pause: float = 0.0) -> None:
        self._structure, self._pause = structure, pause
        self.calls: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as https://api.akeneo.com/api-reference.html says."""
        path = request.url.path.removeprefix("/api/rest/v1/")
        if path.endswith("/token"):
            self.calls["token"] += 1
            token = {"access_token": "t", "refresh_token": "r", "expires_in": 3600}
            return httpx.Response(200, json=token)
        if request.method == "PATCH":
            self.calls["PATCH"] += 1
            return httpx.Response(200, content=self._lines(request.read().count(b"\n") + 1))
        self.calls["structure"] += 1
        first, _, rest = path.partition("/")
        items = self._structure.get(first, [])
        if rest.endswith("/options"):
            attribute = rest.partition("/")[0]
            options = self._structure["attribute_options"]
            items = [option for option in options if option["attribute"] == attribute]
        elif rest:
            items = []
        return httpx.Response(200, json={"_embedded": {"items": items}, "_links": {}})

    def _lines(self, count: int) -> Iterator[bytes]:
        lines = [_CREATED % line for line in range(1, count + 1)]
        if not self._pause:
            yield b"".join(lines)
            return
        for line in lines:
            time.sleep(self._pause)
            yield line


_CREATED: Final = b'{"line":%d,"status_code":201}\n'


@contextmanager
def simulated_pim() -> Iterator[SimulatedPim]:
    """Serve a PIM while the context lasts."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulators.akeneo", "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                errors.seek(0)
                raise SystemExit(f"the simulated PIM did not start: {errors.read()}")
            yield SimulatedPim(json.loads(line)["url"])
        finally:
            process.terminate()
            process.wait(timeout=10)
            if process.stdout:
                process.stdout.close()
