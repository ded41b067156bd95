"""`pim-connector preview` and `mapping check` as users run them: files in, NDJSON out."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAPPING = """
version: 1
tables:
  prices: {file: prices, path: /prices/price, key: "@sku", columns: {amount: "."}}
records:
  product:
    path: /catalog/product
    when: "@gone != 'yes'"
    identifier: "@sku"
    values:
      name: {from: name, locale: de_DE}
      price: {each: {table: prices, key: "@sku"}, from: amount, currency: EUR}
"""
CATALOG = """<catalog>
<product sku="1" gone=""><name>Größe</name></product>
<product sku="2" gone="yes"/>
<product sku="3" gone=""><name>A name that is far too long</name></product>
</catalog>
"""
STRUCTURE = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "name", "type": "pim_catalog_text", "localizable": True, "max_characters": 10},
        {"code": "price", "type": "pim_catalog_price_collection", "decimals_allowed": True},
    ]
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "erp.yaml").write_text(MAPPING)
    (tmp_path / "export.xml").write_text(CATALOG)
    (tmp_path / "prices.xml").write_text('<prices><price sku="1">9.90</price></prices>')
    (tmp_path / "pim.json").write_text(json.dumps(STRUCTURE))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as its users start it."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/layers/connector/python"}
    environment.pop("AKENEO_URL", None)
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "cli.app", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def preview(folder: Path, *more: str, file: str = "export.xml") -> subprocess.CompletedProcess[str]:
    arguments = ("preview", file, "--mapping", "erp.yaml", "--with", "prices=prices.xml", *more)
    return run(folder, *arguments)


def test_each_record_is_one_object_in_document_order(files: Path) -> None:
    done = preview(files, "--structure", "pim.json")
    assert done.returncode == 0, done.stderr
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert first == {
        "record": 1,
        "line": 2,
        "rule": "product",
        "state": "mapped",
        "resource": "product",
        "payload": {
            "identifier": "1",
            "values": {
                "name": [{"locale": "de_DE", "scope": None, "data": "Größe"}],
                "price": [
                    {"locale": None, "scope": None, "data": [{"amount": "9.9", "currency": "EUR"}]}
                ],
            },
        },
        "errors": [],
    }
    assert (second["record"], second["line"], second["state"]) == (2, 3, "filtered")
    assert (third["state"], third["payload"]) == ("rejected", None)
    assert third["errors"] == [
        {
            "attribute": "name",
            "source": "name",
            "message": "27 characters, the attribute takes 10 (de_DE)",
            "value": "A name that is far too long",
            "advice": "shorten it in the ERP, or have the mapping cut it",
        }
    ]
    assert "3 records: 1 filtered, 1 mapped, 1 rejected" in done.stderr


def test_a_file_that_ends_early_is_shown_as_far_as_it_goes_and_fails(files: Path) -> None:
    (files / "export.xml").write_text(CATALOG[:90])
    done = preview(files)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "the file ends in the middle" in done.stderr
    assert "1 records read before it" in done.stderr


def test_compressed_exports_and_a_limit(files: Path) -> None:
    (files / "export.bin").write_bytes(gzip.compress(CATALOG.encode()))
    done = preview(files, "--limit", "1", file="export.bin")
    assert done.returncode == 0
    assert [json.loads(line)["record"] for line in done.stdout.splitlines()] == [1]


def test_a_table_for_people(files: Path) -> None:
    done = preview(files, "--table")
    assert done.returncode == 0
    for text in ("record 1, line 2: mapped", "name de_DE", "Größe", "record 2, line 3: filtered"):
        assert text in done.stdout


def test_the_table_shows_what_is_wrong_with_its_value_and_no_markup(files: Path) -> None:
    (files / "export.xml").write_text(CATALOG.replace("A name that is far too long", "[red]x"))
    (files / "prices.xml").write_text('<prices><price sku="3">9,90</price></prices>')
    done = preview(files, "--table")
    assert 'not a number written like "1234.5": "9,90"' in done.stdout
    (files / "prices.xml").write_text('<prices><price sku="1">9.90</price></prices>')
    done = preview(files, "--table")
    assert "[red]x" in done.stdout
    assert "[/red]" not in done.stdout
    assert '[{"amount": "9.9", "currency": "EUR"}]' in done.stdout


def test_repeated_identifiers_are_said_or_refused(files: Path) -> None:
    (files / "export.xml").write_text(CATALOG.replace('sku="3"', 'sku="1"'))
    done = preview(files)
    assert "1 records repeat an identifier" in done.stderr
    assert json.loads(done.stdout.splitlines()[2])["warnings"]
    (files / "erp.yaml").write_text(MAPPING + "source: {duplicates: reject}\n")
    assert json.loads(preview(files).stdout.splitlines()[2])["state"] == "rejected"


def test_attributes_no_record_fills_are_named(files: Path) -> None:
    (files / "erp.yaml").write_text(MAPPING.replace("from: name", "from: nmae"))
    assert "filled by no record, perhaps a wrong path: name" in preview(files).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("preview", "export.xml", "-m", "none.yaml"), "none.yaml: No such file"),
        (("preview", "none.xml", "-m", "erp.yaml"), "none.xml: no such file"),
        (("preview", "export.xml", "-m", "erp.yaml"), "needs a second file named prices"),
        (("preview", "export.xml", "-m", "pim.json"), "pim.json:1:"),
        (("preview", "export.xml", "-m", "erp.yaml", "--with", "x"), "expected NAME=FILE"),
        (("mapping", "check", "pim.json"), "2 problems\n"),
    ],
)
def test_wrong_use_is_status_two_and_says_why(
    files: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run(files, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_check_against_a_structure(files: Path) -> None:
    good = run(files, "mapping", "check", "erp.yaml", "--structure", "pim.json")
    assert (good.returncode, good.stdout) == (0, "")
    (files / "erp.yaml").write_text(MAPPING.replace("      name:", "      nmae:"))
    bad = run(files, "mapping", "check", "erp.yaml", "--structure", "pim.json")
    assert bad.returncode == 2
    assert "erp.yaml:11: records.product.values.nmae: the PIM has no attribute nmae" in bad.stdout
    assert "did you mean name?" in bad.stdout
