"""The JSON Schema of mapping files, out of the types that validate them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pim_connector.mapping.language import MappingFile

TITLE = "A mapping of the PIM connector"


def json_schema() -> str:
    """The schema as text, always the same for the same types; docs/mapping.schema.json holds it."""
    schema: dict[str, Any] = msgspec.json.schema(MappingFile)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = TITLE
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
