"""Pages answer from queries, however much there is: never from a scan, and by few calls."""

from __future__ import annotations

from collections import Counter
from typing import Any

import boto3
import botocore.client
import pytest

from tests.integration.console.test_pages import PAGES
from tests.integration.console.visit import Console
from tests.integration.shop import export, item

RUNS = 10_000
MOST_CALLS = 260


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: Any, name: str, parameters: Any) -> Any:
        counted[name] += 1
        return real(self, name, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return counted


def test_a_page_asks_little_and_scans_nothing(console: Console, calls: Counter[str]) -> None:
    run = console.nights.night("export.xml", export(item(1), item(2, code="far too long"))).id
    many(run)
    for path in PAGES:
        calls.clear()
        console.get(path)
        assert not any("Scan" in name for name in calls), path
        assert calls.total() <= MOST_CALLS, (path, calls)


def many(run: str) -> None:
    """Enter the names of 500 of 10,000 runs, as the registry does: more than any page reads."""
    table = boto3.resource("dynamodb").Table("RunTable")
    with table.batch_writer() as batch:
        for number in range(0, RUNS, 20):
            name = f"2025{number:012d}Z-shop-0"
            batch.put_item(
                Item={"pk": "runs", "sk": name, "run": name, "source": "shop", "order": name}
            )
