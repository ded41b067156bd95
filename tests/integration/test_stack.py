"""The template as deployed into the emulated AWS, with IAM enforced: one stack, many looks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.imports import ended, put_mapping, upload
from cli.runs import rejections
from cli.target import Target, connect_local
from local.demo import arrival
from local.demo.assortment import assortment
from local.demo.expectation import expectation
from local.demo.export import export
from local.stack import lifecycle
from local.stack.record import RunningStack
from pim_connector.akeneo.client import AkeneoClient

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("default::ResourceWarning")]

MAPPING = Path(lifecycle.CATALOG).with_name("mapping.yaml")
GOODS = assortment(1)
EXPECTED = expectation(GOODS)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory = tmp_path_factory.mktemp("stack")
    with lifecycle.temporary(directory=directory, tell=lambda _: None) as running:
        yield running


@pytest.fixture(scope="module")
def target(stack: RunningStack) -> Target:
    found = connect_local(stack)
    put_mapping(found, "shop", MAPPING)
    return found


@pytest.fixture
def pim(stack: RunningStack) -> Iterator[AkeneoClient]:
    simulated = lifecycle.simulated_pim(stack.servers)
    with AkeneoClient(simulated.url, simulated.credentials) as client:
        yield client


def test_a_file_in_the_inbox_is_in_the_pim_and_the_next_day_it_is_unchanged(
    target: Target, pim: AkeneoClient, tmp_path: Path
) -> None:
    file = tmp_path / "monday.xml"
    file.write_bytes(export(GOODS))
    first = ended(target, upload(target, "shop", file), quiet=True)

    assert first.phase == "finished"
    assert arrival.count_differences(EXPECTED, first.counts) == []
    assert arrival.rejection_differences(EXPECTED, rejections(target, first.id)) == []
    assert arrival.differences(EXPECTED, arrival.read_pim(pim, EXPECTED.accepted)) == []
    assert arrival.strangers(EXPECTED, pim) == []
    assert first.counts["created"] == len(EXPECTED.accepted)

    again = ended(target, upload(target, "shop", file.rename(tmp_path / "tuesday.xml")), quiet=True)

    assert again.counts["unchanged"] == len(EXPECTED.accepted)
    assert again.counts["rejected"] == len(EXPECTED.rejected)

    keys = list(target.bucket().keys(""))
    assert not [key for key in keys if key.startswith("incoming/")]
    assert len([key for key in keys if key.startswith("done/shop/")]) == 2


def test_the_functions_share_one_copy_of_each_layer(stack: RunningStack) -> None:
    workers = Path(stack.servers["aws"].log).parent / "tmp"
    for _ in range(100):  # a function that hears of the end of a run may be starting just now
        layers = list(workers.glob("ministack-lambda-*/layer_?"))
        if all(layer.is_symlink() for layer in layers):
            break
        time.sleep(0.1)

    assert len(layers) >= 4  # of splitter and mapper at least, after the file above
    assert all(layer.is_symlink() for layer in layers)
    assert len({layer.resolve() for layer in layers}) == 2


def test_a_file_that_cannot_be_read_ends_its_run_with_what_and_where(
    target: Target, tmp_path: Path
) -> None:
    file = tmp_path / "cut.xml"
    file.write_bytes(export(GOODS)[:20_000])

    run = ended(target, upload(target, "shop", file), quiet=True)

    assert run.problem
    assert "line" in run.problem
    assert list(target.bucket().keys("failed/shop/"))


def lambda_role(target: Target, function: str) -> str:
    resources = target.client("cloudformation").describe_stack_resource(
        StackName=target.name, LogicalResourceId=function
    )
    name = resources["StackResourceDetail"]["PhysicalResourceId"]
    return str(target.client("lambda").get_function_configuration(FunctionName=name)["Role"])


def as_role(target: Target, role: str, service: str) -> Any:
    taken = target.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return target.session.client(  # type: ignore[call-overload]  # the service is not a literal
        service,
        endpoint_url=target.endpoint,
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )


@pytest.mark.parametrize(
    "function", ["SplitterFunction", "MapperFunction", "HousekeepingFunction", "DamPollerFunction"]
)
def test_a_function_cannot_replace_a_mapping(target: Target, function: str) -> None:
    s3 = as_role(target, lambda_role(target, function), "s3")

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=target.outputs["Bucket"], Key="config/erp/shop.yaml", Body=b"")


def test_the_splitter_cannot_read_the_pims_credentials(target: Target) -> None:
    secrets = as_role(target, lambda_role(target, "SplitterFunction"), "secretsmanager")

    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=lifecycle.SECRET_NAME)


def test_no_secret_is_in_any_log(target: Target) -> None:
    logs = target.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    lines = [
        event["message"]
        for group in groups
        for event in logs.filter_log_events(logGroupName=group)["events"]
    ]

    assert lines
    told = json.dumps(lines)
    for word in (
        lifecycle.SIMULATED_CREDENTIALS.secret,
        lifecycle.SIMULATED_CREDENTIALS.password,
    ):
        assert word not in told
