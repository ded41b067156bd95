"""The JSON Schema of DAM source files, out of the types that validate them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pim_connector.dam.source import Source


def json_schema() -> str:
    """The schema as text, always the same for the same types; docs/dam.schema.json holds it."""
    schema: dict[str, Any] = msgspec.json.schema(Source)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A DAM source of the PIM connector"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
