"""Fixtures of the webhook tests."""

from tests.unit.webhooks.senders import impostor, signer, sns_message, world

__all__ = ["impostor", "signer", "sns_message", "world"]
