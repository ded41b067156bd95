"""The DAM source files in the bucket, each with its secret, kept for a minute.

A source file that is replaced counts from the next minute on, and so does a secret that is
rotated; nothing has to be deployed for either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.bucket import Bucket
from pim_connector.dam.loading import load_source
from pim_connector.dam.source import Source
from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

FOLDER = "config/dam/"
KEEP_SECONDS = 60


class StoredSource(Struct, frozen=True, kw_only=True):
    """A source file as it is now, and the entries of the secret that it names."""

    source: Source
    secret: Mapping[str, Any]
    key: str


class SourceFiles:
    """Reads `config/dam/<source>.yaml`; `now` is in epoch seconds."""

    def __init__(
        self,
        bucket: Bucket,
        secrets: SecretsManagerClient,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._secrets = secrets
        self._now = now
        self._kept: dict[str, tuple[float, StoredSource | None]] = {}

    def get(self, name: str) -> StoredSource | None:
        """Give one source, or None where there is no such file.

        Raises ConfigurationError for a file or secret that cannot be used, TransientError where
        S3 or Secrets Manager does not answer.
        """
        read_at, kept = self._kept.get(name, (0.0, None))
        if read_at and self._now() - read_at < KEEP_SECONDS:
            return kept
        found = self._read(name)
        self._kept[name] = (self._now(), found)
        return found

    def names(self) -> list[str]:
        """List the sources there are files for."""
        keys = self._bucket.keys(FOLDER)
        return [key[len(FOLDER) : -5] for key in keys if key.endswith(".yaml")]

    def _read(self, name: str) -> StoredSource | None:
        key = f"{FOLDER}{name}.yaml"
        try:
            source = load_source(self._bucket.get(key), name=key)
        except FileNotFoundError:
            return None
        if source.source != name:
            raise ConfigurationError(
                f"{key}: `source: {source.source}` must be {name}, the name of its file"
            )
        return StoredSource(source=source, secret=self._secret(source), key=key)

    def _secret(self, source: Source) -> Mapping[str, Any]:
        if source.secret is None:
            return {}
        try:
            answer = self._secrets.get_secret_value(SecretId=source.secret)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            text = f"the secret of DAM source {source.source} could not be read: {code}"
            if code in ("AccessDeniedException", "ResourceNotFoundException"):
                raise ConfigurationError(f"{text}; check its name and the rights") from error
            raise TransientError(text) from error
        except BotoCoreError as error:
            raise TransientError(f"Secrets Manager did not answer: {error}") from error
        try:
            return msgspec.json.decode(answer["SecretString"], type=dict[str, Any])
        except (msgspec.MsgspecError, KeyError) as error:
            raise ConfigurationError(
                f"the secret of DAM source {source.source} must be a JSON object of texts"
            ) from error
