"""Start and stop the local stack as a whole."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
from msgspec.structs import asdict

from local.stack import deployment, emulator, existence, fixups, record
from local.stack.builds import Build
from local.stack.places import ROOT, RUN
from local.stack.record import RunningStack
from local.stack.servers import HOST, Server, ServerError, free_port, launch, stop, wait_until_ready
from pim_connector.akeneo.auth import AppToken, ConnectionCredentials, Credentials
from pim_connector.console.app_connection import App, AppSecret

STACK_NAME = "pim-connector"
AKENEO_PORT = 8080
DAM_PORT = 8081
CATALOG = ROOT / "local" / "demo" / "catalog.json"
SECRET_NAME = "pim-connector/akeneo"  # noqa: S105  a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Pim:
    """The PIM that the stack writes to."""

    url: str
    credentials: Credentials


SIMULATED_CREDENTIALS = ConnectionCredentials(
    client_id="demo-client",
    secret="demo-secret",  # noqa: S106  of a simulator that only this machine reaches
    username="demo-connection",
    password="demo-password",  # noqa: S106
)


def up(
    *, directory: Path = RUN, tell: Callable[[str], None], pim: Pim | None = None
) -> RunningStack:
    """Start everything and deploy; on any failure stop what was started.

    With `pim` the stack writes there and no Akeneo simulator is started. The record is written at
    the end, so a stack that is found is one that works.
    ServerError if another command is starting a stack in `directory`, or has one there.
    """
    with _alone(directory):
        return _up(pim=pim, tied=False, directory=directory, tell=tell)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Let only one process at a time work on a stack's folder, whatever becomes of that process."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ServerError(
                f"another command of this checkout is busy with {directory}: wait until it ends"
            ) from error
        if record.read(directory / "stack.json"):
            raise ServerError(f"a stack runs in {directory} already: stop it with `make down`")
        yield


@contextlib.contextmanager
def ports() -> Iterator[None]:
    """Let only one stack of this user at a time look for free ports and open them.

    Two checkouts that start at the same time would find the same ports free.
    """
    path = Path(tempfile.gettempdir()) / f"pim-connector-ports-{os.getuid()}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _up(
    *, pim: Pim | None, tied: bool, directory: Path, tell: Callable[[str], None]
) -> RunningStack:
    """Do what `up` says; `tied` servers end with this process, however it ends."""
    shutil.rmtree(directory, ignore_errors=True)
    build = deployment.planned_build()
    started: dict[str, Server] = {}
    try:
        tell("Starting the emulated AWS and the simulators")
        with ThreadPoolExecutor() as background, ports():
            _launch_servers(started, directory, build.layers, pim=pim, tied=tied)
            target = pim or simulated_pim(started)
            deployed = background.submit(_deploy, build, started["aws"], target, tell)
            for name in started.keys() - {"aws"}:
                wait_until_ready(started[name], "/")
        deployed.result()
        if pim is None:
            _offer_app(started["aws"], started["akeneo"])
    except BaseException:
        stop_all(started)
        raise
    stack = RunningStack(stack_name=STACK_NAME, build=str(build.artifacts), servers=started)
    record.write(stack, directory / "stack.json")
    return stack


def _deploy(build: Build, aws: Server, pim: Pim, tell: Callable[[str], None]) -> None:
    built = build.artifacts.exists()
    tell("sam build" + (" (nothing has changed since the last one)" if built else ""))
    deployment.build(build)
    wait_until_ready(aws, emulator.READY_PATH)
    tell("sam deploy")
    parameters = _parameters(aws.url, pim)
    deployment.deploy(build, stack_name=STACK_NAME, endpoint=aws.url, parameters=parameters)
    settle(STACK_NAME, aws.url)


def settle(stack_name: str, endpoint: str) -> None:
    """Put right what the emulator left out; ServerError for what it does not have at all."""
    fixups.apply(stack_name, endpoint)
    absent = existence.missing(stack_name, fixups.session(), endpoint)
    if absent:
        raise ServerError(
            f"the emulator did not make all of stack {stack_name}:\n" + "\n".join(absent)
        )


def _offer_app(aws: Server, akeneo: Server) -> None:
    """Create the app in the simulated PIM and enter it: there, one only has to press Connect."""
    cloudformation = fixups.session().client("cloudformation", endpoint_url=aws.url)
    described = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    console = fixups.on_this_machine(outputs, aws.url)["ConsoleUrl"].rstrip("/")
    addresses = {
        "activate_url": f"{console}/app/activate",
        "callback_url": f"{console}/app/callback",
    }
    made = httpx.post(f"{akeneo.url}/_simulator/apps", json={"name": "PIM connector"} | addresses)
    app = made.raise_for_status().json()
    secrets = fixups.session().client("secretsmanager", endpoint_url=aws.url)
    words = App(client_id=app["client_id"], client_secret=app["secret"])
    AppSecret(secrets, SECRET_NAME).keep_app(words)


def down(directory: Path = RUN) -> RunningStack | None:
    """Stop the recorded stack, if there is one, and forget it."""
    path = directory / "stack.json"
    stack = record.read(path)
    if stack:
        stop_all(stack.servers)
    path.unlink(missing_ok=True)
    return stack


@contextlib.contextmanager
def temporary(
    *, directory: Path, tell: Callable[[str], None], pim: Pim | None = None
) -> Iterator[RunningStack]:
    """A stack for the length of a `with` block; nothing of it runs afterwards."""
    with _alone(directory):
        stack = _up(pim=pim, tied=True, directory=directory, tell=tell)
        try:
            yield stack
        finally:
            stop_all(stack.servers)
            (directory / "stack.json").unlink(missing_ok=True)


def simulated_pim(servers: Mapping[str, Server]) -> Pim:
    """The simulator that runs in this stack."""
    return Pim(url=servers["akeneo"].url, credentials=SIMULATED_CREDENTIALS)


def stop_all(servers: Mapping[str, Server]) -> None:
    """Stop them all at the same time."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(stop, servers.values()))


def _launch_servers(
    started: dict[str, Server], directory: Path, layers: Path, *, pim: Pim | None, tied: bool
) -> None:
    port = free_port(emulator.PREFERRED_PORT)
    started["aws"] = emulator.start(port, directory, layers, tied=tied)
    if pim is None:
        started["akeneo"] = start_akeneo(directory, tied=tied)
    started["dam"] = _simulator("dam", DAM_PORT, directory, [], tied=tied)


def start_akeneo(directory: Path, *, port: int = AKENEO_PORT, tied: bool) -> Server:
    """Start the simulated PIM alone, at `port` if that is free."""
    return _simulator("akeneo", port, directory, _akeneo_arguments(), tied=tied)


def _simulator(
    name: str, preferred_port: int, directory: Path, arguments: list[str], *, tied: bool
) -> Server:
    port = free_port(preferred_port)
    command = [sys.executable, "-m", f"simulators.{name}", "--port", str(port), *arguments]
    return launch(
        name,
        command,
        url=f"http://{HOST}:{port}",
        log=directory / f"{name}.log",
        environment=os.environ,
        tied=tied,
    )


def _akeneo_arguments() -> list[str]:
    credentials = asdict(SIMULATED_CREDENTIALS)
    options = [f"--{name.replace('_', '-')}={word}" for name, word in credentials.items()]
    return ["--catalog", str(CATALOG), *options]


def _parameters(endpoint: str, pim: Pim) -> dict[str, str]:
    credentials = pim.credentials
    fields = (
        {"app_token": credentials.token}
        if isinstance(credentials, AppToken)
        else asdict(credentials)
    )
    secrets = fixups.session().client("secretsmanager", endpoint_url=endpoint)
    secret = secrets.create_secret(Name=SECRET_NAME, SecretString=json.dumps(fields))
    return {"AkeneoUrl": pim.url, "AkeneoSecretArn": secret["ARN"], "Dam": "ENABLED"}
