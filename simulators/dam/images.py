"""A picture for each asset: a small PNG in a colour of its own, the same bytes every time."""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b


def picture(asset_id: str, version: int = 1, size: int = 32) -> bytes:
    """Draw a square of `size` pixels; another version has another colour, so other bytes."""
    colour = blake2b(f"{asset_id}/{version}".encode(), digest_size=3).digest()
    line = b"\x00" + colour * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(line * size)) + _chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
