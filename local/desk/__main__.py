"""`python -m local.desk`: the pages of the local stack, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.desk.app import create_app
from local.desk.connection import Connection
from local.desk.studio import Studio
from local.stack.record import RECORD
from simulators.akeneo.server import base_url, listening_socket, uvicorn_server


def main() -> int:
    """Serve on 127.0.0.1. Returns 1, with the reason, when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m local.desk", description=__doc__)
    parser.add_argument("--port", type=int, default=8082, help="0 takes a free port")
    parser.add_argument("--record", type=Path, default=RECORD, help="which stack runs")
    asked = parser.parse_args()
    try:
        listener = listening_socket(asked.port)
    except OSError as error:
        print(f"Port {asked.port} cannot be used: {error}", file=sys.stderr)
        return 1
    connection = Connection(asked.record)
    studio = Studio(connection)
    listener.listen()
    print(base_url(listener), flush=True)
    try:
        uvicorn_server(create_app(connection, studio)).run([listener])
    finally:
        studio.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
