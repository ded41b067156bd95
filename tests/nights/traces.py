"""What happened, for whoever reads a seed: one line each, with the time of the simulated world."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.nights.aws.faults import Clock


@dataclass
class Traces:
    """The lines, where somebody wants to read them."""

    clock: Clock
    wanted: bool = False
    lines: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if self.wanted:
            moment = datetime.fromtimestamp(self.clock.now, UTC)
            self.lines.append(f"{moment:%d %H:%M:%S.%f}"[:-3] + f" {text}")


def shortened(event: dict[str, Any]) -> str:
    """Tell an event in a few words: which message, which records, or which object."""
    if "Records" in event:
        body = event["Records"][0]["body"]
        try:
            message = json.loads(body)
        except ValueError:
            return str(body)[:80]
        names = [record["id"] for record in message.get("records", ())]
        count = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
        what = message.get("id") or message.get("heavy")
        return f"run {message.get('run')} message {what} receive {count} {names}"
    found = event.get("detail", {})
    return f"{event.get('detail-type', '')} {found.get('object', found) if found else event}"
