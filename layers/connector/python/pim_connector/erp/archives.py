"""Gzip and zip by content: the one file inside, as a stream, within limits."""

from __future__ import annotations

import lzma
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pim_connector.erp.record import UnreadableFileError

CHUNK = 256 * 1024
MAX_RATIO = 200
"""XML compresses about 10 to 50 times; an archive that grows more than this is a bomb."""
FREE_BYTES = 64 * 1024 * 1024
"""What any archive may unpack to before its ratio counts."""
MAX_ZIP_BYTES = 400 * 1024 * 1024
"""A zip is copied to disk, because its directory is at its end; Lambda has 512 MB of it."""

MAX_ZIP_ENTRIES = 1_000
"""One is read; the list of millions would take gigabytes before that could be said."""

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


class Unpacked(NamedTuple):
    """A file's text in chunks; `is_packed` says that they are not the file's own bytes."""

    chunks: Iterator[bytes]
    is_packed: bool


def unpacked(file: BinaryIO) -> Unpacked:
    """The file's bytes in chunks, unpacked if its first bytes say gzip or zip.

    Reads forward only. Raises UnreadableFileError for other archives, and while the chunks are
    taken for archives in archives, encrypted or damaged ones, and bombs.
    """
    first = _at_least(file, 8)
    if first.startswith(_GZIP):
        return Unpacked(_no_archive_inside(_gunzip(first, file)), is_packed=True)
    if first.startswith((_ZIP, _EMPTY_ZIP)):
        return Unpacked(_no_archive_inside(_unzip(first, file)), is_packed=True)
    for magic, name in _OTHERS.items():
        if first.startswith(magic):
            raise UnreadableFileError(f"a {name} archive; gzip, zip or plain XML is expected")
    return Unpacked(chunks_of(file, first), is_packed=False)


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


def _gunzip(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    packed = unpacked_bytes = 0
    inflate = zlib.decompressobj(wbits=31)
    try:
        for data in chunks_of(file, first):
            packed += len(data)
            rest = data
            while rest:
                if inflate.eof:
                    if not rest.strip(b"\0"):
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
    except zlib.error as error:
        raise UnreadableFileError(f"the gzip archive is damaged: {error}") from error
    if not inflate.eof:
        raise UnreadableFileError(
            "the gzip archive is cut off; the upload or export was not finished"
        )


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
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) != 1:
        names = ", ".join(repr(entry.filename)[:60] for entry in entries[:5]) or "none"
        raise UnreadableFileError(f"the zip archive must hold one file; it holds {names}")
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
