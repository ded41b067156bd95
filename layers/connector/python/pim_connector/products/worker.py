"""Decides what becomes of a message as a whole: done, come back later, or put aside.

A PIM that is down must need nobody, and a message that breaks its worker must not come for ever:
so waiting is free, and only attempts that did not end well are counted.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.akeneo import CredentialsError, ForbiddenError
from pim_connector.akeneo.pim import (
    Breaker,
    Gate,
    Open,
    Pim,
    PimUnavailableError,
    Probing,
    Reason,
    Usage,
    asking_the_pim,
)
from pim_connector.errors import ConfigurationError, ConnectorError, RejectedError, TransientError
from pim_connector.logs import log_outcome
from pim_connector.products.asset_links import apply_links, is_link_message
from pim_connector.products.asset_links import decode as decode_links
from pim_connector.products.delivery import deliver
from pim_connector.products.delivery_context import known
from pim_connector.products.sending import UnansweredError, doubt
from pim_connector.products.value_updates import presume
from pim_connector.sync.messages import ProductMessage

if TYPE_CHECKING:
    from pim_connector.outcomes import RecordOutcome
    from pim_connector.products.delivery_context import DeliveryParts, Entries
    from pim_connector.sync.messages import Message

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
"""The next one puts the message aside; one that is redriven after that has as many again."""
ATTEMPT_KEPT_SECONDS = 15 * 24 * 3600
"""A day longer than SQS keeps a message."""
RESERVE_SECONDS = 15.0
"""Left of an invocation for writing down what the PIM has answered."""
LONGEST_UNANSWERED_SECONDS = 1800
PROBE_SECONDS = 45.0
"""A probe ends before the breaker lets another worker try."""
SPREAD_SECONDS = 10
"""Messages of all message groups that come back together are spread over so many seconds."""

End = Literal["done", "repeated", "postponed", "dead"]


class Handled(Struct, frozen=True, kw_only=True):
    """What became of a message, for the queue, the log and the metrics.

    `wait` is in seconds, for `postponed`; `opened` says that this worker found the PIM down.
    """

    end: End
    run: str = ""
    message: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    wait: int = 0
    reason: str = ""
    pim: Usage = field(default_factory=Usage)
    opened: Reason | None = None

    def as_log(self) -> dict[str, object]:
        """Return the one line that is logged of a message, under stable keys."""
        return {
            "run": self.run,
            "message_id": self.message,
            "end": self.end,
            "counts": self.counts,
            "pim_calls": self.pim.calls,
            "pim_throttled": self.pim.throttled,
            "pim_seconds": round(self.pim.seconds, 3),
            "wait_seconds": self.wait,
            "reason": self.reason,
        }

    def as_metrics(self) -> dict[str, int]:
        """Count what this message adds to the metrics; what is zero is left out."""
        found = {f"Records{state.capitalize()}": count for state, count in self.counts.items()}
        found["PimCalls"] = self.pim.calls
        found["PimThrottled"] = self.pim.throttled
        found["PimMilliseconds"] = round(self.pim.seconds * 1000)
        found["MessagesPostponed"] = int(self.end == "postponed")
        found["MessagesToDeadLetters"] = int(self.end == "dead")
        found["BreakerOpened"] = int(self.opened is not None)
        found["PimCredentialsRefused"] = int(self.opened == "credentials")
        found["PimMisconfigured"] = int(self.opened == "configuration")
        return {name: number for name, number in found.items() if number}


class Worker:
    """Handles messages one after another. `now` is in epoch seconds, `jitter` gives 0 … 1."""

    def __init__(
        self,
        pim: Pim,
        parts: DeliveryParts,
        breaker: Breaker,
        *,
        now: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._pim = pim
        self._parts = parts
        self._breaker = breaker
        self._now = now
        self._jitter = jitter

    def handle(self, body: str, seconds_left: Callable[[], float]) -> Handled:
        """Take one message as far as it goes now. What it raises is a crash of this attempt."""
        if is_link_message(body):
            return self._links(body, seconds_left)
        try:
            message = self._parts.kept.message(body)
        except RejectedError as error:
            return Handled(end="dead", reason=str(error))
        except TransientError as error:
            return Handled(end="postponed", wait=self._soon(error), reason=str(error))
        before = self._pim.usage
        try:
            handled = self._known(message, seconds_left)
        except TransientError as error:
            handled = Handled(end="postponed", wait=self._soon(error), reason=str(error))
        used = self._pim.usage - before
        return replace(handled, run=message.run, message=message.id, pim=used)

    def _links(self, body: str, seconds_left: Callable[[], float]) -> Handled:
        """Append assets to products; doing it twice changes nothing, so nothing is recorded."""
        gate = self._breaker.enter(self._now())
        if isinstance(gate, Open):
            return self._behind(gate)
        self._bind(gate, seconds_left)
        before = self._pim.usage
        try:
            with asking_the_pim():
                linked = apply_links(decode_links(body), self._pim.client())
        except RejectedError as error:
            return Handled(end="dead", reason=str(error))
        except (TransientError, ConfigurationError) as error:
            return self._postponed(error, gate)
        self._breaker.succeeded(gate)
        said = Counter(one.state for one in linked)
        reason = "asset links: " + ", ".join(f"{n} {state}" for state, n in sorted(said.items()))
        refused = [f"{one.links.product}: {one.reason}" for one in linked if one.reason]
        return Handled(
            end="done", reason="; ".join([reason, *refused]), pim=self._pim.usage - before
        )

    def _known(self, message: Message, seconds_left: Callable[[], float]) -> Handled:
        """Ask what can be asked side by side, and count the attempt before records are touched.

        A probe that a recorded message was let through for is lost: the others wait a minute more.
        """
        deliveries, begin = self._parts.deliveries, self._parts.begin
        stored = begin(lambda: deliveries.message_recorded(message.run, message.id))
        gate = self._breaker.enter(self._now())
        if stored():
            return Handled(end="repeated")
        if isinstance(gate, Open):
            return self._behind(gate)
        self._bind(gate, seconds_left)
        entries = begin(lambda: known(message, self._parts.sync_state))
        expires = int(self._now()) + ATTEMPT_KEPT_SECONDS
        started = deliveries.start_attempt(message.run, message.id, expires_at=expires)
        attempt = (started - 1) % (MOST_ATTEMPTS + 1) + 1
        if attempt > MOST_ATTEMPTS:
            self._give_up(message)
            return Handled(end="dead", reason=f"{MOST_ATTEMPTS} attempts ended in a crash")
        try:
            return self._attempt(message, gate, entries, last=attempt == MOST_ATTEMPTS)
        except UnansweredError as error:
            self._breaker.succeeded(gate)
            wait = min(LONGEST_UNANSWERED_SECONDS, 30 * 4 ** (attempt - 1))
            return Handled(end="postponed", wait=wait, reason=str(error))
        except (TransientError, ConfigurationError) as error:
            handled = self._postponed(error, gate)
            deliveries.end_attempt(message.run, message.id)
            return handled

    def _behind(self, gate: Open) -> Handled:
        wait = gate.wait + int(self._jitter() * SPREAD_SECONDS)
        return Handled(end="postponed", wait=wait, reason=f"the breaker is open: {gate.reason}")

    def _bind(self, gate: Gate, seconds_left: Callable[[], float]) -> None:
        """Have the PIM be asked no longer than the invocation lasts, or the probe."""
        probe_ends = self._now() + PROBE_SECONDS if isinstance(gate, Probing) else inf
        self._pim.until(lambda: min(seconds_left() - RESERVE_SECONDS, probe_ends - self._now()))

    def _attempt(self, message: Message, gate: Gate, entries: Entries, *, last: bool) -> Handled:
        before = self._pim.calls
        try:
            outcomes = self._delivered(message, entries, last=last)
        except RejectedError as error:
            self._give_up(message)
            return Handled(end="dead", reason=str(error))
        if isinstance(gate, Probing):
            self._prove(before)
            self._breaker.succeeded(gate)
        for stored in outcomes:
            log_outcome(logger, stored)
        counts = dict(Counter(str(stored.state) for stored in outcomes))
        return Handled(end="done", counts=counts)

    def _give_up(self, message: Message) -> None:
        """Leave nothing behind that a newer file or a redrive could stumble over."""
        if isinstance(message, ProductMessage):
            doubt(message, message.records, self._parts)
        else:
            presume(message, self._parts)
        self._parts.deliveries.forget_attempts(message.run, message.id)

    def _delivered(
        self, message: Message, entries: Entries, *, last: bool
    ) -> tuple[RecordOutcome, ...]:
        """Deliver; if the credentials are refused once more, provided the secret has changed."""
        parts = self._parts
        try:
            return deliver(message, self._pim.client(), parts, entries, last_attempt=last)
        except CredentialsError:
            if not self._pim.renew():
                raise
        entries = partial(known, message, parts.sync_state)  # it may hold more by now
        return deliver(message, self._pim.client(), parts, entries, last_attempt=last)

    def _prove(self, calls_before: int) -> None:
        """Ask the PIM something if delivering did not: a probe has to show that it answers."""
        if self._pim.calls > calls_before:
            return
        with asking_the_pim(), suppress(ForbiddenError):
            self._pim.client().get_attribute("sku")

    def _postponed(self, error: TransientError | ConfigurationError, gate: Gate) -> Handled:
        reason = _breaker_reason(error)
        if reason is None:
            return Handled(end="postponed", wait=self._soon(error), reason=str(error))
        wait = self._breaker.failed(gate, reason, self._now(), str(error))
        asked = getattr(error, "retry_after", None) or 0
        spread = int(self._jitter() * SPREAD_SECONDS)
        return Handled(
            end="postponed", wait=max(wait, int(asked)) + spread, reason=str(error), opened=reason
        )

    def _soon(self, error: ConnectorError) -> int:
        asked = getattr(error, "retry_after", None) or 0
        return max(int(asked), 5 + int(self._jitter() * SPREAD_SECONDS))


def _breaker_reason(error: TransientError | ConfigurationError) -> Reason | None:
    if isinstance(error, PimUnavailableError):
        return "unreachable"
    if isinstance(error, CredentialsError | ForbiddenError):
        return "credentials"
    return "configuration" if isinstance(error, ConfigurationError) else None
