"""A console with something in it, served to a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws
from msgspec import Struct

from pim_connector.aws.table import Table
from pim_connector.console.sessions import OneTime, issue_code
from simulators.akeneo.catalog import from_resources
from tests.browser.chromium import Page
from tests.integration.console.conftest import MAPPING
from tests.integration.console.front import serving_console
from tests.integration.console.visit import Console
from tests.integration.mapper.examples import CATALOG
from tests.integration.shop import export, item, serving
from tests.integration.stack import credentials

ATTACK = "<img src=x onerror=document.title=1>"


class World(Struct, frozen=True, kw_only=True):
    """The console's address, and what is in it: a run with rejects, and one that is on hold."""

    url: str
    console: Console
    run: str
    held: str
    file: str

    def sign_in(self, page: Page) -> None:
        """Come in with a one-time code."""
        table = Table(boto3.client("dynamodb"), "StateTable")
        code = issue_code(OneTime(table, now=time.time), subject="julia", name="julia")
        page.call("Page.navigate", url=f"{self.url}/sign-in?code={code}")
        page.wait_for("document.title.startsWith('Today')")

    def pages(self) -> dict[str, str]:
        """Name every page, with its address."""
        return {
            "today": "/",
            "runs": "/runs",
            "run": f"/runs/{self.run}",
            "record": f"/runs/{self.run}/records/39",
            "changes": f"/runs/{self.run}/changes",
            "send-again": f"/runs/{self.run}/send-again",
            "revert": f"/runs/{self.run}/revert",
            "approvals": "/approvals",
            "approval": f"/approvals/{self.held}",
            "approve": f"/approvals/{self.held}?ask=approve",
            "products": "/products",
            "product": "/products?identifier=p1",
            "product-unknown": "/products?identifier=nobody",
            "sources": "/sources",
            "source": "/sources/shop",
            "source-new": "/sources/new",
            "studio": f"/studio/shop?sample={self.file}&record=39",
            "versions": "/studio/shop/versions",
            "assets": "/assets",
            "settings": "/settings",
            "checks": "/settings/checks",
            "help": "/help",
            "document": "/help/mapping",
            "first-steps": "/start",
            "not-found": "/runs/nothing",
            "sign-in": "/sign-in",
        }


@contextmanager
def world() -> Iterator[World]:
    """Import three files: all well; changes and a hostile reject; and one that is on hold."""
    with pytest.MonkeyPatch.context() as patch, serving() as (pim, url), mock_aws():
        credentials(patch)
        pim.clear(from_resources(CATALOG))
        with Console.open(pim, url, patch) as console, serving_console() as served:
            console.nights.stack.put("config/erp/shop.yaml", MAPPING)
            console.nights.night("export-monday.xml", export(*(item(n) for n in range(1, 40))))
            bad = item(40, code=f"<![CDATA[{ATTACK}]]>" * 3, name="Much too long a code")
            changed = console.nights.night(
                "export-tuesday.xml",
                export(*(item(n, name="Winter boot") for n in range(1, 39)), bad),
            )
            held = console.nights.night(
                "export-wednesday.xml",
                export(*(item(n, name="Winter boot") for n in range(1, 12))),
            )
            console.sign_in()
            console.post(
                "/studio/shop/tests",
                {"mapping": MAPPING, "sample": changed.file or "", "record": "1"},
            )
            yield World(
                url=served, console=console, run=changed.id, held=held.id, file=changed.file or ""
            )
