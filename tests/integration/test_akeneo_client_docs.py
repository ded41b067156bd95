"""The examples of docs/akeneo-client.md run as they stand, one after another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve

PAGE = Path(__file__).parents[2] / "docs" / "akeneo-client.md"
CATALOG = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "title", "type": "pim_catalog_text"},
        {"code": "color", "type": "pim_catalog_simpleselect"},
    ],
    "attribute_options": [{"code": "red", "attribute": "color"}],
    "families": [{"code": "shoes", "attributes": ["sku", "title", "color"]}],
    "asset_families": [{"code": "packshots"}],
    "asset_attributes": [{"code": "media", "asset_family": "packshots", "type": "media_file"}],
}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def test_the_examples_of_the_clients_page_run_and_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"client_id": "a", "secret": "b", "username": "c", "password": "d"}
    pim = Pim(catalog=from_resources(CATALOG))
    pim.accounts.connect(Connection(**words))
    (tmp_path / "boot.png").write_bytes(b"\x89PNG\r\n")
    monkeypatch.chdir(tmp_path)
    with serve(create_app(pim)) as url:
        for name, value in {"url": url, **words}.items():
            monkeypatch.setenv(f"AKENEO_{name.upper()}", value)
        namespace: dict[str, object] = {}
        for number, block in enumerate(blocks("python"), start=1):
            exec(compile(block, f"{PAGE.name}, example {number}", "exec"), namespace)  # noqa: S102
    printed = capsys.readouterr().out
    (expected,) = blocks("text")
    assert expected in printed
    assert printed.count("boot-1\n") == 1
    assert "does not accept the token" in printed
