"""The documents name only what there is: pages, sections, make targets, parameters, limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pim_connector.dam.asset_rules import MediaRules
from pim_connector.erp import archives, fragments, parser
from pim_connector.mapping import compiled as identity
from pim_connector.mapping import loading as places
from pim_connector.mapping.language import File
from pim_connector.products import worker
from pim_connector.products.files import PRODUCT_LIMITS
from pim_connector.sync import message_results as deliveries
from pim_connector.sync import messages

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("local/**/*.md"))
    if page.is_file()
)
MEGABYTE = 1024 * 1024


class _Loader(yaml.SafeLoader):
    """Reads the template without CloudFormation's tags."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506  a SafeLoader


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, section = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (section and section not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|^ {4})make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_in_code_exists(page: Path) -> None:
    named = re.findall(r"`((?:cli|local|functions|docs|tests)/[\w./-]+)`", page.read_text())
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_the_readme_has_every_parameter_of_the_template_and_no_other() -> None:
    text = (ROOT / "README.md").read_text()
    table = text[text.index("Parameters of the stack:") : text.index("In the bucket, versioned")]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == TEMPLATE["Parameters"].keys() - {"Emulated"}


def test_the_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    reached = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", text))
    assert pages - reached <= {"docs/dam-checklist.md"}


def test_the_limits_are_those_of_the_code() -> None:
    text = (ROOT / "docs/limits.md").read_text()
    resources, parameters = TEMPLATE["Resources"], TEMPLATE["Parameters"]
    retention = resources["ProductQueue"]["Properties"]["MessageRetentionPeriod"]
    for row in (
        f"unpacks to {archives.MAX_RATIO} times its size ({archives.FREE_BYTES // MEGABYTE} MB",
        f"| zip | {archives.MAX_ZIP_BYTES // MEGABYTE} MB",
        f"| one record | {File().max_record_megabytes} MB",
        f"| one tag or comment | {parser.MAX_TOKEN_BYTES // MEGABYTE} MB",
        f"| attributes of one element | {parser.MAX_ATTRIBUTES:,} ",
        f"| depth of the XML | {parser.MAX_DEPTH} ",
        f"| what `head` reads | {fragments.MAX_HEAD_CHARACTERS // 1_000_000} MB",
        f"| an image or file of a product | {PRODUCT_LIMITS.max_megabytes} MB",
        f"| a file of a DAM | {MediaRules().max_megabytes} MB",
        f"| a mapping | {places.MAX_BYTES // 1_000_000} MB",
        f"| a product's identifier | {identity.MAX_IDENTIFIER} ",
        f"| products in one call | {messages.MAX_RECORDS} ",
        f"| calls at the same time | {parameters['ConcurrentCalls']['Default']} ",
        f"| the PIM is down | {retention // 86_400} days",
        f"product model | {parameters['ParentWaitMinutes']['Default']} minutes",
        f"| crashes of one message | {worker.MOST_ATTEMPTS} ",
        f"| files and reports | {parameters['KeepFilesDays']['Default']} days",
        f"| reasons kept of one record | {deliveries.MAX_PROBLEMS}, of "
        f"{deliveries.MAX_REASON_CHARACTERS:,} characters",
    ):
        assert row in text, row
