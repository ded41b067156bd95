"""The stack's settings: the connection, people, who is told, and the checks of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pim_connector.console.checks import Finding, examine
from pim_connector.console.exchange import Call, Reply
from pim_connector.console.history import OF_STACK
from pim_connector.console.rendering import page
from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts


def settings(parts: Parts, call: Call) -> Reply:
    """Show the settings."""
    return page(
        "settings.html",
        call,
        parts,
        settings=parts.settings,
        connection=_connection(parts),
        acts=list(parts.history.of(OF_STACK)),
    )


def _connection(parts: Parts) -> Finding:
    try:
        with parts.pim() as pim:
            told = pim.system_information()
    except ConnectorError as error:
        return Finding(
            level="problem",
            about="PIM",
            found=str(error),
            advice="Put working credentials into the stack's secret; nothing has to be deployed.",
        )
    found = f"Akeneo {told.get('version', '')} {told.get('edition', '')}".strip()
    return Finding(level="ok", about="PIM", found=f"{found} answers")


def checks(parts: Parts, call: Call) -> Reply:
    """Look at everything and say what is not as it should be; changes nothing."""
    return page("checks.html", call, parts, findings=list(_ordered(examine(parts))))


def _ordered(findings: Iterator[Finding]) -> list[Finding]:
    order = ("problem", "warning", "note", "ok")
    return sorted(findings, key=lambda finding: order.index(finding.level))
