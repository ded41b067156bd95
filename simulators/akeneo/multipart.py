"""The parts of a multipart/form-data body."""

from dataclasses import dataclass

from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

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
