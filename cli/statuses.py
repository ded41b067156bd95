"""How a command ends, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pim_connector.sync.runs import Outcome

FAILED: Final = 1
MISUSED: Final = 2
REJECTED: Final = 3
NEEDS_APPROVAL: Final = 4
INTERRUPTED: Final = 130
MEANINGS: Final = {
    0: "all is well",
    FAILED: "it failed, or (`doctor`, `status`) something is not well; the last line says why",
    MISUSED: "wrong usage or configuration: nothing was done",
    REJECTED: "done, but some records were (or would be) rejected, or differ",
    NEEDS_APPROVAL: "a run is on hold and needs approval: `approve RUN` or `discard RUN`",
    INTERRUPTED: "you stopped it (Ctrl-C); what runs in the stack goes on",
}
OF_OUTCOME: Final[dict[Outcome | None, int]] = {
    None: 0,
    "ok": 0,
    "ok with rejects": REJECTED,
    "needs approval": NEEDS_APPROVAL,
    "failed": FAILED,
}
"""The exit status of a command that follows a run to its end; None: it goes on without us."""
