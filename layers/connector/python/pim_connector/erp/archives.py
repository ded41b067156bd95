"""Gzip and zip by content: the one file inside, as a stream, within limits."""

from __future__ import annotations

import lzma
import re
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from pim_connector.records import UnreadableFileError

CHUNK = 256 * 1024
SLICE = 16 * 1024
MAX_RATIO = 200
"""XML compresses about 10 to 50 times; an archive that grows more than this is a bomb."""
FREE_BYTES = 64 * 1024 * 1024
"""What any archive may unpack to before its ratio counts."""
MAX_ZIP_BYTES = 400 * 1024 * 1024
"""A zip is copied to disk, because its directory is at its end; Lambda has 512 MB of it."""

MAX_ZIP_ENTRIES = 1_000
"""One is read; the list of millions would take gigabytes before that could be said."""

_JUNK = re.compile(
    r"(?:^|[/\\\\])(?:__MACOSX[/\\\\].*|\._[^/\\\\]*|\.DS_Store|Thumbs\.db|desktop\.ini)$",
    re.IGNORECASE,
)
"""What the Finder and the Explorer put beside the files of an archive."""
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_ZIP_ENTRY = b"PK\x01\x02"
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)
"""What zipfile raises over bytes that are no zip archive, found by fuzzing."""
_OTHERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def unpacked(
    file: BinaryIO, *, skips_rest: bool = False, count: Counter[str] | None = None
) -> Iterator[bytes]:
    """The file's bytes in chunks, unpacked if its first bytes say gzip or zip.

    Reads forward only. `skips_rest` passes over what stands behind a gzip archive, and counts its
    bytes as `trailing_garbage`. Raises UnreadableFileError for other archives, for archives in
    archives, encrypted or damaged ones, and bombs.
    """
    first = _at_least(file, 8)
    if first.startswith(_GZIP):
        rest = count if skips_rest and count is not None else None
        return _no_archive_inside(_gunzip(first, file, rest))
    if first.startswith((_ZIP, _EMPTY_ZIP)):
        return _no_archive_inside(_unzip(first, file))
    for magic, name in _OTHERS.items():
        if first.startswith(magic):
            raise UnreadableFileError(f"a {name} archive; gzip, zip or plain XML is expected")
    return chunks_of(file, first)


def _at_least(file: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = file.read(CHUNK)
        if not more:
            break
        data += more
    return data


def chunks_of(file: BinaryIO, first: bytes = b"") -> Iterator[bytes]:
    """The bytes of a file from where it stands, with those before them that were read already."""
    data = first or file.read(CHUNK)
    while data:
        yield data
        data = file.read(CHUNK)


def _no_archive_inside(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for n, chunk in enumerate(chunks):
        if n == 0 and chunk.startswith((_GZIP, _ZIP)):
            raise UnreadableFileError("an archive inside an archive; pack the XML file once")
        yield chunk


def _gunzip(first: bytes, file: BinaryIO, skipped: Counter[str] | None) -> Iterator[bytes]:
    """One member after another. What is behind the last is refused, or counted if `skipped`."""
    packed = unpacked_bytes = 0
    inflate = zlib.decompressobj(wbits=31)
    is_over = False
    try:
        for data in _slices(chunks_of(file, first)):
            packed += len(data)
            rest = data
            while rest and not is_over:
                if inflate.eof:
                    rest = rest.lstrip(b"\0")
                    is_over = bool(rest) and not _GZIP.startswith(rest[:2])
                    if is_over or not rest:
                        break
                    inflate = zlib.decompressobj(wbits=31)
                out = inflate.decompress(rest, CHUNK)
                rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                unpacked_bytes += len(out)
                _refuse_bomb(packed, unpacked_bytes)
                if out:
                    yield out
            while not inflate.eof and (out := inflate.decompress(b"", CHUNK)):
                unpacked_bytes += len(out)
                _refuse_bomb(packed, unpacked_bytes)
                yield out
            if is_over:
                _skip(rest, skipped)
    except zlib.error as error:
        raise UnreadableFileError(f"the gzip archive is damaged: {error}") from error
    if not inflate.eof:
        raise UnreadableFileError(
            "the gzip archive is cut off; the upload or export was not finished"
        )


def _skip(rest: bytes, skipped: Counter[str] | None) -> None:
    if skipped is None:
        raise UnreadableFileError(
            "something stands behind the gzip archive, perhaps a line feed of a transfer as text; "
            "transfer the file in binary mode, or set `file: {trailing_garbage: skip}` in the "
            "mapping"
        )
    skipped["trailing_garbage"] += len(rest)


def _slices(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Small pieces: what is behind a member is copied for each, and there may be very many."""
    for chunk in chunks:
        for at in range(0, len(chunk), SLICE):
            yield chunk[at : at + SLICE]


def _unzip(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as copy:
        entries = 0
        for data in chunks_of(file, first):
            copy.write(data)
            entries += data.count(_ZIP_ENTRY)
            if entries > MAX_ZIP_ENTRIES:
                raise UnreadableFileError(
                    f"the zip archive must hold one file; it holds more than {MAX_ZIP_ENTRIES}"
                )
            if copy.tell() > MAX_ZIP_BYTES:
                raise UnreadableFileError("the zip archive is larger than 400 MB; use gzip")
        try:
            with zipfile.ZipFile(copy) as archive:
                yield from _only_entry(archive)
        except _DAMAGED as error:
            raise UnreadableFileError(f"the zip archive is damaged or cut off: {error}") from error


def _only_entry(archive: zipfile.ZipFile) -> Iterator[bytes]:
    everything = [entry for entry in archive.infolist() if not entry.is_dir()]
    entries = [entry for entry in everything if not _JUNK.search(entry.filename)]
    if len(entries) != 1:
        names = ", ".join(repr(entry.filename)[:60] for entry in entries[:5]) or "none"
        junk = (
            f" (beside {len(everything)} of a file manager)" if everything and not entries else ""
        )
        raise UnreadableFileError(
            f"the zip archive must hold one file; it holds {names}{junk}; send each export as a "
            "file of its own"
        )
    entry = entries[0]
    if entry.flag_bits & 1:
        raise UnreadableFileError("the zip archive is encrypted; send it without a password")
    size = 0
    with archive.open(entry) as inside:
        while data := inside.read(CHUNK):
            size += len(data)
            _refuse_bomb(max(entry.compress_size, 1), size)
            yield data


def _refuse_bomb(packed: int, unpacked_bytes: int) -> None:
    if unpacked_bytes > FREE_BYTES and unpacked_bytes > packed * MAX_RATIO:
        raise UnreadableFileError(
            f"the archive unpacks to more than {MAX_RATIO} times its size: that is no XML export"
        )
