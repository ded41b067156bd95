"""The local stack as the pages see it: up or not, and connected once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from local.stack import record
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from cli.target import Target
    from local.stack.record import RunningStack


class StackDownError(ConfigurationError):
    """There is no local stack to look at."""


@dataclass(slots=True)
class Connection:
    """Finds the stack whose record lies at `path`, anew for each request: it may come and go."""

    path: Path
    _known: dict[str, Target] = field(default_factory=dict)

    def servers(self) -> Mapping[str, str]:
        """Give the addresses of the servers by name; empty while there is no stack."""
        running = record.read(self.path)
        return {name: server.url for name, server in running.servers.items()} if running else {}

    def target(self) -> Target:
        """Connect to the stack. Raises StackDownError, with what to do."""
        running = record.read(self.path)
        if running is None:
            raise StackDownError("The local stack is not up yet. Start it with `make up`.")
        server = running.servers["aws"]
        name = f"{server.pid} {server.born}"
        if name not in self._known:
            self._known = {name: self._connect(running)}
        return self._known[name]

    def _connect(self, running: RunningStack) -> Target:
        from cli.target import connect_local

        return connect_local(running)
