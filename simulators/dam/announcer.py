"""Sends what happens in the DAM to webhooks, signed; some is lost, repeated, or comes late."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.dam.library import SECOND, Event, Library
from simulators.dam.signatures import Signing, sign

Post = Callable[[str, bytes, dict[str, str]], None]


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Where to announce to, and how it is signed."""

    url: str
    signing: Signing = field(default_factory=Signing)


class Announcer:
    """Keeps announcements until `deliver` sends them: a DAM, too, announces after the fact."""

    def __init__(self, library: Library, post: Post) -> None:
        self._library, self._post = library, post
        self.webhooks: list[Webhook] = []
        self.waiting: list[Event] = []
        self.sent = 0
        library.watchers.append(self._notice)

    def deliver(self) -> int:
        """Send what waits; what a receiver refuses is not tried again. Gives how many were sent."""
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            for webhook in self.webhooks:
                body = json.dumps(
                    {"event": f"asset.{event.kind}", "keys": list(event.ids), "at": event.at}
                ).encode()
                now = self._library.now() / SECOND
                sent, headers = sign(
                    webhook.signing, body, url=webhook.url, now=now, kind=event.kind
                )
                self._post(webhook.url, sent, {"Content-Type": "application/json", **headers})
                self.sent += 1
        return len(waiting)

    def _notice(self, event: Event) -> None:
        habits, chance = self._library.habits, self._library.random.random
        if not self.webhooks or chance() < habits.lose_events:
            return
        self.waiting.append(event)
        if chance() < habits.repeat_events:
            self.waiting.append(event)
        if len(self.waiting) > 1 and chance() < habits.swap_events:
            self.waiting[-2:] = self.waiting[-1:-3:-1]
