"""How a command ends, for scripts."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
MISUSED: Final = 2
REJECTED: Final = 3
INTERRUPTED: Final = 130
MEANINGS: Final = {
    0: "all is well",
    FAILED: "it failed, or (`doctor`, `status`) something is not well; the last line says why",
    MISUSED: "wrong usage or configuration: nothing was done",
    REJECTED: "done, but some records were (or would be) rejected, or differ",
    INTERRUPTED: "you stopped it (Ctrl-C); what runs in the stack goes on",
}
