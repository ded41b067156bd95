"""`AkeneoClient`: one method per thing the connector asks of the PIM's REST API.

The methods are in `reading` and `writing`. https://api.akeneo.com/api-reference.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from copy import copy

import httpx

from pim_connector.akeneo.auth import auth_for
from pim_connector.akeneo.connection import Connection, http_client
from pim_connector.akeneo.credentials import Credentials
from pim_connector.akeneo.patience import Deadline, NoPace, Pace, Patience, unlimited
from pim_connector.akeneo.reading import Reading
from pim_connector.akeneo.tokens import MemoryTokenStore, TokenStore
from pim_connector.akeneo.writing import Writing


class AkeneoClient(Reading, Writing):
    """Speaks to one PIM with one set of credentials.

    Transient failures are waited out here, within the deadline; what still fails then is raised as
    TransientError, ConfigurationError or (single objects) RefusedError. Bulk upserts take at most
    100 lines and answer with one outcome per line, in order.

    `base_url` is the PIM's address without `/api/rest/v1`. `credentials` may be a callable that
    reads them: it is asked at once, and again when they are refused (rotation). `pace` keeps
    option writes within the PIM's three a second. `deadline` tells how many seconds are left.
    `transport`, `now`, `sleep` and `chance` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | Callable[[], Credentials],
        *,
        pace: Pace | None = None,
        token_store: TokenStore | None = None,
        deadline: Deadline = unlimited,
        tries: int = 6,
        timeout: httpx.Timeout | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        auth = auth_for(credentials, token_store or MemoryTokenStore(), now=now)
        http = http_client(base_url, auth, timeout=timeout, transport=transport)
        patience = Patience(tries=tries, deadline=deadline, now=now, sleep=sleep, chance=chance)
        self._connection = Connection(http, patience)
        self._pace = pace or NoPace()

    def within(self, deadline: Deadline) -> AkeneoClient:
        """Give the same client (connections, token) bound by another deadline, for one invocation.

        `pim.within(lambda: context.get_remaining_time_in_millis() / 1000 - 20)`
        """
        bound = copy(self)
        bound._connection = self._connection.within(deadline)
        return bound

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> AkeneoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
