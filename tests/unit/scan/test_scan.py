"""What scanners say is taken for what it is: nothing found is not nothing looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.scan.policy import ExcusedCheck, Finding, ScanError, exceptions, judge, read_report
from local.scan.regions import Lack, read_lint, undeployable
from local.scan.weaknesses import read_audit
from tests.unit.test_template import RESOURCES

RULE = {Finding("CKV_1", "Bucket"): "Ensure a thing"}
EXCUSED = ExcusedCheck(check="CKV_1", resources=("Bucket",), reason="meant")


def report(**summary: int) -> str:
    failed = {"check_id": "CKV_1", "check_name": "Ensure a thing", "resource": "AWS::S3::B.Bucket"}
    said = {"passed": 3, "failed": 1, "parsing_errors": 0} | summary
    return json.dumps({"summary": said, "results": {"failed_checks": [failed]}})


def audited(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages})


def test_a_finding_without_an_exception_is_a_problem() -> None:
    assert list(judge(RULE, [])) == ["Bucket does not keep CKV_1: Ensure a thing"]
    assert not list(judge(RULE, [EXCUSED]))


def test_an_exception_that_excuses_nothing_is_a_problem() -> None:
    [problem] = judge({}, [EXCUSED])
    assert "excuses Bucket from CKV_1, which it keeps" in problem


def test_an_exception_holds_for_the_resources_it_names_only() -> None:
    found = RULE | {Finding("CKV_1", "Other"): "Ensure a thing"}
    [problem] = judge(found, [EXCUSED])
    assert problem.startswith("Other does not keep CKV_1")


def test_findings_are_known_by_rule_and_resource() -> None:
    assert read_report(report()) == (RULE, 3)


@pytest.mark.parametrize(
    "printed", ["", "[]", "{}", '{"passed": 0}', report(parsing_errors=1), report(passed=0)]
)
def test_a_scanner_that_saw_no_template_is_an_error_and_not_a_clean_one(printed: str) -> None:
    with pytest.raises(ScanError):
        read_report(printed)


def test_every_exception_has_a_reason_and_names_resources_of_the_template() -> None:
    made_by_sam = {"ConsoleFunctionUrl"}
    for excused in exceptions():
        assert len(excused.reason) > 60, excused.check
        assert set(excused.resources) <= RESOURCES.keys() | made_by_sam, excused.check


def test_a_known_weakness_is_told_with_the_release_that_mends_it() -> None:
    weak = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
    printed = audited({"name": "a", "version": "1.0", "vulns": [weak]})

    found = read_audit(printed, "")

    assert found.weaknesses == ("a 1.0: PYSEC-1, fixed in 2.0",)
    assert not found.unreachable


def test_packages_that_the_server_does_not_know_were_not_audited() -> None:
    unknown = {"name": "a", "skip_reason": "Dependency not found on PyPI"}

    assert read_audit(audited(unknown), "No known vulnerabilities found").unreachable
    some = read_audit(audited(unknown, {"name": "b", "version": "1", "vulns": []}), "")
    assert (some.audited, some.unknown, some.unreachable) == (1, ("a",), "")


def test_a_list_that_cannot_be_reached_is_told_from_an_audit_that_does_not_work() -> None:
    said = "Traceback …\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='x')"

    assert "HTTPSConnectionPool" in read_audit("", said).unreachable
    with pytest.raises(ScanError, match="does not contain a hash"):
        read_audit("", "ERROR: requirement a does not contain a hash")


def lint(*found: tuple[str, str, str]) -> str:
    return json.dumps(
        [
            {
                "Rule": {"Id": rule},
                "Location": {"Path": ["Resources", name, "Type"]},
                "Message": said,
            }
            for rule, name, said in found
        ]
    )


NO_URL = ("E3006", "Url", "Resource type 'AWS::Lambda::Url' does not exist in 'eu-central-2'")


def test_a_region_without_what_a_parameter_leaves_out_can_be_deployed_to() -> None:
    found = list(read_lint(lint(NO_URL, ("W3002", "Storage", "may only work with 'package'"))))

    assert found == [Lack("Url", "eu-central-2")]
    url = {"Type": "AWS::Lambda::Url"}
    assert not list(undeployable(found, {"Url": {**url, "Condition": "HasWebhookUrl"}}))
    for resource in (url, {**url, "Condition": "HasDam"}):
        problems = list(undeployable(found, {"Url": resource}))
        assert problems == ["eu-central-2 has no AWS::Lambda::Url (Url)"]


@pytest.mark.parametrize("printed", ["", "Template file not found"])
def test_a_linter_that_looked_at_nothing_is_an_error(printed: str) -> None:
    with pytest.raises(ScanError):
        list(read_lint(printed))
