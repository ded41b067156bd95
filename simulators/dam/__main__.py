"""`python -m simulators.dam --port 8090`: the simulated DAM on this machine only."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import uvicorn

from simulators.dam.dam import Dam
from simulators.dam.habits import Habits
from simulators.dam.server import application


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m simulators.dam", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--assets", type=int, default=0, help="how many there are at the start")
    parser.add_argument("--seed", type=int, default=1, help="of what happens by chance")
    parser.add_argument("--token", help="the bearer token that requests must bring")
    parser.add_argument("--habits", help='bad habits as JSON, such as {"ties": "random"}')
    parser.add_argument(
        "--skus", type=Path, help="a file with one product identifier a line: an asset for each"
    )
    asked = parser.parse_args()
    dam = Dam(
        habits=Habits(**json.loads(asked.habits)) if asked.habits else None,
        seed=asked.seed,
        token=asked.token,
    )
    for _ in range(asked.assets):
        dam.library.add()
    for sku in asked.skus.read_text("utf-8").split() if asked.skus else ():
        dam.library.add(name=f"{sku}_front.jpg", sku=sku, title=f"{sku}, front view")
    uvicorn.run(application(dam), host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
