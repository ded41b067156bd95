"""The connector as an App, in a real browser: connect in the PIM, work, see the tab, disconnect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from moto import mock_aws

from functions.console import handler
from pim_connector.akeneo import AkeneoClient
from pim_connector.akeneo.auth import read_credentials
from pim_connector.console.extensions import WANTED, register
from pim_connector.console.sessions import issue_code
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.editions import EDITIONS
from tests.browser.chromium import Page, browser, executable
from tests.integration.console.conftest import MAPPING
from tests.integration.console.front import serving_console
from tests.integration.console.visit import Console
from tests.integration.mapper.examples import CATALOG
from tests.integration.shop import export, item, serving
from tests.integration.stack import credentials

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        executable() is None,
        reason="no Chromium on this machine; `make test-browser` installs Debian's as root",
    ),
]
PICTURES = Path(__file__).resolve().parents[2] / ".local" / "pictures"


@dataclass
class Walk:
    """Julia's browser, the console's address, the PIM's."""

    page: Page
    console: Console
    url: str
    pim: str

    def press(self, words: str) -> None:
        """Press the button or link with these words."""
        self.page.ask(
            "(words => [...document.querySelectorAll('a, button')]"
            f".find(one => one.textContent.trim() === words).click())({json.dumps(words)})"
        )

    def arrives(self, at: str) -> None:
        """Wait until a page of this address is there."""
        self.page.wait_for(
            f"document.readyState === 'complete' && location.href.startsWith({json.dumps(at)})"
        )

    def text(self) -> str:
        return str(self.page.ask("document.body.innerText"))

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.picture(PICTURES / f"app-{name}.png")


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Walk]:
    credentials(monkeypatch)
    with serving() as (pim, url), mock_aws(), Console.open(pim, url, monkeypatch) as console:
        pim.clear(from_resources(CATALOG))
        pim.become(EDITIONS["saas"])
        console.nights.stack.put("config/erp/shop.yaml", MAPPING)
        with serving_console() as address, browser(tmp_path) as page:
            yield Walk(page=page, console=console, url=address, pim=url)


def test_julia_connects_works_disconnects_and_connects_again(walk: Walk) -> None:
    page, pim = walk.page, walk.console.nights.pim
    page.show_as(1280, dark=False)

    page.call("Page.navigate", url=f"{walk.url}/runs")
    walk.arrives(f"{walk.url}/sign-in?next=/runs")
    told = sign_in_code()
    page.ask(f"document.querySelector('[name=code]').value = {json.dumps(told)}")
    walk.press("Sign in")
    walk.arrives(f"{walk.url}/runs")

    app = pim.apps.create("Connector", f"{walk.url}/app/activate", f"{walk.url}/app/callback")
    page.open(f"{walk.url}/settings")
    page.ask(f"document.querySelector('[name=client_id]').value = {json.dumps(app.client_id)}")
    page.ask(f"document.querySelector('[name=client_secret]').value = {json.dumps(app.secret)}")
    walk.press("Save and connect")
    walk.arrives(f"{walk.pim}/connect/apps/v1/authorize")
    assert "Create, update and read products" in walk.text()
    walk.picture("consent")
    walk.press("Confirm")
    walk.arrives(f"{walk.url}/settings")
    assert "Julia Stark" in walk.text()
    assert "Connected as an app" in walk.text()

    run = walk.console.nights.night("export.xml", export(item(1)))
    register_tabs(walk)
    product = pim.product_by_identifier("p1")
    assert product is not None
    page.open(f"{walk.pim}/products/{product.uuid}")
    words = in_the_frame(walk, "/pim/product", "shop, record 1")
    assert "export.xml" in words
    walk.picture("tab")
    walk.press("Send again from the last export")
    walk.arrives(f"{walk.pim}/extensions/")
    assert "Send again from the last export: done." in walk.text()

    page.open(f"{walk.url}/runs/{run.id}")
    assert "julia (in the PIM" in walk.text(), "who did it is kept"

    page.open(f"{walk.pim}/connect/apps")
    walk.press("Disconnect")
    page.wait_for("document.body?.innerText.includes('No app is connected.')")
    assert handler.parts().door.app.state() == "connect again"
    page.open(f"{walk.pim}/connect/apps")
    walk.press("Connect")
    walk.arrives(f"{walk.pim}/connect/apps/v1/authorize")
    walk.press("Confirm")
    walk.arrives(f"{walk.url}/")
    assert handler.parts().door.app.state() == "connected"


def test_only_the_pims_own_pages_frame_a_tab_and_nobody_a_page(walk: Walk) -> None:
    """Chromium holds `frame-ancestors`: the frame of another site shows an error of its own."""
    another = f"http://localhost:{urlsplit(walk.pim).port}"
    for host, path, shown in (
        (walk.pim, "/pim/product", 1),
        (walk.pim, "/sign-in", 0),
        (another, "/pim/product", 0),
        (another, "/sign-in", 0),
    ):
        walk.page.open(f"{host}/connect/apps")
        walk.page.ask(
            "(address => { const frame = document.createElement('iframe'); frame.src = address;"
            " frame.onload = () => document.title = 'loaded'; document.body.append(frame); })"
            f"({json.dumps(walk.url + path)})"
        )
        walk.page.wait_for("document.title === 'loaded'")
        assert len(frames(walk.page, path)) == shown, (host, path)


def sign_in_code() -> str:
    """What `pim-connector console` shows to somebody with AWS rights."""
    return issue_code(handler.parts().door.one_time, subject="arn:aws:iam::1:user/ops", name="ops")


def register_tabs(walk: Walk) -> None:
    """Put the tabs into the PIM, as `pim-connector app extend` does with its own rights."""
    pim = walk.console.nights.pim
    owner = next(iter(pim.apps.apps.values())).user
    pim.accounts.set_rights(owner, None)
    secrets = boto3.client("secretsmanager")
    with AkeneoClient(walk.pim, credentials=lambda: read_credentials(secrets, "akeneo")) as client:
        done = register(client, walk.url, handler.parts().extension_secret)
    assert len(done.created) == len(WANTED)


def frames(page: Page, path: str) -> list[str]:
    """The ids of frames that show an address of this path."""
    tree = page.call("Page.getFrameTree")["frameTree"]
    children = [child["frame"] for child in tree.get("childFrames", [])]
    return [frame["id"] for frame in children if urlsplit(frame["url"]).path == path]


def in_the_frame(walk: Walk, path: str, expected: str) -> str:
    """Wait until a frame shows these words; return all of it."""
    page = walk.page
    page.wait_for("document.querySelector('iframe') !== null")
    for _ in range(200):
        for frame in frames(page, path):
            world = page.call("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
            said = page.call(
                "Runtime.evaluate",
                expression="document.body.innerText",
                contextId=world,
                returnByValue=True,
            )
            words = str(said["result"].get("value", ""))
            if expected in words:
                return words
        page.ask("new Promise(done => setTimeout(done, 50))")
    raise AssertionError(f"no frame shows {expected!r}")
