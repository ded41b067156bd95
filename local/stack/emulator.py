"""MiniStack, the emulated AWS, in its own virtual environment and with a bare environment."""

from __future__ import annotations

import os
from pathlib import Path

from local.stack import shared_layers
from local.stack.places import EMULATOR_VENV
from local.stack.servers import HOST, Server, launch

ACCOUNT = "123456789012"
REGION = "us-east-1"
PREFERRED_PORT = 4566
READY_PATH = "/_ministack/health"


def start(port: int, directory: Path, layers: Path, *, tied: bool) -> Server:
    """Start the emulator with IAM enforced; functions run in this project's Python.

    Layers are unpacked into `layers`, each once, and stay there for the next emulator.

    The environment is bare because MiniStack hands all of its own to every function.
    """
    temporary = directory / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    url = f"http://{HOST}:{port}"
    environment = {
        "PATH": os.defpath,
        "HOME": str(directory),
        "TMPDIR": str(temporary),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **credentials(),
    }
    python = str(EMULATOR_VENV / "bin" / "python")
    command = [python, "-P", shared_layers.__file__, str(layers)]
    log = directory / "aws.log"
    return launch("aws", command, url=url, log=log, environment=environment, tied=tied)


def credentials() -> dict[str, str]:
    """The emulator's root user: a 12-digit access key is taken for the account's own."""
    return {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


def client_environment(endpoint: str) -> dict[str, str]:
    """What any AWS tool needs to talk to the emulator and to nothing else."""
    return {
        **credentials(),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
