"""What the command line says when it is used wrongly, or when what it needs is not there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from tests.integration.operator import MOTO, Operator
from tests.integration.shop import MAPPING, export, item, serving
from tests.integration.stack import credentials


@pytest.fixture
def operator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Operator]:
    credentials(monkeypatch)
    monkeypatch.delenv("AKENEO_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("a.xml").write_text(export(item(1)))
    Path("mapping.yaml").write_text(MAPPING)
    with (
        serving() as (pim, url),
        mock_aws(config=MOTO),
        Operator.at_work(pim, url, monkeypatch, capsys) as operator,
    ):
        yield operator


def test_nothing_is_uploaded_for_a_source_that_has_no_mapping(operator: Operator) -> None:
    operator.types("config", "push", "shop", "mapping.yaml")
    said = operator.types("import", "a.xml", "--source", "shpo")
    assert said.status == 2
    assert "shpo has no mapping (those that have: shop)" in said.err
    assert operator.types("import", "a.xml", "--source", "my shop").status == 2
    assert operator.nights.stack.keys("incoming/") == []


def test_a_choice_that_only_full_makes_is_not_passed_over(operator: Operator) -> None:
    operator.types("config", "push", "shop", "mapping.yaml")
    for choice in ("--family", "--identifier"):
        said = operator.types("import", "a.xml", choice, "p1")
        assert (said.status, choice in said.err) == (2, True)


def test_before_the_first_run_the_list_says_how_to_begin(operator: Operator) -> None:
    assert "pim-connector import" in operator.types("runs").out
    assert operator.types("runs", "--json").out == ""


def test_what_aws_refuses_is_one_line(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        error = {"Error": {"Code": "AccessDenied", "Message": "not you"}, "ResponseMetadata": {}}
        return AWSResponse("", 403, HTTPHeaders(), None), error

    operator.types("config", "push", "shop", "mapping.yaml")
    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-call.s3.PutObject", refuse)]
    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", handlers)
    said = operator.types("import", "a.xml")
    assert said.status == 1
    assert said.err.startswith("pim-connector: AWS: ")
    assert "not you" in said.err
    assert said.err.count("\n") == 1


def test_an_aws_profile_that_does_not_exist_is_named(operator: Operator) -> None:
    said = operator.types("runs", "--profile", "nobody")
    assert (said.status, "nobody" in said.err) == (2, True)


def test_a_file_that_cannot_be_written_is_named(operator: Operator) -> None:
    operator.types("config", "push", "shop", "mapping.yaml")
    said = operator.types("plan", "a.xml", "--details", "no/folder/plan.ndjson")
    assert (said.status, "no/folder/plan.ndjson" in said.err) == (1, True)


def test_the_structure_comes_from_the_pim_of_the_stack_where_none_is_named(
    operator: Operator,
) -> None:
    assert operator.types("structure", "pull", "-o", "pim.json").status == 0
    assert "families" in json.loads(Path("pim.json").read_text())
    said = operator.types("structure", "pull", "-o", "pim.json", "--stack", "other")
    assert said.status == 2
    assert "--pim" in said.err


def test_a_mapping_is_checked_for_scripts_as_for_people(operator: Operator) -> None:
    assert operator.types("mapping", "check", "mapping.yaml", "--json").json == {"problems": []}
    Path("mapping.yaml").write_text("records: 7\n")
    said = operator.types("mapping", "check", "mapping.yaml", "--json")
    assert (said.status, len(said.json["problems"])) == (2, 2)


def test_ctrl_c_stops_the_waiting_and_not_the_run(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    operator.types("config", "push", "shop", "mapping.yaml")
    monkeypatch.setattr(time, "sleep", interrupt)
    said = operator.types("import", "a.xml", "--json")
    assert said.status == 130
    assert "The run goes on: pim-connector show " in said.err


@pytest.mark.parametrize("command", ["reconcile", "approve", "resend"])
def test_a_dam_source_that_is_not_there_is_wrong_usage(operator: Operator, command: str) -> None:
    said = operator.types("assets", command, "nobody")
    assert said.status == 2
    assert said.err.startswith("pim-connector: ")
