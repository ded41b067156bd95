"""A function may do what its code does and nothing else: calls in the code against the template.

The calls are those in all definitions that a handler names, directly or not. That is more than the
function does where a class has more than it uses: `NOT_CALLED` says so, and a new call in shared
code has to be granted or named there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_template import FUNCTIONS, RESOURCES, ROOT, TABLES, as_list, statements

LAYER = ROOT / "layers/connector/python"
ACTIONS: dict[str, tuple[str, ...]] = {
    "get_object": ("s3:GetObject", "s3:GetObjectVersion"),
    "head_object": ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"),
    "put_object": ("s3:PutObject",),
    "delete_object": ("s3:DeleteObject",),
    "copy": (
        *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
        *("s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging"),
    ),
    "list_objects_v2": ("s3:ListBucket",),
    "get_item": ("dynamodb:GetItem",),
    "put_item": ("dynamodb:PutItem",),
    "update_item": ("dynamodb:UpdateItem",),
    "delete_item": ("dynamodb:DeleteItem",),
    "query": ("dynamodb:Query",),
    "scan": ("dynamodb:Scan",),
    "batch_get_item": ("dynamodb:BatchGetItem",),
    "batch_write_item": ("dynamodb:BatchWriteItem",),
    "transact_write_items": (
        *("dynamodb:PutItem", "dynamodb:UpdateItem"),
        *("dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"),
    ),
    "send_message": ("sqs:SendMessage",),
    "send_message_batch": ("sqs:SendMessage",),
    "receive_message": ("sqs:ReceiveMessage",),
    "delete_message": ("sqs:DeleteMessage",),
    "change_message_visibility": ("sqs:ChangeMessageVisibility",),
    "get_queue_attributes": ("sqs:GetQueueAttributes",),
    "put_events": ("events:PutEvents",),
    "list_object_versions": ("s3:ListBucketVersions",),
    "put_secret_value": ("secretsmanager:PutSecretValue",),
    "get_secret_value": ("secretsmanager:GetSecretValue",),
}
"""What each call needs (https://docs.aws.amazon.com/service-authorization/latest/reference/)."""
EVENT_SOURCE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
"""What Lambda needs to take messages off a queue, with the function's rights."""
TAGS = {"s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging"}
MOVES = {"s3:DeleteObject", *TAGS}
LISTED = "s3:ListBucketVersions"  # only the splitter looks a denied object up in the list
NOT_CALLED: dict[str, set[str]] = {
    # Only housekeeping moves files, and only the mapper writes the sync state of products.
    "SplitterFunction": {"dynamodb:BatchWriteItem", *MOVES},
    "MapperFunction": {LISTED, *MOVES},
    "HousekeepingFunction": {LISTED},
    # DAM sources are read as they are now, never by version. Runs are the asset mapper's.
    "DamPollerFunction": {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "s3:GetObjectVersion",
        LISTED,
        *MOVES,
    }
    - {"s3:DeleteObject"},
    "DamWebhookFunction": {"s3:GetObjectVersion", "s3:PutObject", LISTED, *MOVES},
    # It disables, reverts and sends again by way of the queue; files stay where they are.
    "ConsoleFunction": {"dynamodb:BatchWriteItem", *MOVES},
    # The index of assets in use is the poller's.
    "AssetMapperFunction": {"dynamodb:Query", "s3:GetObjectVersion", LISTED, *MOVES},
}


@cache
def names_of(path: Path) -> tuple[dict[str, ast.stmt], dict[str, tuple[str, str]]]:
    """What a module defines, and what its imports (wherever they stand) bind, by name."""
    tree = ast.parse(path.read_text())
    defined: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return defined, dict(_imported(tree))


def _imported(node: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from ((each.asname or each.name, (node.module, each.name)) for each in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


def _module(name: str) -> Path | None:
    base = LAYER / name.replace(".", "/")
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()), None)


def reachable(handler: Path) -> Iterator[ast.AST]:
    """The handler, and each definition of ours that it names, directly or not."""
    tree = ast.parse(handler.read_text())
    yield tree
    todo: list[tuple[Path, ast.AST]] = [(handler, tree)]
    seen: set[tuple[Path, str]] = set()
    while todo:
        path, node = todo.pop()
        for name in {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}:
            found = _definition(path, name)
            if found and (found[0], name) not in seen:
                seen.add((found[0], name))
                todo.append(found)
                yield found[1]


def _definition(path: Path, name: str) -> tuple[Path, ast.AST] | None:
    defined, imported = names_of(path)
    if name in defined:
        return path, defined[name]
    if name not in imported:
        return None
    module, original = imported[name]
    submodule = _module(f"{module}.{original}")
    if submodule:
        return submodule, ast.parse(submodule.read_text())
    base = _module(module)
    return _definition(base, original) if base else None


def in_code(function: str) -> set[str]:
    found: set[str] = set()
    for tree in reachable(ROOT / FUNCTIONS[function]["CodeUri"] / "handler.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = node.func.attr
                if name == "get_paginator" and isinstance(node.args[0], ast.Constant):
                    name = str(node.args[0].value)
                found.update(ACTIONS.get(name, ()))
    return found


def granted(function: str) -> set[str]:
    return {action for one in statements(function) for action in as_list(one["Action"])}


def taken_from_queues(function: str) -> set[str]:
    events = FUNCTIONS[function].get("Events", {}).values()
    return EVENT_SOURCE if any(event["Type"] == "SQS" for event in events) else set()


def named(value: Any) -> set[str]:
    """The resources of this stack that a part of the template names."""
    words = re.findall(r"\w+", re.sub(r"Storage\.Outputs\.(\w+?)(Arn)?\b", r"\1", str(value)))
    return {word for word in words if word in RESOURCES}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_right_of_a_function_is_used_by_its_code(function: str) -> None:
    unused = granted(function) - in_code(function) - taken_from_queues(function)
    assert not unused


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_functions_code_calls_is_granted_or_known_not_to_be_called(function: str) -> None:
    needed = in_code(function) | taken_from_queues(function)
    assert needed - granted(function) == NOT_CALLED.get(function, set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_rights_to_what_it_knows_the_name_of_and_to_nothing_else(
    function: str,
) -> None:
    variables = FUNCTIONS[function]["Environment"]["Variables"]
    events = FUNCTIONS[function].get("Events", {}).values()
    queues = [event["Properties"].get("Queue") for event in events]
    resources = [one["Resource"] for one in statements(function)]

    assert named(resources) == named(variables) | named(queues)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_secrets_are_read_by_name_and_written_by_the_console_alone(function: str) -> None:
    for one in statements(function):
        actions = [action for action in as_list(one["Action"]) if "secretsmanager" in action]
        if function == "ConsoleFunction" and actions == ["secretsmanager:PutSecretValue"]:
            assert named(one["Resource"]) == {"ConsoleChannel"}  # and the PIM's, below
            continue
        assert set(actions) <= {"secretsmanager:GetSecretValue"}
        for resource in as_list(one["Resource"]) if actions else []:
            written = str(resource)
            known = ("SecretArn", "secret:${AWS::StackName}/dam/*", "ConsoleKey", "ConsoleChannel")
            assert any(name in written for name in known), written


def test_markers_in_tables_are_removed_by_the_attribute_that_the_table_knows() -> None:
    attributes = {
        properties["TimeToLiveSpecification"]["AttributeName"]
        for properties in TABLES.values()
        if "TimeToLiveSpecification" in properties
    }
    assert attributes == {"expires_at"}
