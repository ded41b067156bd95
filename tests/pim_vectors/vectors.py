"""Reading the recorded cases."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SKIPPED = Path(__file__).with_name("skipped.json")
IN_SCOPE = (
    "products_patch_list",
    "products_patch_one",
    "products_uuid_patch_list",
    "products_uuid_patch_one",
    "products_post",
    "products_uuid_post",
    "product_models_patch_list",
    "product_models_patch_one",
    "variant_conversion",
    "variant_products",
    "variant_products_patch_list",
    "variant_products_uuid",
    "quantified_associations",
    "value_validation",
    "stream_edge_cases",
    "token_auth",
    "headers_root",
    "media_files",
    "acl",
    "structure_attribute_option",
    "structure_patch_list",
)
"""Files of the write path; the others are about what no part of the connector calls."""

_UUID_IN_PATH = re.compile(r"/products-uuid/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_DATA = re.compile(r'"data":\s*"([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One case: what is there before, what is asked, what must come."""

    file: str
    number: int
    name: str
    catalog: str
    words: str
    steps: Any
    before: list[dict[str, Any]]
    request: dict[str, Any]
    expect: dict[str, Any]

    @property
    def title(self) -> str:
        """Where to find it: file, place in it, name."""
        return f"{self.file} [{self.number}] {self.name}"


def vectors_of(folder: Path, file: str) -> Iterator[Vector]:
    """The cases of one file, in order."""
    content = json.loads((folder / f"{file}.json").read_text())
    for number, entry in enumerate(content["vectors"]):
        preconditions = entry["catalog_preconditions"]
        yield Vector(
            file=file,
            number=number,
            name=entry["name"],
            catalog=entry["catalog"],
            words=preconditions.get("words") or "",
            steps=preconditions.get("structured") or [],
            before=entry.get("prior_requests") or [],
            request=entry["request"],
            expect=entry["expect"],
        )


def recorded_uuids(vectors: list[Vector]) -> dict[str, str]:
    """UUID by identifier, where a case names the UUID that a product had in the recording.

    Such a UUID stands in the URL, the identifier in the body; the set-up creates the product.
    """
    found: dict[str, str] = {}
    for vector in vectors:
        match = _UUID_IN_PATH.search(vector.request["path"])
        steps = json.dumps(vector.steps)
        for identifier in _DATA.findall(str(vector.request.get("body") or "")):
            if match and json.dumps(identifier) in steps and match.group(1) not in steps:
                found.setdefault(identifier, match.group(1))
    return found


def skip_reasons() -> dict[tuple[str, str], str]:
    """Reason by file and name of each case that is left out."""
    entries = json.loads(SKIPPED.read_text())
    return {(entry["file"], entry["name"]): entry["reason"] for entry in entries}
