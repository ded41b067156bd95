"""Nothing that a function logs or writes anywhere ever holds a secret: looked at in every test."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient

import telemetry

SHORTEST = 6
"""Characters of a secret that is looked for; tests use shorter ones that are words, too."""
WRITING = (
    "PutObject",
    "SendMessage",
    "PutEvents",
    "PutItem",
    "UpdateItem",
    "TransactWrite",
    "Batch",
)
TOKEN_FIELDS = ("access", "refresh", "token")


@dataclass
class Witness:
    """What was secret in a test, and what was written in it."""

    secrets: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)

    def asked(self, operation: str, parameters: dict[str, Any]) -> None:
        """Look at one call of AWS, before it reads what it is given."""
        self.keep(parameters.get("SecretString", ""))
        if operation == "PutItem" and "token" in str(parameters.get("Item", {}).get("pk", "")):
            for name, value in parameters["Item"].items():  # it is encrypted, and lives an hour
                if name.startswith(TOKEN_FIELDS):
                    self.keep(str(value.get("S", "")))
        elif operation.startswith(WRITING):
            self.written.append(f"{operation} {_readable(parameters)}")

    def leaks(self) -> Iterator[str]:
        """Give every place where a secret was written."""
        for text in self.written:
            for secret in self.secrets:
                if secret in text:
                    start = max(0, text.index(secret) - 200)
                    yield f"{secret} in …{text[start : start + 400]}…"

    def keep(self, text: str) -> None:
        """Know a secret by its text, or by the texts in its JSON."""
        if not text:
            return
        try:
            found = json.loads(text)
        except ValueError:
            found = text
        for leaf in _leaves(found, ""):
            if len(leaf) >= SHORTEST:
                self.secrets.add(leaf)


def _leaves(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _leaves(inner, str(inner_name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    elif isinstance(value, str) and name not in ("username", "client_id"):
        yield value


def _readable(parameters: dict[str, Any]) -> str:
    body: Any = parameters.get("Body")
    if hasattr(body, "read"):
        place = body.tell()
        content = body.read()
        body.seek(place)
        return str(parameters | {"Body": content})
    return str(parameters)


class _Lines(logging.Handler):
    def __init__(self, witness: Witness) -> None:
        super().__init__(logging.DEBUG)
        self._witness = witness
        self.setFormatter(telemetry.logger.registered_formatter)

    def emit(self, record: logging.LogRecord) -> None:
        self._witness.written.append(f"log {self.format(record)}")


@pytest.fixture(autouse=True)
def witness(monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    """Fail a test in which a secret got into a log, a report, a message, an event or a table."""
    witness = Witness()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # every call of AWS goes there

    def watched(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        witness.asked(operation, parameters)
        answer = call(client, operation, parameters)
        witness.keep(answer.get("SecretString", ""))
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", watched)
    lines = _Lines(witness)
    loggers = [telemetry.logger._logger, logging.getLogger("pim_connector"), logging.getLogger()]
    for logger in loggers:
        logger.addHandler(lines)
    yield witness
    for logger in loggers:
        logger.removeHandler(lines)
    assert not list(witness.leaks())
