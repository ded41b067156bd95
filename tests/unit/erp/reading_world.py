"""What the tests of the reader share: a file in memory, a mapping in a few lines, all records."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

from pim_connector.erp.reader import RecordReader, read_records
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.records import SourceRecord

PLAIN = """
version: 1
records:
  product: {path: /catalog/product, identifier: "@sku", values: {name: name}}
"""


class OneWay(io.RawIOBase):
    """A stream that can only be read forward, in small pieces, as from S3."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        self._inner = io.BytesIO(data)
        self._piece = piece

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        wanted = self._piece if size < 0 else min(size, self._piece)
        return self._inner.read(wanted)


def opener(data: bytes, piece: int = 1 << 16) -> Callable[[], BinaryIO]:
    return lambda: OneWay(data, piece)  # type: ignore[return-value]  # reads are all it is used for


def compiled_mapping_of(mapping: str) -> CompiledMapping:
    return compile_mapping(load_mapping(mapping.encode(), name="test.yaml"))


def reader_of(data: bytes | str, mapping: str = PLAIN, *, piece: int = 1 << 16) -> RecordReader:
    encoded = data.encode() if isinstance(data, str) else data
    return read_records(opener(encoded, piece), compiled_mapping_of(mapping))


def records_of(
    data: bytes | str, mapping: str = PLAIN, *, piece: int = 1 << 16
) -> list[SourceRecord]:
    return list(reader_of(data, mapping, piece=piece))
