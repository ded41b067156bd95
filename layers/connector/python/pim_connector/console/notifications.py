"""Tells a channel of Slack or Teams of every run that ended, with a link to its page.

The channel's address is a secret: whoever knows it may write there. Slack takes a text, Teams'
workflows an adaptive card
(https://api.slack.com/messaging/webhooks,
https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.errors import ConfigurationError, RejectedError, TransientError

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

SLACK: Final = "hooks.slack.com"
TEAMS: Final = (".webhook.office.com", ".logic.azure.com", ".api.powerplatform.com")
SECONDS: Final = 10.0
LONGEST: Final = 2_000


class Channel(Struct, frozen=True, kw_only=True):
    """Where runs are told; `console` is the console's own address. Neither is ever logged."""

    webhook: str = ""
    console: str = ""

    def __repr__(self) -> str:
        return f"Channel({self.name})"

    @property
    def name(self) -> str:
        """What kind of channel it is, "" if there is none."""
        if not self.webhook:
            return ""
        return "Slack" if urlsplit(self.webhook).hostname == SLACK else "Teams"


def read_channel(parts: Parts) -> Channel:
    """Return the channel that is kept; an empty one if there is none."""
    arn = parts.settings.channel_secret_arn
    if not arn:
        return Channel()
    try:
        text = parts.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        found = json.loads(text)
    except (ClientError, BotoCoreError) as error:
        raise ConfigurationError(f"the channel's secret cannot be read: {error}") from error
    return Channel(webhook=str(found.get("webhook", "")), console=str(found.get("console", "")))


def keep_channel(parts: Parts, webhook: str, console: str) -> None:
    """Keep a channel's address; an empty one tells nobody any more."""
    text = json.dumps({"webhook": checked_webhook(webhook) if webhook else "", "console": console})
    try:
        parts.client("secretsmanager").put_secret_value(
            SecretId=parts.settings.channel_secret_arn, SecretString=text
        )
    except (ClientError, BotoCoreError) as error:
        raise ConfigurationError(f"the channel's secret cannot be written: {error}") from error


def checked_webhook(address: str) -> str:
    """Return the address of a channel. RejectedError for one that neither Slack nor Teams has.

    The console must not become a way to call whatever else can be reached from it.
    """
    parts = urlsplit(address.strip())
    host = parts.hostname or ""
    known = host == SLACK or host.endswith(TEAMS)
    if parts.scheme != "https" or not known or parts.username or parts.port not in (None, 443):
        raise RejectedError(
            "This is no webhook address of Slack (https://hooks.slack.com/…) or of a Teams "
            "workflow. Copy it from the channel's settings."
        )
    return address.strip()


def told_run(detail: Mapping[str, Any]) -> str:
    """Return the sentence about a run that ended, from the event RunFinished. Pure."""
    counts: Mapping[str, int] = detail.get("counts", {})
    outcome = detail.get("outcome") or "ended"
    numbers = ", ".join(
        f"{counts[state]:,} {state}"
        for state in ("created", "updated", "unchanged", "rejected")
        if counts.get(state)
    )
    name = str(detail.get("file", "")).rpartition("/")[2]
    text = f"{detail.get('source')}: {name} – {outcome}. {numbers or 'Nothing changed'}."
    reason = detail.get("why")
    return f"{text} {reason}"[:LONGEST] if reason else text[:LONGEST]


def send(channel: Channel, text: str, link: str, http: httpx.Client | None = None) -> None:
    """Write to the channel. TransientError where it does not take it now.

    An error never has the address in it.
    """
    if not channel.webhook:
        return
    client = http or httpx.Client(timeout=SECONDS, follow_redirects=False)
    try:
        answer = client.post(channel.webhook, json=message(channel.name, text, link))
    except httpx.HTTPError as error:
        kind = type(error).__name__
        raise TransientError(f"{channel.name} could not be reached ({kind})") from None
    if answer.status_code >= 300:
        raise TransientError(f"{channel.name} answered {answer.status_code}: is the webhook there?")


def message(kind: str, text: str, link: str) -> dict[str, Any]:
    """Return what a channel of this kind takes. Pure."""
    if kind == "Slack":
        safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": f"{safe} <{link}|Open>"}
    body: list[dict[str, Any]] = [{"type": "TextBlock", "text": text, "wrap": True}]
    card = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": link}],
    }
    kind_of = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind_of, "content": card}]}


def run_finished(detail: Mapping[str, Any], parts: Parts) -> bool:
    """Tell the channel of a run that ended; False where there is no channel."""
    channel = read_channel(parts)
    if not channel.webhook:
        return False
    send(channel, told_run(detail), f"{channel.console}/runs/{detail['run']}")
    return True
