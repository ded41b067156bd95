"""Credentials of an Akeneo connection or app, in objects that never show them.

https://api.akeneo.com/documentation/authentication.html (connection) and
https://api.akeneo.com/apps/authentication-and-authorization.html (app).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

CONNECTION_KEYS = ("client_id", "secret", "username", "password")
EXPECTED = (
    'either {"client_id": …, "secret": …, "username": …, "password": …} of a connection'
    ' (in the PIM: Connect > Connection settings) or {"app_token": …} of an app'
)


class ConnectionCredentials(Struct, frozen=True, kw_only=True):
    """The four words of a connection (Connect > Connection settings in the PIM)."""

    client_id: str
    secret: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"ConnectionCredentials(username={self.username!r})"


class AppToken(Struct, frozen=True, kw_only=True):
    """The token of an app or custom app: never expires, until somebody in the PIM revokes it."""

    token: str

    def __repr__(self) -> str:
        return "AppToken()"


Credentials = ConnectionCredentials | AppToken


def credentials_from(fields: Mapping[str, object], *, source: str) -> Credentials:
    """Take credentials from the fields of a secret, a profile or the environment.

    ConfigurationError names `source` and the missing fields, never a value.
    """
    if fields.get("app_token"):
        return AppToken(token=_word(fields, "app_token", source))
    missing = [key for key in CONNECTION_KEYS if not fields.get(key)]
    if missing:
        raise ConfigurationError(f"{source} lacks {', '.join(missing)}; it must hold {EXPECTED}.")
    client_id, secret, username, password = (_word(fields, key, source) for key in CONNECTION_KEYS)
    return ConnectionCredentials(
        client_id=client_id, secret=secret, username=username, password=password
    )


def read_credentials(secrets: SecretsManagerClient, secret_id: str) -> Credentials:
    """Read credentials from AWS Secrets Manager; `secret_id` is a name or an ARN.

    Raises ConfigurationError if the secret is not there, not readable or not as expected, and
    TransientError if Secrets Manager does not answer.
    """
    text = _secret_text(secrets, secret_id)
    try:
        fields = json.loads(text)
    except ValueError:
        # Not chained: the JSON error carries the text, which is the secret.
        fields = None
    if not isinstance(fields, dict):
        raise ConfigurationError(f"secret {secret_id} is not a JSON object; it must be {EXPECTED}.")
    return credentials_from(fields, source=f"secret {secret_id}")


def _secret_text(secrets: SecretsManagerClient, secret_id: str) -> str:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
    )

    try:
        return secrets.get_secret_value(SecretId=secret_id).get("SecretString", "")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("ThrottlingException", "InternalServiceError", "ServiceUnavailable"):
            raise TransientError(f"secret {secret_id} cannot be read now: {code}") from error
        raise ConfigurationError(
            f"secret {secret_id} cannot be read: {code}. Check its ARN, that it exists in this"
            " region, and that this role may secretsmanager:GetSecretValue (and kms:Decrypt)."
        ) from error
    except BotoCoreError as error:
        raise TransientError(f"secret {secret_id} cannot be read now: {error}") from error


def _word(fields: Mapping[str, object], key: str, source: str) -> str:
    """Take one field; a line break in it would end up in a header, and in an error message."""
    value = fields[key]
    if not isinstance(value, str):
        raise ConfigurationError(f"{source}: {key} must be a text in quotes.")
    word = value.strip() if key != "password" else value
    if not word.isprintable() or (key != "password" and not word.isascii()):
        raise ConfigurationError(f"{source}: {key} holds characters that credentials never have.")
    return word
