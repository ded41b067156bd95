"""What the templates and the code promise each other, and what every stack must have."""

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


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / name).read_text(), Loader=_Loader)  # noqa: S506  safe, with short forms
    return found


TEMPLATE, STORAGE, MONITORING = map(read, ("template.yaml", "storage.yaml", "monitoring.yaml"))
RESOURCES: dict[str, Any] = {
    **STORAGE["Resources"],
    **MONITORING["Resources"],
    **TEMPLATE["Resources"],
}


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
    assert QUEUES[queue]["SqsManagedSseEnabled"] == {
        "If": ["HasKey", {"Ref": "AWS::NoValue"}, True]
    }
    assert QUEUES[queue]["KmsMasterKeyId"]["If"][:2] == ["HasKey", {"Ref": "KmsKeyArn"}]
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
    assert RESOURCES[table]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[table]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_versioned_encrypted_private_and_reached_over_tls_only() -> None:
    bucket = RESOURCES["Bucket"]["Properties"]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert RESOURCES["Bucket"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES["Bucket"]["UpdateReplacePolicy"] == "Retain"
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
    assert len(schedules) == 4
    assert schedules["NightlySweep"]["ScheduleExpressionTimezone"] == {"Ref": "TimeZone"}
    for name, schedule in schedules.items():
        by_clock = str(schedule["ScheduleExpression"]).startswith("{") or "cron" in str(schedule)
        assert not by_clock or "ScheduleExpressionTimezone" in schedule, name
        assert name == "Sweep" or schedule["State"] == {"Ref": "Schedules"}, name


def test_any_number_of_stacks_fit_into_one_account_and_region() -> None:
    """A constant name, or a pattern that does not name the stack, is shared by all of them."""
    for name, function in FUNCTIONS.items():
        for event, said in function.get("Events", {}).items():
            properties = said["Properties"]
            if said["Type"] == "ScheduleV2":
                assert properties["OmitName"] is True, (name, event)
            if "Pattern" in properties:
                detail = properties["Pattern"]["detail"]
                ours = detail.get("stack") == [{"Ref": "AWS::StackName"}]
                bucket = detail.get("bucket", {}).get("name")
                assert ours or bucket == [{"GetAtt": "Storage.Outputs.Bucket"}], (name, event)
    told = RESOURCES["RunFinishedRule"]["Properties"]["EventPattern"]
    assert told["detail"] == {"stack": [{"Ref": "Stack"}]}
    named = {
        f"{name}.{key}": value
        for name, resource in RESOURCES.items()
        for key, value in resource["Properties"].items()
        if resource["Type"] != "AWS::IAM::Policy"  # a name within its roles
        and key in ("Name", f"{resource['Type'].rpartition('::')[2]}Name", "LayerName")
    }
    assert named
    for where, value in named.items():
        assert "${Stack}" in str(value) or "${AWS::StackName}" in str(value), where
    assert "${AWS::Region}" in str(named["Dashboard.DashboardName"]), "one list for all regions"


def test_a_policy_names_rules_by_their_arn_because_long_names_are_cut() -> None:
    [statement] = RESOURCES["AsyncFailureQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]

    rules = {
        f"{function}{event}"
        for function, properties in FUNCTIONS.items()
        for event, said in properties.get("Events", {}).items()
        if said["Type"] == "EventBridgeRule"
    }
    named = {
        str(one.get("GetAtt") or one["If"][1]["GetAtt"]).removesuffix(".Arn") for one in sources
    }
    assert named == rules
    for name, resource in RESOURCES.items():
        assert "rule/" not in json.dumps(resource, default=str), name


def test_a_file_that_was_uploaded_with_tags_can_be_moved() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html, on a named version."""
    granted = {
        action
        for one in statements("HousekeepingFunction")
        for action in as_list(one["Action"])
        if "${Storage.Outputs.BucketArn}/incoming/*" in str(one["Resource"])
    }
    assert {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"} <= granted


def test_what_is_only_for_a_dam_is_made_only_with_one() -> None:
    words = re.compile(r"Dam|Asset|Reconcile")
    for name, resource in RESOURCES.items():
        assert bool(words.search(name)) == (
            resource.get("Condition")
            in ("HasDam", "HasDamPublisher", "HasWebhookUrl", "DamIsPolled")
        ), name
    assert TEMPLATE["Parameters"]["Dam"]["Default"] == "DISABLED"


def test_one_place_decides_what_is_built_and_what_it_runs_on() -> None:
    """`sam deploy` asks for parameters after `sam build` used them, so it is none."""
    python = {"FindInMap": ["Build", {"Ref": "Emulated"}, "Python"]}
    architecture = {"FindInMap": ["Build", {"Ref": "Emulated"}, "Architecture"]}
    shared = TEMPLATE["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"]) == (python, [architecture])
    assert not [
        name for name, one in FUNCTIONS.items() if "Runtime" in one or "Architectures" in one
    ]
    for name in of_type("AWS::Serverless::LayerVersion"):
        built, layer = RESOURCES[name]["Metadata"], RESOURCES[name]["Properties"]
        assert (built["BuildMethod"], built["BuildArchitecture"]) == (python, architecture)
        assert layer["CompatibleRuntimes"] == [python]
        assert layer["CompatibleArchitectures"] == [architecture]
    assert set(TEMPLATE["Parameters"]["Emulated"]["AllowedValues"]) == set(
        TEMPLATE["Mappings"]["Build"]
    )


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://example.cloud.akeneo.com", True),
        ("https://example.cloud.akeneo.com/", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://example.cloud.akeneo.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.5", False),
        ("https://example.com/akeneo", False),
    ],
)
def test_credentials_go_to_the_pim_over_tls_only(address: str, taken: bool) -> None:
    pattern = TEMPLATE["Parameters"]["AkeneoUrl"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, address)) == taken


def test_every_role_has_the_path_and_the_boundary_that_the_organisation_asks_for() -> None:
    boundary = {"If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    shared = TEMPLATE["Globals"]["Function"]
    assert shared["RolePath"] == {"Ref": "RolePath"}
    assert shared["PermissionsBoundary"] == boundary
    for name, role in of_type("AWS::IAM::Role").items():
        assert role["Path"] == {"Ref": "RolePath"}, name
        assert role["PermissionsBoundary"] == boundary, name
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "ScheduleV2":
                assert event["Properties"]["RoleArn"] == {"GetAtt": "ScheduleRole.Arn"}


def test_a_key_of_the_customers_encrypts_all_and_every_role_may_use_it() -> None:
    for table in TABLES:
        assert TABLES[table]["SSESpecification"]["KMSMasterKeyId"]["If"][0] == "HasKey"
    [rule] = RESOURCES["Bucket"]["Properties"]["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    by_default = rule["ServerSideEncryptionByDefault"]
    assert by_default["SSEAlgorithm"] == {"If": ["HasKey", "aws:kms", "AES256"]}
    assert by_default["KMSMasterKeyID"]["If"][:2] == ["HasKey", {"Ref": "KmsKeyArn"}]
    policy = RESOURCES["KeyPolicy"]["Properties"]
    roles = {str(one.get("Ref") or one["If"][1]["Ref"]) for one in policy["Roles"]}
    assert roles == {f"{name}Role" for name in FUNCTIONS} | {"ScheduleRole"}
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "KmsKeyArn"}
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


@pytest.mark.parametrize("name", ["Bucket", "RunTable", "SyncStateTable", "StateTable"])
def test_storage_that_exists_is_used_and_not_made(name: str) -> None:
    made = f"Makes{name}"
    assert STORAGE["Conditions"][made] == {"Equals": [{"Ref": f"Existing{name}"}, ""]}
    assert STORAGE["Resources"][name]["Condition"] == made
    used = {"If": [made, {"Ref": name}, {"Ref": f"Existing{name}"}]}
    assert STORAGE["Outputs"][name]["Value"] == used
    passed = TEMPLATE["Resources"]["Storage"]["Properties"]["Parameters"]
    assert passed[f"Existing{name}"] == {"Ref": f"Existing{name}"}


@pytest.mark.parametrize("name", ["Storage", "Monitoring"])
def test_a_nested_template_is_given_exactly_what_it_asks_for(name: str) -> None:
    asked = (STORAGE if name == "Storage" else MONITORING)["Parameters"]
    assert set(TEMPLATE["Resources"][name]["Properties"]["Parameters"]) == set(asked)


def test_an_account_that_may_run_ten_functions_at_once_can_deploy() -> None:
    """AWS lets nobody reserve what leaves an account less than its least unreserved number."""
    assert TEMPLATE["Parameters"]["WebhookConcurrency"]["Default"] == 0
    reserved = {name for name, one in FUNCTIONS.items() if "ReservedConcurrentExecutions" in one}
    assert reserved == {"DamWebhookFunction"}
    limits = FUNCTIONS["DamWebhookFunction"]["ReservedConcurrentExecutions"]["If"]
    assert limits == ["LimitsWebhook", {"Ref": "WebhookConcurrency"}, {"Ref": "AWS::NoValue"}]


def test_what_is_kept_for_so_many_days_is_kept_no_longer() -> None:
    """In a bucket with versions an object that expired lives on as a version of the past."""
    rules = RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    for rule in rules:
        if "ExpirationInDays" in rule:
            assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}, rule["Id"]


def test_no_parameter_holds_a_secret_and_every_one_says_what_it_does() -> None:
    parameters = [
        item for one in (TEMPLATE, STORAGE, MONITORING) for item in one["Parameters"].items()
    ]
    for name, parameter in parameters:
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
    said = ALARMS[alarm]["AlarmDescription"]["Sub"].strip()
    found = re.search(r" First: (\S.+)\. \$\{DocumentationUrl\}/operations\.md#(\S+)$", said)
    assert found, "the description has to end with the first command and the address of its runbook"
    assert found[2] in headings(ROOT / "docs" / "operations.md")
    assert "${Stack}" in found[1] or found[1].startswith("aws "), "the command names the stack"


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_a_function_that_fails_or_is_not_started_raises_an_alarm(
    function: str, metric: str
) -> None:
    looked_at = [
        one
        for one in ALARMS.values()
        if one["MetricName"] == metric
        and one["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function}}]
    ]
    assert len(looked_at) == 1


def test_what_costs_by_the_month_is_by_choice() -> None:
    assert RESOURCES["Dashboard"]["Condition"] == "HasDashboard"
    assert TEMPLATE["Parameters"]["Dashboard"]["Default"] == "DISABLED"


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_reaches_somebody_and_says_what_no_data_means(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmActions"] == {"If": ["SendsAlarms", [{"Ref": "AlarmTopic"}], []]}
    assert ALARMS[alarm]["TreatMissingData"] in ("notBreaching", "breaching")


def test_every_dead_letter_queue_has_an_alarm() -> None:
    watched = {
        dimension["Value"]["Ref"]
        for alarm in ALARMS.values()
        for dimension in alarm["Dimensions"]
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }

    assert watched == {name for name in QUEUES if "DeadLetter" in name or "Failure" in name}


def test_the_dashboard_names_resources_of_this_stack_only() -> None:
    for dam in (True, False):
        body = dashboard(dam=dam)
        named = set(re.findall(r"\$\{([^}]+)\}", body)) - {"AWS::Region"}
        assert named <= set(MONITORING["Parameters"])
        assert json.loads(body)["widgets"]
        assert dam == any("Dam" in name or "Asset" in name for name in named)


def dashboard(*, dam: bool) -> str:
    """The dashboard's JSON, with names still to be filled in."""
    separator, parts = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Join"]
    chosen = [part["If"][1 if dam else 2] if "If" in part else part for part in parts]
    return str(separator).join(part["Sub"] if isinstance(part, dict) else part for part in chosen)


def headings(page: Path) -> set[str]:
    """The anchors that a Markdown page has, as forges make them of its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
