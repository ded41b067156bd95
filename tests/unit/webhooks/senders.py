"""Senders that sign as the vendors document it, written without the code under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from pim_connector.dam.event_types import Events, Verification
from pim_connector.dam.loading import StoredSource, load_source
from pim_connector.errors import RejectedError
from pim_connector.webhooks.certificates import PublicKeys
from pim_connector.webhooks.endpoint import Answer, Trust, receive
from pim_connector.webhooks.requests import Request

NOW = 1_790_000_000.0
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bynder"
CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-" + "0a" * 16 + ".pem"
)


@dataclass
class Queue:
    """What reached the asset queue."""

    changes: list[Any] = field(default_factory=list)
    broken: bool = False

    def send(self, source: str, changes: Any) -> None:
        if self.broken:
            raise ConnectionError("the queue is not there")
        self.changes += changes


@dataclass
class Memory:
    """Remembered deliveries, in memory: the same questions as the table answers."""

    taken: dict[str, float] = field(default_factory=dict)

    def claim(self, source: str, delivery: str, *, now: float) -> bool:
        if self.taken.get(source + delivery, 0) >= now:
            return False
        self.taken[source + delivery] = now + 60
        return True

    def settle(self, source: str, delivery: str, *, until: float) -> None:
        self.taken[source + delivery] = until

    def release(self, source: str, delivery: str) -> None:
        del self.taken[source + delivery]


@dataclass
class World:
    """One source's webhook, with what it can reach."""

    queue: Queue = field(default_factory=Queue)
    memory: Memory = field(default_factory=Memory)
    pages: dict[str, bytes] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)
    secret: dict[str, Any] = field(default_factory=lambda: {"webhook": "s3cret", "old": "older"})

    def fetch(self, url: str) -> bytes:
        self.visited.append(url)
        if url not in self.pages:
            raise RejectedError(f"{url}: 404")
        return self.pages[url]

    def call(
        self,
        verify: Verification,
        body: bytes | str | dict[str, Any],
        headers: dict[str, str] | None = None,
        *,
        now: float = NOW,
        ids: str = "id",
        method: str = "POST",
        path: str = "/dam",
        **events: Any,
    ) -> Answer:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        request = Request(
            method=method,
            path=path,
            body=raw.encode() if isinstance(raw, str) else raw,
            headers={name.lower(): value for name, value in (headers or {}).items()},
            query=events.pop("query", {}),
        )
        trust = Trust(secret=self.secret, keys=PublicKeys(self.fetch), visit=self.fetch)
        stored = stored_source(Events(verify=verify, ids=ids, **events))
        return receive(request, stored, trust, self.memory, self.queue.send, now=now)


def stored_source(events: Events | None) -> StoredSource:
    text = b"""
source: dam
base_url: https://dam.example.com
list:
  path: /files
  mode: full
  items: data
  pagination: {kind: page}
  params: {page: "{{page}}", limit: "{{limit}}"}
"""
    source = msgspec.structs.replace(load_source(text, name="dam.yaml"), events=events)
    return StoredSource(source=source, secret={}, key="config/dam/dam.yaml")


@pytest.fixture
def world() -> World:
    return World()


def hmac_of(secret: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), message, getattr(hashlib, algorithm)).digest()


@dataclass
class Signer:
    """An RSA key with the certificate (or public key) that proves it."""

    key: rsa.RSAPrivateKey
    pem: bytes
    public: bytes

    def sign(self, message: bytes, algorithm: hashes.HashAlgorithm) -> str:
        return base64.b64encode(self.key.sign(message, padding.PKCS1v15(), algorithm)).decode()


def make_signer(*, valid_days: int = 10) -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    moment = datetime.fromtimestamp(NOW, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment - timedelta(days=30))
        .not_valid_after(moment + timedelta(days=valid_days))
        .sign(key, hashes.SHA256())
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Signer(key, certificate.public_bytes(serialization.Encoding.PEM), public)


@pytest.fixture(scope="session")
def signer() -> Signer:
    return make_signer()


@pytest.fixture(scope="session")
def impostor() -> Signer:
    return make_signer()


@pytest.fixture
def sns_message(signer: Signer) -> Callable[..., dict[str, str]]:
    """Make a message as SNS does, signed over the fields that are left when all is said."""

    def make(*, version: str = "2", by: Signer = signer, **changed: str) -> dict[str, str]:
        message = {
            "Type": "Notification",
            "MessageId": "3ad2b2d2-0000-5b3c-9d2e-000000000001",
            "TopicArn": TOPIC,
            "Subject": "asset_bank.media.updated",
            "Message": json.dumps({"media_id": "A-1"}),
            "Timestamp": datetime.fromtimestamp(NOW - 2, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE_URL,
        } | changed
        names = ["Message", "MessageId"]
        if message["Type"] == "Notification":
            names += ["Subject"] if "Subject" in message else []
            names += ["Timestamp", "TopicArn", "Type"]
        else:
            names += ["SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{message[name]}\n" for name in names)
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303
        return message | {"Signature": by.sign(text.encode(), algorithm)}

    return make
