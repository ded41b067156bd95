"""One function with one event in a container, by the stock `sam local invoke`.

    python -m local.docker.invoking splitter events/splitter/the-test-event-is-answered.json

needs the local stack to be up (`make up`) and prints what the function answered.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.target import Target, connect_local
from local.docker.bridge import CONTAINERS_NAME, bridged
from local.docker.engine import Engine, NoEngineError, engine
from local.docker.image import ensure
from local.stack import record
from local.stack.deployment import machine_parameters
from local.stack.emulator import client_environment
from local.stack.places import ROOT, SAM_VENV
from local.stack.record import RunningStack
from local.stack.servers import HOST


class InvocationError(Exception):
    """The function could not be run, or failed; the message has what was printed."""


def invoke(function: str, event: Path, stack: RunningStack, docker: Engine, image: str) -> Any:
    """Run `functions/<function>` and give its answer.

    The container gets the variables and credentials that the deployed function has, with the
    machine's name for containers in place of the loopback address. InvocationError if the
    function raised: `sam local invoke` itself ends with 0 then.
    """
    target = connect_local(stack)
    template = _template_for_containers(Path(stack.build))
    logical, variables = _deployed(target, function)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as given:
        json.dump({logical: variables}, given)
        given.flush()
        done = subprocess.run(  # noqa: S603
            _command(logical, event, given.name, image, template),
            cwd=ROOT,
            env=_environment(docker, stack.endpoint),
            capture_output=True,
            text=True,
            check=False,
        )
    return _answer(function, done)


def ports(stack: RunningStack) -> list[int]:
    """The ports that containers have to reach."""
    return [int(server.url.rpartition(":")[2]) for server in stack.servers.values()]


def _command(logical: str, event: Path, variables: str, image: str, template: Path) -> list[str]:
    parameters = [f"{name}={value}" for name, value in machine_parameters().items()]
    return [
        *(str(SAM_VENV / "bin" / "sam"), "local", "invoke", logical),
        *("--template-file", str(template)),
        *("--event", str(event), "--env-vars", variables),
        *("--invoke-image", image, "--skip-pull-image"),
        *("--add-host", f"{CONTAINERS_NAME}:host-gateway"),
        *("--parameter-overrides", *parameters),
    ]


def _template_for_containers(build: Path) -> Path:
    """Declare the emulator's address for every function: sam only sets what the template names."""
    import yaml

    template = yaml.safe_load((build / "template.yaml").read_text())
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    written = build / "template-containers.yaml"
    written.write_text(yaml.safe_dump(template))
    return written


def _deployed(target: Target, function: str) -> tuple[str, dict[str, str]]:
    """`dam_poller` is DamPollerFunction in the template; give that, and its variables."""
    from botocore.exceptions import ClientError

    logical = "".join(word.title() for word in function.split("_")) + "Function"
    try:
        found = target.client("cloudformation").describe_stack_resource(
            StackName=target.name, LogicalResourceId=logical
        )["StackResourceDetail"]["PhysicalResourceId"]
    except ClientError as error:
        raise InvocationError(f"there is no function {function}; see functions/") from error
    configuration = target.client("lambda").get_function_configuration(FunctionName=found)
    variables: Mapping[str, str] = configuration["Environment"]["Variables"]
    seen = {name: value.replace(HOST, CONTAINERS_NAME) for name, value in variables.items()}
    endpoint = (target.endpoint or "").replace(HOST, CONTAINERS_NAME)
    return logical, {**seen, "AWS_ENDPOINT_URL": endpoint}


def _environment(docker: Engine, endpoint: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        **client_environment(endpoint),
        "SAM_CLI_TELEMETRY": "0",
        "DOCKER_HOST": docker.host,
    }


def _answer(function: str, done: subprocess.CompletedProcess[str]) -> Any:
    printed = done.stdout.strip().splitlines()
    try:
        answer = json.loads(printed[-1])
    except (IndexError, ValueError):
        answer = None
    failed = isinstance(answer, dict) and "errorType" in answer
    if done.returncode or failed or not printed:
        raise InvocationError(f"{function} failed:\n{done.stdout}\n{done.stderr[-4000:]}")
    return answer


def main(arguments: list[str]) -> int:
    """Invoke one function against the local stack that is up."""
    function, event = arguments
    stack = record.read()
    if stack is None:
        print("The local stack is not up: start it with `make up`.", file=sys.stderr)
        return 2
    try:
        with engine() as docker, bridged(ports(stack)):
            print(
                json.dumps(invoke(function, Path(event), stack, docker, ensure(docker)), indent=2)
            )
    except (InvocationError, NoEngineError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
