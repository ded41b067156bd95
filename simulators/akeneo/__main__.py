"""`python -m simulators.akeneo`: one simulated PIM on this machine."""

import argparse
import json
import os
import sys
from pathlib import Path

from simulators.akeneo.accounts import Connection
from simulators.akeneo.admin import LoadError, SettingError, load_entities, set_settings
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import Catalog, CatalogError, Row, from_resources, load_catalog
from simulators.akeneo.editions import DEFAULT, EDITIONS
from simulators.akeneo.limits import CALLS_PER_CONNECTION, CALLS_PER_PIM
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import base_url, listening_socket, uvicorn_server

DEFAULTS = {
    "client_id": "simulator-client",
    "secret": "simulator-secret",
    "username": "simulator-user",
    "password": "simulator-password",
}
"""Credentials of the one connection, when neither option nor environment says otherwise."""


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.akeneo",
        description=__doc__,
        epilog="More in simulators/akeneo/README.md: faults, rights, the admin API.",
    )
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free port")
    parser.add_argument("--catalog", type=Path, help="structure as the REST API's own objects")
    parser.add_argument(
        "--edition",
        default=os.environ.get("AKENEO_EDITION", DEFAULT.name),
        help=f"{', '.join(EDITIONS)}; environment: AKENEO_EDITION; default: {DEFAULT.name}",
    )
    parser.add_argument(
        "--time-zone",
        default=os.environ.get("AKENEO_TIME_ZONE", "UTC"),
        help="of the PIM's server; environment: AKENEO_TIME_ZONE; default: UTC",
    )
    parser.add_argument(
        "--calls-per-connection",
        type=int,
        default=0,
        help=f"calls at once, above that 429; Akeneo's: {CALLS_PER_CONNECTION}; default: no limit",
    )
    parser.add_argument(
        "--calls-per-pim",
        type=int,
        default=0,
        help=f"the same over all connections; Akeneo's: {CALLS_PER_PIM}; default: no limit",
    )
    parser.add_argument("--app-token", default=os.environ.get("AKENEO_APP_TOKEN"))
    for name, default in DEFAULTS.items():
        variable = f"AKENEO_{name.upper()}"
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            default=os.environ.get(variable, default),
            help=f"environment: {variable}; default: {default}",
        )
    return parser.parse_args(given)


def _pim(arguments: argparse.Namespace) -> Pim:
    catalog: Catalog = from_resources({})
    models: list[Row] = []
    products: list[Row] = []
    if arguments.catalog is not None:
        catalog, models, products = load_catalog(arguments.catalog)
    pim = Pim(catalog=catalog)
    settings = ("edition", "time_zone", "calls_per_connection", "calls_per_pim")
    set_settings(pim, {name: getattr(arguments, name) for name in settings})
    pim.accounts.connect(
        Connection(
            client_id=arguments.client_id,
            secret=arguments.secret,
            username=arguments.username,
            password=arguments.password,
        )
    )
    if arguments.app_token:
        pim.accounts.app_tokens.add(arguments.app_token)
    load_entities(pim, models, products)
    return pim


def main(given: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints one ready line of JSON with the URL.

    Returns 1, with the reason on standard error, when the catalog or the port cannot be used.
    """
    arguments = _arguments(given)
    try:
        pim = _pim(arguments)
        listener = listening_socket(arguments.port)
    except SettingError as error:
        print(f"The PIM cannot be started: {error}", file=sys.stderr)
        return 1
    except (CatalogError, LoadError) as error:
        print(f"The catalog cannot be used: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Port {arguments.port} cannot be used: {error}", file=sys.stderr)
        return 1
    ready = {
        "ready": "akeneo",
        "url": base_url(listener),
        "products": len(pim.products),
        "edition": pim.edition.name,
    }
    listener.listen()
    print(json.dumps(ready), flush=True)
    uvicorn_server(create_app(pim)).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
