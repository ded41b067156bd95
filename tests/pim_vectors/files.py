"""Stand-ins for the pictures and documents that the cases upload."""

from pathlib import PurePosixPath

_HEADS = {
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "pdf": b"%PDF-1.4\n\x00",
}
_SIZES = {"akeneo.jpg": 10584, "ziggy.png": 100855, "akeneo.txt": 32}
DEFAULT_SIZE = 500


def file_content(name: str) -> bytes:
    """Bytes of the type that the name says; a "malicious" file is text under a false name."""
    name = PurePosixPath(name).name
    extension = name.rpartition(".")[2].lower()
    head = b"" if "malicious" in name else _HEADS.get(extension, b"")
    filler = b"\x00" if head else b"x"
    return head.ljust(_SIZES.get(name, DEFAULT_SIZE), filler)
