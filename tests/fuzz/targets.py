"""What is fuzzed: each target takes bytes, and raises only where the connector is at fault.

An error that its caller is promised (UnreadableFileError, ConfigurationError, RejectedError) is an
answer like any other; everything else, and every broken promise below, is a finding.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pim_connector.dam.event_types import (
    AdobeVerification,
    BasicVerification,
    ContentfulVerification,
    Events,
    HmacVerification,
    SnsVerification,
)
from pim_connector.dam.loading import load_source
from pim_connector.erp.reader import read_records
from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.mapping.results import Filtered, Identity, Mapped, Rejected
from pim_connector.products import asset_links as linking
from pim_connector.records import UnreadableFileError, fingerprint
from pim_connector.sync import messages as asset_messages
from pim_connector.sync.messages import correlation, decode, encode
from pim_connector.webhooks.certificates import PublicKeys
from pim_connector.webhooks.endpoint import Endpoint
from tests.unit.webhooks.senders import NOW, TOPIC, Memory, Queue, World, stored_source

ROOT = Path(__file__).resolve().parents[2]
PLAIN = """
version: 1
file: {illegal_characters: drop, max_record_megabytes: 1}
head: {season: /catalog/@season}
records:
  product:
    path: /catalog/product
    identifier: "@sku"
    values:
      name: name
      price: {from: price, steps: [number]}
      season: $season
"""
SCHEMES: tuple[Any, ...] = (
    HmacVerification(header="X-Signature", secret="{{secret.webhook}}"),
    ContentfulVerification(secret="{{secret.webhook}}"),
    BasicVerification(username="dam", password="{{secret.webhook}}"),
    SnsVerification(topics=(TOPIC,)),
    AdobeVerification(client_id="ours"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place, and what is written there when all is well."""

    feed: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def xml_file(data: bytes) -> None:
    """Read a file: its records are numbered, stand by themselves, and are mapped or refused."""
    numbers = []
    with suppress(UnreadableFileError):
        for record in read_records(lambda: io.BytesIO(data), _compiled()):
            numbers.append(record.number)
            found = _compiled().identify(record)
            assert isinstance(found, Identity | Rejected | Filtered)
            assert isinstance(_compiled().map(record, None), Mapped | Rejected | Filtered)
            assert len(fingerprint(record)) == 12
    assert numbers == list(range(1, len(numbers) + 1))


def mapping_file(data: bytes) -> None:
    """Load and compile a mapping; what is wrong is said with the file's name."""
    said = "fuzz.yaml"
    try:
        compile_mapping(load_mapping(data, name="fuzz.yaml"))
    except ConfigurationError as error:
        said = str(error)
    assert "fuzz.yaml" in said


def dam_source_file(data: bytes) -> None:
    """Load a DAM source; what is wrong is said with the file's name."""
    said = "fuzz.yaml"
    try:
        load_source(data, name="fuzz.yaml")
    except ConfigurationError as error:
        said = str(error)
    assert "fuzz.yaml" in said


def message(data: bytes) -> None:
    """Decode what a queue delivers; what is a message stays one."""
    assert set(correlation(data)) <= {"run", "source", "message_id"}
    with suppress(RejectedError):
        decoded = decode(data)
        assert decode(encode(decoded)) == decoded
    with suppress(RejectedError):
        asset = asset_messages.decode(data)
        assert asset_messages.decode(asset_messages.encode(asset)) == asset
    with suppress(RejectedError):
        linking.decode(data)


def webhook(data: bytes) -> None:
    """Answer a call: never with an error of our own, and nothing unproven is queued.

    The first line is the scheme's number and the path, the others are headers up to an empty one.
    """
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    queue, world = Queue(), World()
    events = Events(verify=SCHEMES[sum(first.encode()) % len(SCHEMES)], ids="id")
    source = stored_source(events)

    class Files:
        def get(self, _: str) -> Any:
            return type(source)(source=source.source, secret={"webhook": "s3cret"}, key=source.key)

    desk = Endpoint(
        sources=Files(),  # type: ignore[arg-type]  # answers the one question that is asked
        seen=Memory(),
        send=queue.send,
        keys=PublicKeys(world.fetch),
        visit=world.fetch,
        now=lambda: NOW,
    )
    event = {
        "rawPath": "/dam",
        "rawQueryString": first,
        "queryStringParameters": {"challenge": first} if "challenge" in first else {},
        "headers": {name: value for name, _, value in (line.partition(":") for line in lines)},
        "body": body.decode("utf-8", "surrogateescape"),
        "isBase64Encoded": first.startswith("base64"),
    }

    answer = desk.called(event)

    assert 200 <= answer.status < 500, answer
    assert not queue.changes, "nobody proved to be the DAM"
    assert all(url.startswith("https://static.adobeioevents.com/") for url in world.visited)


@cache
def _compiled() -> CompiledMapping:
    return compile_mapping(load_mapping(PLAIN.encode(), name="plain.yaml"))


def _files(pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(ROOT.glob(pattern)))


def _bodies() -> tuple[bytes, ...]:
    events = [json.loads(text) for text in _files("events/*apper/*.json")]
    return tuple(record["body"].encode() for event in events for record in event["Records"])


_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE catalog [<!ENTITY co "A &amp; B"><!ENTITY uuml "&#252;">]>
<catalog season="summer"><!-- c --><product sku="1"><name>&co; B&uuml;</name><price>1.5</price>
<![CDATA[ & ]]></product><product sku="2"/></catalog>"""


def _zipped(data: bytes) -> bytes:
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", data)
    return packed.getvalue()


def _gzipped(data: bytes) -> bytes:
    import gzip

    return gzip.compress(data, mtime=0)


TARGETS: dict[str, Target] = {
    "xml_file": Target(
        feed=xml_file,
        seeds=(
            _XML.encode(),
            _XML.replace("UTF-8", "UTF-16").encode("utf-16"),
            _XML.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
            _gzipped(_XML.encode()),
            _zipped(_XML.encode()),
        ),
    ),
    "mapping_file": Target(
        feed=mapping_file, seeds=(PLAIN.encode(), *_files("docs/mappings/*.yaml"))
    ),
    "dam_source_file": Target(feed=dam_source_file, seeds=_files("docs/dam/*.yaml")),
    "message": Target(feed=message, seeds=_bodies()),
    "webhook": Target(
        feed=webhook,
        seeds=(
            b'a\nx-signature:sha256=00\n\n{"id": "1"}',
            b"challenge=1\n\n",
            b'c\nauthorization:Basic ZGFtOng=\n\n{"id": "1"}',
            b"base64\nx-contentful-signature:0\nx-contentful-timestamp:1\n\neyJpZCI6IDF9",
            b'e\nx-amz-sns-message-type:Notification\n\n{"Type": "Notification", "TopicArn": "t"}',
        ),
    ),
}
