"""The client against the simulated PIM, over real HTTP: faults, limits, uploads, structure."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.structure import app as structure_command
from pim_connector.akeneo import (
    AkeneoClient,
    ConnectionCredentials,
    CredentialsError,
    ForbiddenError,
    LineOutcome,
    Refused,
    RefusedError,
    Unanswered,
    Upserted,
)
from pim_connector.akeneo.structure import Structure
from pim_connector.akeneo.structure_cache import EVERYTHING, fetch_structure
from pim_connector.errors import ConfigurationError, TransientError
from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve

WORDS = {
    "client_id": "client-1",
    "secret": "s3cret-word",
    "username": "erp_1234",
    "password": "pass-w0rd!",
}
PNG = b"\x89PNG\r\n\x1a\n"
CREDENTIALS = ConnectionCredentials(**WORDS)
CATALOG: dict[str, Any] = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "name", "type": "pim_catalog_text", "localizable": True},
        {"code": "color", "type": "pim_catalog_simpleselect"},
        {"code": "size", "type": "pim_catalog_simpleselect"},
        {"code": "picture", "type": "pim_catalog_image", "allowed_extensions": ["png"]},
    ],
    "attribute_options": [{"code": "red", "attribute": "color", "labels": {"en_US": "Red"}}],
    "families": [{"code": "shoes", "attributes": ["sku", "name", "color", "size", "picture"]}],
    "family_variants": [
        {
            "code": "shoes_by_size",
            "family": "shoes",
            "variant_attribute_sets": [
                {"level": 1, "axes": ["color"], "attributes": ["color"]},
                {"level": 2, "axes": ["size"], "attributes": ["size", "sku"]},
            ],
        }
    ],
    "channels": [
        {
            "code": "web",
            "locales": ["en_US", "de_DE"],
            "currencies": ["EUR"],
            "category_tree": "master",
        }
    ],
    "locales": [{"code": "en_US"}, {"code": "de_DE"}],
    "currencies": [{"code": "EUR", "enabled": True}],
    "categories": [{"code": "master", "parent": None}],
    "association_types": [{"code": "PACK"}],
    "asset_families": [{"code": "packshots"}],
    "asset_attributes": [
        {"code": "label", "asset_family": "packshots", "type": "text", "value_per_locale": True},
        {"code": "media", "asset_family": "packshots", "type": "media_file"},
        {"code": "tags", "asset_family": "packshots", "type": "multiple_options"},
    ],
    "asset_attribute_options": [{"code": "new", "asset_family": "packshots", "attribute": "tags"}],
}


@dataclass(kw_only=True)
class Running:
    """A simulated PIM that runs, and clients of it that do not really sleep."""

    pim: Pim
    url: str
    slept: list[float]

    def client(self, **options: Any) -> AkeneoClient:
        settings = {"sleep": self.slept.append, "jitter": lambda: 0.0, **options}
        return AkeneoClient(self.url, CREDENTIALS, **settings)

    def calls(self) -> dict[str, int]:
        return dict(self.pim.counters.calls)


@pytest.fixture
def running() -> Iterator[Running]:
    pim = Pim(catalog=from_resources(CATALOG))
    pim.accounts.connect(Connection(**WORDS))
    with serve(create_app(pim)) as url:
        yield Running(pim=pim, url=url, slept=[])


def products(count: int, *, size: int = 0) -> list[dict[str, Any]]:
    name = [{"locale": "en_US", "scope": None, "data": "x" * max(1, size)}]
    return [
        {"identifier": f"sku-{number}", "family": "shoes", "values": {"name": name}}
        for number in range(1, count + 1)
    ]


def accepted(outcomes: list[LineOutcome]) -> list[int]:
    return [outcome.line for outcome in outcomes if isinstance(outcome, Upserted)]


def test_a_hundred_products_arrive_in_one_call_and_again_as_updates(running: Running) -> None:
    with running.client() as client:
        first = client.upsert_products(products(100))
        second = client.upsert_products(products(100))
        assert all(isinstance(outcome, Upserted) and outcome.created for outcome in first)
        assert not any(isinstance(outcome, Upserted) and outcome.created for outcome in second)
        product = client.get_product("sku-7")
    assert product is not None
    assert product["values"]["name"][0]["data"] == "x"
    assert running.calls() == {
        "POST /api/oauth/v1/token": 1,
        "PATCH /products": 2,
        "GET /products/{code:path}": 1,
    }


def test_a_refused_product_tells_the_pims_words_and_which_value_it_is(running: Running) -> None:
    blue = [{"locale": None, "scope": None, "data": "blue"}]
    lines = [*products(1), {"identifier": "b", "values": {"color": blue}}]
    with running.client() as client:
        outcomes = client.upsert_products(lines)
    assert accepted(outcomes) == [1]
    refused = outcomes[1]
    assert isinstance(refused, Refused)
    assert refused.status == 422
    assert refused.errors[0].attribute == "color"
    assert "blue" in refused.errors[0].message


@pytest.mark.parametrize(
    "faults",
    [
        {"cut_answers": 2, "cut_after_lines": 30},
        {"too_many_requests": 2, "retry_after": 3},
        {"server_errors": 2, "server_error_status": 503},
        {"dropped_connections": 2},
        {"deadlock_lines": 5},
        {"payload_limit": 4000},
        {"timeouts_before": 1, "timeout_seconds": 5},
        {"timeouts_after": 1, "timeout_seconds": 5},
    ],
    ids=lambda faults: next(iter(faults)),
)
def test_on_a_bad_day_every_product_arrives_and_is_told_to_have(
    running: Running, faults: dict[str, Any]
) -> None:
    running.pim.faults = running.pim.faults.changed({**faults, "only": "PATCH"})
    timeout = httpx.Timeout(5.0, read=0.4)
    with running.client(timeout=timeout) as client:
        outcomes = client.upsert_products(products(100))
    assert accepted(outcomes) == list(range(1, 101))
    assert len(running.pim.products) == 100
    if faults.get("retry_after"):
        assert running.slept == [3.0, 3.0]


def test_tokens_that_end_early_are_renewed_in_between(running: Running) -> None:
    with running.client() as client:
        client.upsert_products(products(1))
        running.pim.accounts.expire_all()
        assert accepted(client.upsert_products(products(2))) == [1, 2]
    assert running.calls()["POST /api/oauth/v1/token"] == 2


def test_a_password_that_was_changed_is_told_at_once(running: Running) -> None:
    running.pim.accounts.users["erp_1234"] = "another"
    with running.client() as client, pytest.raises(CredentialsError, match="No user found"):
        client.upsert_products(products(1))
    assert running.slept == []


def test_a_role_without_the_right_is_told_apart_from_a_batch_too_large(running: Running) -> None:
    with running.client() as client:
        client.system_information()
        running.pim.accounts.denied.add("erp_1234:product_edit")
        with pytest.raises(ForbiddenError, match="not allowed"):
            client.upsert_products(products(100))
    assert running.pim.products == {}


def test_a_pim_that_is_down_is_transient_and_one_that_is_not_there_too(running: Running) -> None:
    running.pim.faults = running.pim.faults.changed({"down": 503})
    with running.client() as client, pytest.raises(TransientError, match="503"):
        client.upsert_products(products(1))
    gone = AkeneoClient("http://127.0.0.1:9", CREDENTIALS, sleep=running.slept.append)
    with gone, pytest.raises(TransientError, match="cannot be reached"):
        gone.upsert_products(products(1))


def test_when_the_time_is_up_in_an_answer_the_rest_is_unanswered(running: Running) -> None:
    running.pim.faults = running.pim.faults.changed({"latency_ms": 40})
    end = time.monotonic() + 0.6
    with running.client(deadline=lambda: end - time.monotonic()) as client:
        outcomes = client.upsert_products(products(100))
    done = accepted(outcomes)
    assert done == list(range(1, len(done) + 1))
    assert 0 < len(done) < 100
    assert all(isinstance(outcome, Unanswered) for outcome in outcomes[len(done) :])


def test_a_list_longer_than_a_page_is_read_to_its_end(running: Running) -> None:
    with running.client() as client:
        for start in (0, 100, 200):
            lines = [{"identifier": f"p-{start + number:03}"} for number in range(100)]
            client.upsert_products(lines)
        found = [item["identifier"] for item in client.list_products()]
    assert sorted(found) == [f"p-{number:03}" for number in range(300)]
    assert 3 <= running.calls()["GET /products"] <= 4


def test_options_are_created_in_bulk_and_found_at_once(running: Running) -> None:
    with running.client() as client:
        options = [{"code": f"o{number}", "attribute": "size"} for number in range(100)]
        assert len(accepted(client.upsert_attribute_options("size", options))) == 100
        assert fetch_structure(client, ["size"]).options("size") == frozenset(
            option["code"] for option in options
        )


def test_assets_go_with_their_files_and_are_read_back(running: Running) -> None:
    with running.client() as client:
        code = client.upload_asset_media("a.png", b"\x89PNG\r\n", content_type="image/png")
        media = [{"locale": None, "channel": None, "data": code}]
        nonsense = [{"locale": None, "channel": None, "data": "no-such-file"}]
        outcomes = client.upsert_assets(
            "packshots",
            [
                {"code": "a", "values": {"media": media}},
                {"code": "b", "values": {"media": nonsense}},
            ],
        )
        asset = client.get_asset("packshots", "a")
        assert accepted(outcomes) == [1]
        assert isinstance(outcomes[1], Refused)
        assert asset is not None
        assert asset["values"]["media"][0]["data"] == code
        assert [item["code"] for item in client.list_assets("packshots")] == ["a"]
        assert client.delete_asset("packshots", "a")
        assert not client.delete_asset("packshots", "a")


def test_an_asset_family_that_is_not_there_is_a_matter_of_configuration(running: Running) -> None:
    with running.client() as client, pytest.raises(ConfigurationError, match="Packshots"):
        client.upsert_assets("Packshots", [{"code": "a"}])


def test_an_asset_family_is_set_up_step_by_step(running: Running) -> None:
    with running.client() as client:
        assert client.upsert_asset_family({"code": "manuals"})
        assert not client.upsert_asset_family({"code": "manuals", "labels": {"en_US": "Manuals"}})
        kind = {"code": "kind", "type": "single_option"}
        assert client.upsert_asset_attribute("manuals", kind)
        assert client.upsert_asset_attribute_option("manuals", "kind", {"code": "pdf"})
        structure = fetch_structure(client, resources=EVERYTHING)
    assert structure.asset_options("manuals", "kind") == frozenset({"pdf"})


def test_a_products_picture_is_uploaded_and_linked(running: Running) -> None:
    target = {"identifier": "sku-1", "attribute": "picture", "locale": None, "scope": None}
    with running.client() as client:
        with pytest.raises(RefusedError, match="does not exist"):
            client.upload_product_media("p.png", PNG, product=target)
        client.upsert_products(products(1))
        with pytest.raises(RefusedError, match="extension is not allowed"):
            client.upload_product_media("p.gif", PNG, product=target)
        code = client.upload_product_media("p.png", PNG, product=target)
        product = client.get_product("sku-1")
    assert product is not None
    assert product["values"]["picture"][0]["data"] == code


def test_the_structure_that_is_pulled_is_the_structure_of_the_pim(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "profiles.toml"
    words = "\n".join(f'{key} = "{value}"' for key, value in WORDS.items())
    profiles.write_text(f'[staging]\nurl = "{running.url}"\n{words}\n')
    monkeypatch.setenv("PIM_CONNECTOR_PROFILES", str(profiles))
    file = tmp_path / "structure.json"
    run = CliRunner().invoke(structure_command, ["pull", "--pim", "staging", "-o", str(file)])
    assert run.exit_code == 0, run.output
    assert "attributes: 5" in run.stderr
    assert not any(word in run.output for word in ("s3cret", "pass-w0rd"))
    pulled, known = Structure.from_json(file.read_bytes()), Structure.from_catalog(CATALOG)
    assert {a.code: a.type for a in pulled.attributes or ()} == {
        a.code: a.type for a in known.attributes or ()
    }
    assert pulled.options("color") == frozenset({"red"})
    assert pulled.options("size") == frozenset()
    assert pulled.family_variant("shoes_by_size") == known.family_variant("shoes_by_size")
    assert pulled.locales == frozenset({"en_US", "de_DE"})
    assert pulled.units("Weight") == frozenset({*(pulled.units("Weight") or ()), "KILOGRAM"})
    assert pulled.asset_options("packshots", "tags") == frozenset({"new"})
    label = pulled.asset_attribute("packshots", "label")
    assert label is not None
    assert label.value_per_locale


def test_a_pulled_structure_starts_another_simulator(running: Running) -> None:
    with running.client() as client:
        catalog = {"attributes": list(client.list_attributes())}
    again = from_resources(json.loads(json.dumps(catalog)))
    assert again.attributes.keys() == running.pim.catalog.attributes.keys()
