"""`mapping init` as users run it: a draft goes through `mapping check` and `preview` at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import build
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.loading import load_yaml

PROJECT = Path(__file__).parents[2]
REAL = PROJECT.parent / "shared" / "erp"
OWN = PROJECT / "tests" / "data" / "exports"
DIALECTS = PROJECT / "tests" / "data" / "dialects"
"""A few records each in formats that have no mapping here: what `mapping init` meets unprepared."""
APP = build()
TRUNCATED = {"zbozi_cp1250.xml", "zbozi_cut_off.xml"}
REAL_FILES = """
bmecat101_new_catalog_ok bmecat12_ebero_iso8859 bmecat12_fischer_nexmart_udx bmecat12_pilz_full_dtd
bmecat2005_weidmueller_onto_1020000000 ceneo_marekkomp cxml_index enactor_product
googleshopping_samsung heureka_orris heureka_orris_v1 heureka_u7279 moqui_product_demo
netsuite_saved_search_item odata_olingo_products onbuy_feed openbravo_m_product pies65_stibo_sample
sfcc_master1 sfcc_mnp_l skroutz_mihnea systemx_stock ubl_consip ubl_peppol_uc3 yml_allo_andrii
yml_epicentr_kryshtof yml_eva_andrii yml_mahrof zbozi_cp1250
"""
PIM = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier", "is_main_identifier": True},
        {"code": "name", "type": "pim_catalog_text", "localizable": True},
        {"code": "description", "type": "pim_catalog_textarea", "localizable": True,
         "scopable": True},
        {"code": "brand", "type": "pim_catalog_simpleselect"},
        {"code": "ean", "type": "pim_catalog_text"},
        {"code": "price", "type": "pim_catalog_price_collection", "decimals_allowed": True},
        {"code": "weight", "type": "pim_catalog_metric", "metric_family": "Weight",
         "default_metric_unit": "KILOGRAM", "decimals_allowed": True},
        {"code": "width", "type": "pim_catalog_metric", "metric_family": "Length",
         "default_metric_unit": "CENTIMETER", "decimals_allowed": True},
        {"code": "stock", "type": "pim_catalog_number"},
        {"code": "image", "type": "pim_catalog_image"},
        {"code": "colour", "type": "pim_catalog_multiselect"},
    ],
    "channels": [
        {"code": "shop", "locales": ["de_DE", "uk_UA"], "currencies": ["EUR", "CZK", "UAH"]}
    ],
    "families": [{"code": "clothing"}, {"code": "tools"}],
    "measurement_families": [
        {"code": "Weight", "units": {"KILOGRAM": {"code": "KILOGRAM"}, "GRAM": {"code": "GRAM"}}},
        {"code": "Length",
         "units": {"CENTIMETER": {"code": "CENTIMETER"}, "METER": {"code": "METER"}}},
    ],
    "attribute_options": [],
}  # fmt: skip


def run(*arguments: str | Path) -> Result:
    """The command line in this process; a ConfigurationError is exit status 2, as in `main`."""
    done = CliRunner().invoke(APP, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        if not isinstance(done.exception, ConfigurationError):
            raise done.exception
        done.exit_code = 2
    return done


@pytest.fixture(scope="module")
def pim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pim") / "pim.json"
    path.write_text(json.dumps(PIM))
    return path


def drafted(sample: Path, folder: Path, *more: str | Path) -> tuple[Path, Result]:
    mapping = folder / f"{sample.stem}.yaml"
    return mapping, run("mapping", "init", sample, "-o", mapping, "--records", "60", *more)


def runs_at_once(sample: Path, folder: Path, *structure: str | Path) -> list[dict[str, object]]:
    """The property of every draft: init, check and preview without an edit between them."""
    mapping, done = drafted(sample, folder, *structure)
    broken = sample.name in TRUNCATED
    assert done.exit_code == (1 if broken else 0), done.output
    checked = run("mapping", "check", mapping, *structure)
    assert checked.exit_code == 0, checked.output
    shown = run("preview", sample, "--mapping", mapping, "--limit", "20", *structure)
    assert shown.exit_code == (1 if broken else 0), shown.stderr[-500:]
    records = [json.loads(line) for line in shown.stdout.splitlines()]
    mapped = [record for record in records if record["state"] == "mapped"]
    assert mapped, shown.output[-800:]
    assert all(record["payload"].keys() & {"identifier", "code"} for record in mapped)
    return records


@pytest.mark.parametrize("sample", sorted(OWN.glob("*.xml")), ids=lambda path: path.stem)
def test_a_draft_of_our_own_exports_runs_at_once(sample: Path, tmp_path: Path, pim: Path) -> None:
    runs_at_once(sample, tmp_path)
    (tmp_path / "with").mkdir()
    runs_at_once(sample, tmp_path / "with", "--structure", pim)


@pytest.mark.parametrize("sample", sorted(DIALECTS.glob("*.xml")), ids=lambda path: path.stem)
def test_a_draft_of_a_format_never_seen_runs_at_once(sample: Path, tmp_path: Path) -> None:
    records = runs_at_once(sample, tmp_path)
    assert {record["state"] for record in records} <= {"mapped", "filtered"}


PROPOSED = {
    "ado": ("/xml/rs:data/z:row", "@ItemNo"),
    "amazon": ("/AmazonEnvelope/Message", "Product/SKU"),
    "ebay": ("/GetSellerListResponse/ItemArray/Item", "SKU"),
    "etim2005": ("/BMECAT/*/PRODUCT", "SUPPLIER_PID"),
    "fabdis": ("/FABDIS/B01_COMMERCE/L", "REFCIALE"),
    "jtl": ("/tBestellungen/tArtikel", "cArtNr"),
    "magento": ("/catalog/product", "sku"),
    "nav": ("/Root/Items/Item", "No"),
    "oagis": ("/SyncItemMaster/DataArea/ItemMaster/ItemMasterHeader", "ItemID/ID"),
    "odata4": ("/feed/entry", "content/m:properties/d:ItemNumber"),
    "parents": ("/assortment/*/article", "@nr"),
    "trovaprezzi": ("/Products/Offer", "Code"),
}


@pytest.mark.parametrize("name", PROPOSED)
def test_records_and_identifier_of_a_format_never_seen_are_found(name: str, tmp_path: Path) -> None:
    mapping, _ = drafted(DIALECTS / f"{name}.xml", tmp_path)
    document, _ = load_yaml(mapping.read_bytes())
    assert isinstance(document, dict)
    found = [(record["path"], record["identifier"]) for record in document["records"].values()]
    assert PROPOSED[name] in found


@pytest.mark.parametrize("name", REAL_FILES.split())
def test_a_draft_of_a_real_export_runs_at_once(name: str, tmp_path: Path, pim: Path) -> None:
    sample = REAL / f"{name}.xml"
    if not sample.exists():
        pytest.skip(f"REAL EXPORT NOT TESTED: {sample} is not there")
    runs_at_once(sample, tmp_path)
    if sample.stat().st_size < 200_000:
        (tmp_path / "with").mkdir()
        runs_at_once(sample, tmp_path / "with", "--structure", pim)


def test_a_file_cut_off_gives_its_error_and_a_draft_of_what_came_before(tmp_path: Path) -> None:
    sample = tmp_path / "cut.xml"
    sample.write_text("<shop><item><sku>A1</sku><name>One</name></item><item><sku>A2</sku><na")
    mapping, done = drafted(sample, tmp_path)
    assert done.exit_code == 1
    assert "ends in the middle" in done.stderr
    assert "identifier: sku" in mapping.read_text()


def test_a_mapping_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    sample = tmp_path / "feed.xml"
    sample.write_text("<shop><item><sku>A1</sku></item><item><sku>A2</sku></item></shop>")
    (tmp_path / "feed.yaml").write_text("mine")
    _, done = drafted(sample, tmp_path)
    assert done.exit_code == 2
    assert (tmp_path / "feed.yaml").read_text() == "mine"


def test_another_record_can_be_chosen_and_a_wrong_one_is_told_the_candidates(
    tmp_path: Path,
) -> None:
    sample = tmp_path / "two.xml"
    sample.write_text(
        "<x>"
        + "".join(f"<product><id>{n}</id><name>P{n}</name><ean/></product>" for n in range(4))
        + "".join(f"<sku><code>S{n}</code><label>L{n}</label></sku>" for n in range(3))
        + "</x>"
    )
    chosen = run("mapping", "init", sample, "--record", "/x/sku")
    assert "path: /x/sku" in chosen.stdout
    assert "identifier: code" in chosen.stdout
    assert "--record /x/product  (4 of them)" in chosen.stderr
    wrong = run("mapping", "init", sample, "--record", "/x/skus")
    assert wrong.exit_code == 2
    assert "/x/product" in str(wrong.exception)


def test_hostile_and_empty_files_end_in_a_sentence(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xml"
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb.write_text(f'<!DOCTYPE x [<!ENTITY e0 "ha">{levels}]><x><i>&e9;</i><i>&e9;</i></x>')
    done = CliRunner().invoke(APP, ["mapping", "init", str(bomb)])
    assert done.exit_code == 1
    empty = tmp_path / "empty.xml"
    empty.write_text("<x/>")
    assert run("mapping", "init", empty).exit_code == 2


def test_gzip_and_other_encodings_are_read_as_the_connector_reads_them(tmp_path: Path) -> None:
    import gzip

    text = (
        '<?xml version="1.0" encoding="windows-1250"?><PRODUKTY>'
        + "".join(f"<PRODUKT><KÓD>Ž{n}</KÓD><NÁZEV>Řetěz {n}</NÁZEV></PRODUKT>" for n in range(3))
        + "</PRODUKTY>"
    )
    sample = tmp_path / "chains.xml.gz"
    sample.write_bytes(gzip.compress(text.encode("windows-1250")))
    records = runs_at_once(sample, tmp_path)
    assert records[0]["payload"]["identifier"] == "Ž0"  # type: ignore[index]  # JSON


def test_nothing_of_the_file_is_dropped_silently(tmp_path: Path, pim: Path) -> None:
    """Every value place of the record is in the draft: in a rule, or in a comment."""
    sample = OWN / "bmecat12.xml"
    for structure in ((), ("--structure", pim)):
        folder = tmp_path / str(len(structure))
        folder.mkdir()
        mapping, _ = drafted(sample, folder, *structure)
        text = mapping.read_text()
        record = re.findall(r"<ARTICLE[ >].*?</ARTICLE>", sample.read_text(), re.DOTALL)
        names = set(re.findall(r"<([\w.:]+)[^<>]*>[^<>\s][^<>]*</", "".join(record)))
        missing = {name for name in names if name not in text}
        assert not missing
        load_yaml(mapping.read_bytes())
