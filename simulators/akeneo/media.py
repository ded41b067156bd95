"""Files: reading an upload, keeping it, checking it against its attribute."""

import hashlib
import mimetypes
from dataclasses import dataclass, field

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from simulators.akeneo.catalog import Attribute
from simulators.akeneo.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part; `filename` None for a plain field."""

    content: bytes
    filename: str | None = None


def parts_of(content_type: str, body: bytes) -> dict[str, Part]:
    """Parts by name; raises `Refusal` 400 for a body that is no multipart."""
    parts: dict[str, Part] = {}

    def on_field(field: Field) -> None:
        parts[(field.field_name or b"").decode()] = Part(content=field.value or b"")

    def on_file(file: File) -> None:
        file.file_object.seek(0)
        parts[(file.field_name or b"").decode()] = Part(
            content=file.file_object.read(),
            filename=(file.file_name or b"").decode(errors="replace"),
        )
        file.close()

    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if boundary is None:
        return parts
    try:
        parser = FormParser("multipart/form-data", on_field, on_file, boundary=boundary)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Refusal(400, f"The multipart body cannot be read: {error}") from error
    return parts


_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"RIFF", "image/webp"),
    (b"<svg", "image/svg+xml"),
)
IMAGE_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One stored file: `key` is its code in the API, `content` None when it got lost."""

    key: str
    filename: str
    mime_type: str
    content: bytes | None
    size: int
    digest: str

    @property
    def extension(self) -> str:
        """The file name's extension in lower case, without the dot."""
        return extension_of(self.filename)


def extension_of(filename: str) -> str:
    """The extension in lower case; empty when the name has none."""
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def detected_type(filename: str, content: bytes) -> str:
    """The MIME type by content first, as the PIM's guess; the name decides among the rest."""
    for magic, mime_type in _MAGIC:
        if content.startswith(magic):
            return mime_type
    named = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    if b"\0" in content[:1024]:
        return named if not named.startswith(("image/", "text/")) else "application/octet-stream"
    return "text/plain"


@dataclass(slots=True)
class MediaStore:
    """All files by key, in the order they came."""

    files: dict[str, MediaFile] = field(default_factory=dict)
    count: int = 0

    def store(self, filename: str, content: bytes) -> MediaFile:
        """Keep a file under a new key (`a/b/c/d/<digest>_<name>`), as each upload gets one."""
        self.count += 1
        digest = hashlib.sha256(content).hexdigest()
        unique = hashlib.sha256(f"{self.count}-{digest}".encode()).hexdigest()[:40]
        safe = "".join(c if c.isalnum() or c in "._" else "_" for c in filename)
        file = MediaFile(
            key="/".join((*unique[:4], f"{unique}_{safe}")),
            filename=filename,
            mime_type=detected_type(filename, content),
            content=content,
            size=len(content),
            digest=digest,
        )
        self.files[file.key] = file
        return file

    def same_content(self, one: str, other: str) -> bool:
        """Whether two keys stand for equal files."""
        first, second = self.files.get(one), self.files.get(other)
        return first is not None and second is not None and first.digest == second.digest


def file_violations(media: MediaStore, attribute: Attribute, key: str) -> list[str]:
    """Messages about extension, type and size of the file behind a value."""
    file = media.files.get(key)
    if file is None:
        return []
    allowed = attribute.allowed_extensions
    if allowed and file.extension not in allowed:
        return [
            f"The {file.extension} file extension is not allowed for the {attribute.code} "
            f"attribute. Allowed extensions are {', '.join(allowed)}."
        ]
    messages = []
    expected = IMAGE_TYPES.get(file.extension)
    if expected is not None and file.mime_type != expected:
        messages.append(
            f"The MIME type is not allowed for {file.extension} "
            f"(allowed types: {expected}, found {file.mime_type})."
        )
    if attribute.max_file_size is not None and file.size > attribute.max_file_size * 1_000_000:
        messages.append(_too_large(attribute, file))
    return messages


def _too_large(attribute: Attribute, file: MediaFile) -> str:
    limit = (attribute.max_file_size or 0) * 1_000_000
    return (
        f"The file {file.filename} is too large ({_in_units(file.size)}). "
        f"The {attribute.code} attribute can not exceed {_in_units(limit)}."
    )


def _in_units(size: float) -> str:
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{round(size / factor, 2):g} {unit}"
    return f"{size:g} bytes"
