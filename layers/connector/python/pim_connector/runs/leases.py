"""One worker at a time, for a while: a lease on the state table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pim_connector.runs.table import Change, RunTable

LEASE_SECONDS: Final = 180
"""Long enough for a slow window of 1,000 records, short enough not to keep others waiting."""
RENEW_SECONDS: Final = 60


class Leases:
    """All leases. Who still works after its lease ran out is stopped by the run's fence."""

    def __init__(self, table: RunTable) -> None:
        self._table = table

    def acquire(self, name: str, owner: str, now: float) -> bool:
        """Take the lease of `name`, or take it again; False while somebody else holds it."""
        until = int(now) + LEASE_SECONDS
        change = Change(
            put={"owner": owner, "until": until, "expires_at": until + 86_400},
            condition="attribute_not_exists(pk) OR #until < :now OR #owner = :owner",
            given={"now": int(now)},
        )
        return self._table.update({"pk": f"lease#{name}"}, change) is not None

    def release(self, name: str, owner: str) -> None:
        """Give the lease back, if it is still held."""
        change = Change(put={"until": 0, "owner": owner}, condition="#owner = :owner")
        self._table.update({"pk": f"lease#{name}"}, change)

    def renewal(self, name: str, owner: str, now: Callable[[], float]) -> Callable[[], bool]:
        """Make what long work calls often: it renews the lease now and then.

        It answers False once somebody else has the lease, and then the work must stop.
        """
        renewed = now()

        def still_held() -> bool:
            nonlocal renewed
            if now() - renewed < RENEW_SECONDS:
                return True
            renewed = now()
            return self.acquire(name, owner, renewed)

        return still_held

    def held(self, name: str, now: float) -> bool:
        """Say whether somebody works on `name` now."""
        item = self._table.get({"pk": f"lease#{name}"})
        return item is not None and int(item["until"]) >= now
