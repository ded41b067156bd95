"""Everything the webhook works with, put together, and the two doors: function URL and intake."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pim_connector.errors import ConfigurationError, RejectedError, TransientError
from pim_connector.source_files import SourceFiles, StoredSource
from pim_connector.webhooks.certificates import Fetch, PublicKeys
from pim_connector.webhooks.reception import Answer, Seen, Send, receive, take_in
from pim_connector.webhooks.verification import Trust
from pim_connector.webhooks.wire import read_request, source_name

RETRY_SECONDS = 30
_NAME = re.compile(r"[a-z0-9-]{1,63}")


class FrontDesk(Struct, frozen=True, kw_only=True):
    """The webhook of all sources. `intake_source` is the one whose events the intake queue has."""

    sources: SourceFiles
    seen: Seen
    send: Send
    keys: PublicKeys
    visit: Fetch
    now: Callable[[], float]
    intake_source: str = ""

    def called(self, event: dict[str, Any]) -> Answer:
        """Answer one call. Never raises: what is wrong on our side is said in the answer."""
        try:
            request = read_request(event)
            name = source_name(request.path)
            stored = self.sources.get(name) if _NAME.fullmatch(name) else None
            trust = self._trust(stored)
            return receive(request, stored, trust, self.seen, self.send, now=self.now())
        except RejectedError as error:
            return Answer(status=400, outcome="malformed", text="malformed", detail=str(error))
        except TransientError as error:
            return Answer(status=503, outcome="unavailable", text="later", detail=str(error))
        except ConfigurationError as error:
            return Answer(status=500, outcome="misconfigured", detail=str(error))

    def delivered(self, body: str) -> Answer:
        """Take in one message of the intake queue.

        Raises RejectedError (to the dead-letter queue), TransientError and ConfigurationError.
        """
        stored = self.sources.get(self.intake_source) if self.intake_source else None
        if stored is None:
            raise ConfigurationError(
                f"the intake queue has a message, but INTAKE_SOURCE is {self.intake_source!r} and"
                " no such file lies in config/dam; set it to the source whose queue this is"
            )
        return take_in(body, stored, self._trust(stored), self.send, now=self.now())

    def _trust(self, stored: StoredSource | None) -> Trust:
        secret = stored.secret if stored else {}
        return Trust(secret=secret, keys=self.keys, visit=self.visit)
