"""The stack's settings: the connection, people, who is told, and the checks of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pim_connector.console.checks import Finding, examine
from pim_connector.console.exchange import Call, Reply, redirect
from pim_connector.console.history import OF_STACK
from pim_connector.console.notifications import keep_channel, read_channel, send
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
        app=_app(parts),
        base=base_address(call),
        people=parts.door.people.all(),
        only_marked=parts.door.people.only_marked(),
        channel=read_channel(parts),
        acts=list(parts.history.of(OF_STACK)),
    )


def base_address(call: Call) -> str:
    """Return the console's own address, as the browser reached it."""
    return f"https://{call.headers.get('host', '')}"


def _app(parts: Parts) -> str:
    try:
        return parts.door.app.state()
    except ConnectorError as error:
        return str(error)


def _connection(parts: Parts) -> Finding:
    try:
        with parts.pim() as pim:
            told = pim.system_information()
    except ConnectorError as error:
        return Finding(
            level="problem",
            about="PIM",
            found=str(error),
            advice="Connect again below, or put working credentials into the stack's secret; "
            "nothing has to be deployed.",
        )
    found = f"Akeneo {told.get('version', '')} {told.get('edition', '')}".strip()
    return Finding(level="ok", about="PIM", found=f"{found} answers")


def keep_app(parts: Parts, call: Call) -> Reply:
    """Keep the app's client id and secret, and go to the PIM to connect it."""
    parts.door.app.keep_app(call.form.get("client_id", ""), call.form.get("client_secret", ""))
    _note(parts, call, "entered the app's client id and secret")
    return redirect("/app/sign-in", next="/settings")


def mark(parts: Parts, call: Call) -> Reply:
    """Let a person act, or only look."""
    acts = call.form.get("acts") == "yes"
    subject = call.form.get("subject", "")
    parts.door.people.mark(subject, acts=acts, by=call.session)
    name = next((p.name for p in parts.door.people.all() if p.subject == subject), subject)
    _note(parts, call, f"let {name} {'act' if acts else 'only look'}")
    return redirect("/settings", said="Changed.")


def narrow(parts: Parts, call: Call) -> Reply:
    """Let only marked people act, or everybody who can open the console."""
    only = call.form.get("only_marked") == "yes"
    parts.door.people.narrow(only_marked=only, by=call.session)
    _note(parts, call, f"let {'only marked people' if only else 'everybody'} act")
    return redirect("/settings", said="Changed.")


def keep_webhook(parts: Parts, call: Call) -> Reply:
    """Keep the address of a channel, and write there that it works."""
    webhook = call.form.get("webhook", "").strip()
    keep_channel(parts, webhook, base_address(call))
    if not webhook:
        _note(parts, call, "removed the channel")
        return redirect("/settings", said="No channel is told any more.")
    channel = read_channel(parts)
    text = f"{call.visitor.name} connected the PIM connector to this channel."
    send(channel, text, f"{channel.console}/")
    _note(parts, call, f"set a channel of {channel.name}")
    return redirect("/settings", said=f"{channel.name} took a first message.")


def _note(parts: Parts, call: Call, what: str) -> None:
    parts.history.note(OF_STACK, call.visitor.actor, what, parts.clock())


def checks(parts: Parts, call: Call) -> Reply:
    """Look at everything and say what is not as it should be; changes nothing."""
    return page("checks.html", call, parts, findings=list(_ordered(examine(parts))))


def _ordered(findings: Iterator[Finding]) -> list[Finding]:
    order = ("problem", "warning", "note", "ok")
    return sorted(findings, key=lambda finding: order.index(finding.level))
