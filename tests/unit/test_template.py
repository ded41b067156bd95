"""What template.yaml and the code promise each other, and what every stack must have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import Struct
from msgspec.structs import fields

from pim_connector import settings
from pim_connector.console.parts import ConsoleSettings

ROOT = Path(__file__).resolve().parents[2]
OURS = {"POWERTOOLS_SERVICE_NAME"}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms: `!Ref X` as {"Ref": "X"}, `!Sub …` as {"Sub": …}."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {suffix: loader.construct_mapping(node, deep=True)}
    return {suffix: loader.construct_scalar(node)}  # type: ignore[arg-type]  # the third kind


_Loader.add_multi_constructor("!", _short_form)
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506  safe, with short forms
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
TABLES = of_type("AWS::DynamoDB::Table")
SETTINGS: dict[str, type[Struct]] = {
    "SplitterFunction": settings.SplitterSettings,
    "MapperFunction": settings.MapperSettings,
    "HousekeepingFunction": settings.HousekeepingSettings,
    "DamPollerFunction": settings.DamPollerSettings,
    "DamWebhookFunction": settings.DamWebhookSettings,
    "AssetMapperFunction": settings.AssetMapperSettings,
    "ConsoleFunction": ConsoleSettings,
}


def timeout(function: str) -> int:
    default = TEMPLATE["Globals"]["Function"]["Timeout"]
    return int(FUNCTIONS[function].get("Timeout", default))


def statements(function: str) -> list[dict[str, Any]]:
    return [
        statement
        for policy in FUNCTIONS[function].get("Policies", [])
        for statement in policy["Statement"]
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def target_queue(url: Any) -> str:
    """The logical name in `!GetAtt Queue.Arn`."""
    return str(url["GetAtt"]).removesuffix(".Arn")


def test_every_folder_of_functions_is_deployed_and_every_deployed_one_is_there() -> None:
    folders = {f"functions/{path.parent.name}" for path in ROOT.glob("functions/*/handler.py")}

    assert {function["CodeUri"] for function in FUNCTIONS.values()} == folders


@pytest.mark.parametrize("function", SETTINGS)
def test_a_function_is_given_exactly_the_variables_it_reads(function: str) -> None:
    given = set(FUNCTIONS[function]["Environment"]["Variables"]) - OURS
    read = {field.name.upper() for field in fields(SETTINGS[function])}

    assert given == read


@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_of_every_function_are_compared(function: str) -> None:
    assert function in SETTINGS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_to_a_group_with_a_retention(function: str) -> None:
    group = FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]

    assert "RetentionInDays" in RESOURCES[group]["Properties"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_nothing_to_everything_and_not_everything_to_anything(
    function: str,
) -> None:
    assert statements(function)
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            assert "*" not in action, action
        for resource in as_list(statement["Resource"]):
            assert resource != "*"
            assert isinstance(resource, dict), f"{resource} names no resource of this stack"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_objects_are_granted_by_prefix_and_never_the_whole_bucket(function: str) -> None:
    for statement in statements(function):
        if any("Object" in action for action in as_list(statement["Action"])):
            for resource in as_list(statement["Resource"]):
                assert str(resource.get("Sub", "")).count("/") >= 1, resource


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_event_that_a_function_fails_on_for_good_is_kept(function: str) -> None:
    events = FUNCTIONS[function].get("Events", {}).values()
    asynchronous = [event for event in events if event["Type"] in ("EventBridgeRule", "ScheduleV2")]
    for event in asynchronous:
        kept_in = target_queue(event["Properties"]["DeadLetterConfig"]["Arn"])
        assert QUEUES[kept_in]["MessageRetentionPeriod"] == 14 * 86_400
    if asynchronous:
        destination = FUNCTIONS[function]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert target_queue(destination["Destination"]) in QUEUES


def test_a_queue_that_feeds_a_function_stays_hidden_for_six_times_its_timeout() -> None:
    fed = [
        (name, target_queue(event["Properties"]["Queue"]), event["Properties"])
        for name, function in FUNCTIONS.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]
    assert fed
    for function, queue, event in fed:
        assert QUEUES[queue]["VisibilityTimeout"] >= 6 * timeout(function)
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert "RedrivePolicy" in QUEUES[queue]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_encrypted_and_keeps_messages_for_two_weeks(queue: str) -> None:
    assert QUEUES[queue]["SqsManagedSseEnabled"] is True
    assert QUEUES[queue]["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize("queue", QUEUES)
def test_what_a_queue_gives_up_goes_to_a_queue_of_the_same_kind(queue: str) -> None:
    redrive = QUEUES[queue].get("RedrivePolicy")
    if redrive:
        dead = QUEUES[target_queue(redrive["deadLetterTargetArn"])]
        assert dead.get("FifoQueue") == QUEUES[queue].get("FifoQueue")
        assert dead.get("MaximumMessageSize") == QUEUES[queue].get("MaximumMessageSize")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_encrypted_can_be_restored_and_outlives_the_stack(table: str) -> None:
    assert TABLES[table]["SSESpecification"]["SSEEnabled"] is True
    recovery = TABLES[table]["PointInTimeRecoverySpecification"]
    assert recovery["PointInTimeRecoveryEnabled"] is True
    assert RESOURCES[table]["DeletionPolicy"] == RESOURCES[table]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_versioned_encrypted_private_and_reached_over_tls_only() -> None:
    bucket = RESOURCES["Bucket"]["Properties"]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert RESOURCES["Bucket"]["DeletionPolicy"] == "Retain"
    (statement,) = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_nothing_in_the_inbox_or_the_configuration_expires() -> None:
    rules = RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule}

    assert not {p for p in expiring if p.startswith(("incoming", "config", "manifests"))}
    assert "" not in expiring


def test_the_groups_that_records_are_dealt_to_are_the_calls_that_run_at_once() -> None:
    choices = TEMPLATE["Parameters"]["ConcurrentCalls"]["AllowedValues"]
    by_choice = {
        choice: row["Calls"] for choice, row in TEMPLATE["Mappings"]["Concurrency"].items()
    }
    mapper = FUNCTIONS["MapperFunction"]["Events"]["Messages"]["Properties"]["ScalingConfig"]

    assert by_choice == {choice: int(choice) for choice in choices}
    assert mapper["MaximumConcurrency"] == {
        "FindInMap": ["Concurrency", {"Ref": "ConcurrentCalls"}, "Calls"]
    }
    assert FUNCTIONS["SplitterFunction"]["Environment"]["Variables"]["CONCURRENT_CALLS"] == {
        "Ref": "ConcurrentCalls"
    }


def test_one_message_is_one_call_to_the_pim() -> None:
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS" and "Product" in str(event["Properties"]["Queue"]):
                assert event["Properties"]["BatchSize"] == 1


def test_the_groups_that_assets_are_dealt_to_are_the_calls_that_run_at_once() -> None:
    scaling = FUNCTIONS["AssetMapperFunction"]["Events"]["Messages"]["Properties"]["ScalingConfig"]
    for function in ("DamPollerFunction", "DamWebhookFunction"):
        groups = FUNCTIONS[function]["Environment"]["Variables"]["ASSET_CONCURRENT_CALLS"]
        assert int(groups) == scaling["MaximumConcurrency"]


def test_schedules_have_the_time_zone_and_the_pause_that_the_operator_chose() -> None:
    schedules = {
        name: event["Properties"]
        for function in FUNCTIONS.values()
        for name, event in function.get("Events", {}).items()
        if event["Type"] == "ScheduleV2"
    }
    assert schedules["NightlySweep"]["ScheduleExpressionTimezone"] == {"Ref": "TimeZone"}
    for name, schedule in schedules.items():
        by_clock = str(schedule["ScheduleExpression"]).startswith("{") or "cron" in str(schedule)
        assert not by_clock or "ScheduleExpressionTimezone" in schedule, name
        assert name == "Sweep" or schedule["State"] == {"Ref": "Schedules"}, name


def test_no_parameter_holds_a_secret_and_every_one_says_what_it_does() -> None:
    for name, parameter in TEMPLATE["Parameters"].items():
        assert "NoEcho" not in parameter, name
        assert len(parameter["Description"]) > len(name) + 10, name


def test_every_parameter_is_in_a_group_of_the_console() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]

    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])


def test_handlers_only_translate() -> None:
    for handler in ROOT.glob("functions/*/handler.py"):
        assert len(handler.read_text().splitlines()) <= 80, handler


ALARMS = of_type("AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_names_its_section_of_the_operations_page(alarm: str) -> None:
    found = re.search(r"docs/operations\.md#(\S+)$", ALARMS[alarm]["AlarmDescription"].strip())
    assert found, "the description has to end with its runbook"
    assert found[1] in headings(ROOT / "docs" / "operations.md")


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_reaches_somebody_and_says_what_no_data_means(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmActions"] == {"If": ["SendsAlarms", [{"Ref": "AlarmTopic"}], []]}
    assert ALARMS[alarm]["TreatMissingData"] in ("notBreaching", "breaching")


def test_every_dead_letter_queue_has_an_alarm() -> None:
    watched = {
        target_queue({"GetAtt": dimension["Value"]["GetAtt"].replace(".QueueName", ".Arn")})
        for alarm in ALARMS.values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }

    assert watched == {name for name in QUEUES if "DeadLetter" in name or "Failure" in name}


def test_the_dashboard_names_resources_of_this_stack_only() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Sub"]

    named = {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", body)}
    assert {name for name in named if not name.startswith("AWS::")} <= set(RESOURCES)
    assert json.loads(body)["widgets"]


def headings(page: Path) -> set[str]:
    """The anchors that a Markdown page has, as forges make them of its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
