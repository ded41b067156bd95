"""What a botocore client says of itself, as far as the connector asks."""

from __future__ import annotations

from typing import Any


class Events:
    """Takes who wants to hear of requests on their way, of which a stand-in makes none."""

    def register(self, event_name: str, handler: Any) -> None:
        """Forget it."""


class ClientMeta:
    """The `meta` of a client."""

    events = Events()
