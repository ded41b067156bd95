"""How many values `mapping init` finds by itself: drafts of small samples against checked values.

    python -m benchmarks.mapping_init [NAME …] [--write]

Each sample is a few records of a public format, typed anew; `tests/data/formats/expected.json` says
for each what a person would map of it to the attributes of `pim.json`. A draft is made with that
PIM, and its preview compared, without an edit. The exports of ../shared/erp, which are not part of
the project, have no such list: of them it is measured how many records are mapped and how many
leaves are read. `--write` puts the table into RESULTS.md.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from benchmarks.results import measured_on, table, write_section
from drafting.drafting import Drafted, draft_mapping
from pim_connector.akeneo.structure import Structure
from pim_connector.erp.preview import Previewed, Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping

ROOT = Path(__file__).parents[1]
FORMATS = ROOT / "tests" / "data" / "formats"
DIALECTS = ROOT / "tests" / "data" / "dialects"
REAL = ROOT.parent / "shared" / "erp"
GOAL = 0.7


def main() -> None:
    """Measure all samples, or those named."""
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    expected = json.loads((FORMATS / "expected.json").read_text("utf-8"))
    pim = Structure.from_json((FORMATS / "pim.json").read_bytes())
    rows, found, wanted = [], 0, 0
    for name, products in expected.items():
        if names and name not in names:
            continue
        hits, missing = compared(sample_of(name), products, pim)
        rows.append((name, len(hits), len(hits) + len(missing), ", ".join(missing)))
        found, wanted = found + len(hits), wanted + len(hits) + len(missing)
        print(f"{name:14} {len(hits):3} of {len(hits) + len(missing):3}  {', '.join(missing)}")
    share = found / max(wanted, 1)
    print(f"{found} of {wanted} checked values found: {share:.0%} (goal {GOAL:.0%})")
    real = list(real_exports()) if not names else []
    if "--write" in sys.argv:
        _write(rows, real, found, wanted)


def sample_of(name: str) -> Path:
    """The file of a sample."""
    own = FORMATS / f"{name}.xml"
    return own if own.exists() else DIALECTS / f"{name}.xml"


def compared(
    sample: Path, products: dict[str, Any], pim: Structure | None
) -> tuple[list[str], list[str]]:
    """The expected values that the draft's preview has, and those that it has not."""
    drafted = draft_mapping(lambda: sample.open("rb"), pim)
    records = {record.identifier: record for record in previewed(sample, drafted, pim)}
    hits: list[str] = []
    missing: list[str] = []
    for identifier, values in products.items():
        for attribute, value in values.items():
            by_locale = value if isinstance(value, dict) else {None: value}
            for locale, text in by_locale.items():
                place = f"{identifier} {attribute} {locale or ''}".strip()
                same = has(records.get(identifier), attribute, locale, text)
                (hits if same else missing).append(place)
    return hits, missing


def previewed(sample: Path, drafted: Drafted, pim: Structure | None) -> Iterator[Previewed]:
    """The records of a sample as the draft maps them."""
    compiled = compile_mapping(load_mapping(drafted.text.encode(), name="draft"))
    records = read_records(lambda: io.BytesIO(sample.read_bytes()), compiled)
    yield from preview_records(records, compiled, pim, Summary())


def has(record: Previewed | None, attribute: str, locale: str | None, wanted: Any) -> bool:
    """Whether a record has a value, whatever its locale where none is said; `*` is any value."""
    if record is None or record.payload is None:
        return False
    if attribute == "enabled":
        return bool(record.payload.get("enabled") == wanted)
    said = [media.location for media in record.media if media.attribute == attribute]
    values = record.payload.get("values")
    envelopes: Any = values.get(attribute, []) if isinstance(values, dict) else []
    said += [_text(each["data"]) for each in envelopes if locale in (None, each["locale"])]
    return any(_same(text, str(wanted)) for text in said)


def _text(data: Any) -> str:
    if isinstance(data, list):
        return " | ".join(_text(each) for each in data)
    if isinstance(data, dict):
        return f"{data.get('amount')} {data.get('currency') or data.get('unit')}"
    return str(data)


def _same(said: str, wanted: str) -> bool:
    if wanted == "*" or wanted in (said, *said.split(" | ")):
        return True
    if wanted.endswith(" *"):
        return any(_same(part.split(" ")[0], wanted[:-2]) for part in said.split(" | "))
    try:
        return Decimal(said) == Decimal(wanted)
    except InvalidOperation:
        return bool(re.fullmatch(r"[<\w].*", wanted)) and said.startswith(wanted + " ")


def real_exports() -> Iterator[tuple[str, str, str]]:
    """Each real export: its name, records by state, leaves that the draft reads (without a PIM)."""
    if not REAL.is_dir():
        print(f"REAL EXPORTS NOT MEASURED: {REAL} is not there")
        return
    for path in sorted(REAL.glob("*.xml")):
        drafted = draft_mapping(lambda path=path: path.open("rb"), None)  # type: ignore[misc]  # bound now
        read = re.search(r"reads (\d+ of the \d+) leaves", drafted.said[-1])
        line = (path.stem, drafted.said[1], read[1] if read else "none")
        print("{:45} {}; {}".format(*line))
        yield line


def _write(
    rows: list[tuple[str, int, int, str]], real: list[tuple[str, str, str]], found: int, wanted: int
) -> None:
    head = (
        f"## mapping init\n\n{measured_on()}\n\n{found} of {wanted} checked values of {len(rows)} "
    )
    head += f"formats found without an edit: {found / wanted:.0%}; the goal is {GOAL:.0%}.\n\n"
    body = table(("format", "found", "checked"), [row[:3] for row in rows])
    more = table(("real export", "records", "leaves read"), real) if real else ""
    write_section("mapping_init", f"{head}{body}\n\n{more}")


if __name__ == "__main__":
    main()
