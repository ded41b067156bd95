"""Pages inside the PIM: no data without the PIM's token, no ancestor but the PIM."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.console import handler
from pim_connector.console.extensions import WANTED, extension_secret
from simulators.akeneo.apps import JULIA, Extension
from simulators.akeneo.extensions import action_call, frame_token
from tests.integration.console.visit import Answered, Console, event_of
from tests.integration.shop import export, item
from tests.integration.stack import Context

KEY = b"a key of the console, made for tests"
TAB = Extension(
    uuid="tab",
    owner="app",
    name=WANTED[0].name,
    type="iframe",
    position=WANTED[0].position,
    url="https://console.example/pim/product",
    label=WANTED[0].label,
    labels={},
    secret=extension_secret(KEY),
)


def bearer(console: Console, secret: str = TAB.secret) -> dict[str, str]:
    token = frame_token(replace(TAB, secret=secret), JULIA, console.nights.pim.now())
    return {"authorization": f"Bearer {token}"}


def press(console: Console, data: dict[str, object], secret: str = TAB.secret) -> Answered:
    """Press the action's button in the PIM."""
    now = console.nights.pim.now()
    body, headers = action_call(replace(TAB, secret=secret), JULIA, data, now)
    event = event_of("POST", "/pim/send-again", "", headers, [], body.decode())
    context: Any = Context()
    answer = handler.lambda_handler(event, context)
    return Answered(answer["statusCode"], answer["headers"], [], answer["body"])


@pytest.fixture
def visitor(console: Console) -> Console:
    """Somebody without a session: cookies are not sent from a frame."""
    console.cookies.clear()
    return console


@pytest.mark.parametrize("path", ["/pim/product", "/pim/activity"])
def test_only_the_pim_may_frame_a_page_and_it_holds_no_data(visitor: Console, path: str) -> None:
    visitor.nights.night("a.xml", export(item(1)))
    page = visitor.get(f"{path}?product[identifier]=p1")
    assert page.status == 200
    pim = handler.parts().settings.akeneo_url
    assert f"frame-ancestors {pim}" in page.headers["content-security-policy"]
    assert f'data-pim="{pim}"' in page.text
    assert "shop" not in page.text
    assert "p1" not in page.text


def test_all_other_pages_are_framed_by_nobody(console: Console) -> None:
    for path in ("/", "/runs", "/sign-in", "/products", "/pim/product/data"):
        policy = console.get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy


def test_with_the_pims_token_the_tab_says_where_values_come_from(visitor: Console) -> None:
    run = visitor.nights.night("a.xml", export(item(1, name="Boot &lt;b>")))
    path = "/pim/product/data?product[identifier]=p1"
    page = visitor.get(path, **bearer(visitor))
    assert page.status == 200, page.text
    assert f"/runs/{run.id}" in page.text
    assert "shop, record 1" in page.text
    assert "Boot &lt;b&gt;" in page.text
    uuid = visitor.nights.pim.product_by_identifier("p1").uuid  # type: ignore[union-attr]
    again = visitor.get(f"/pim/product/data?product[uuid]={uuid}", **bearer(visitor))
    assert "shop, record 1" in again.text


def test_a_product_that_no_export_knows_is_said_so(visitor: Console) -> None:
    page = visitor.get("/pim/product/data?product[identifier]=other", **bearer(visitor))
    assert "No export has set a value" in page.text
    page = visitor.get("/pim/product/data", **bearer(visitor))
    assert (page.status, "open a product" in page.text) == (403, True)


@pytest.mark.parametrize("path", ["/pim/product/data?product[identifier]=p1", "/pim/activity/data"])
def test_without_the_pims_token_there_is_nothing(visitor: Console, path: str) -> None:
    visitor.nights.night("a.xml", export(item(1)))
    forged = bearer(visitor, secret="x" * 64)
    for headers in ({}, forged, {"authorization": "Bearer nonsense"}):
        page = visitor.get(path, **headers)
        assert page.status == 403
        assert "shop" not in page.text


def test_a_session_alone_opens_no_frames_data(console: Console) -> None:
    """A frame of another site with our cookie would have it; the token it has not."""
    assert console.get("/pim/activity/data").status == 403


def test_the_activity_tab_shows_last_night(visitor: Console) -> None:
    run = visitor.nights.night("a.xml", export(item(1)))
    page = visitor.get("/pim/activity/data", **bearer(visitor))
    assert f"/runs/{run.id}" in page.text
    assert "a.xml" in page.text


def test_products_are_sent_again_from_the_last_export(visitor: Console) -> None:
    pim = visitor.nights.pim
    of = visitor.nights.night("a.xml", export(item(1), item(2)))
    product = pim.product_by_identifier("p1")
    assert product is not None
    product.values[("name", None, None)] = "edited by hand"
    answered = press(visitor, {"productUuid": product.uuid})
    assert answered.status == 200, answered.text
    (run,) = json.loads(answered.text)["runs"]
    visitor.nights.rest()
    assert visitor.nights.run(run).records == 1
    sent = pim.product_by_identifier("p1")
    assert sent is not None
    assert sent.values["name", None, None] == "Boot 1"
    visitor.sign_in()
    for each in (of.id, run):
        assert "julia (in the PIM" in visitor.get(f"/runs/{each}").text


def test_a_forged_or_repeated_action_sends_nothing(visitor: Console) -> None:
    visitor.nights.night("a.xml", export(item(1)))
    uuid = visitor.nights.pim.product_by_identifier("p1").uuid  # type: ignore[union-attr]
    assert press(visitor, {"productUuid": uuid}, secret="x" * 64).status == 403
    before = len(handler.parts().newest(50))
    assert press(visitor, {"productUuid": uuid}).status == 200
    assert len(handler.parts().newest(50)) == before + 1


def test_what_no_export_has_is_not_sent_again(visitor: Console) -> None:
    answered = press(visitor, {"productModelCode": "unknown"})
    assert answered.status == 403
    assert "nothing to send again" in answered.text


def test_when_acting_is_narrowed_the_button_in_the_pim_sends_nothing(visitor: Console) -> None:
    """The PIM's action names another id of the user than its id token: nobody can be matched."""
    visitor.nights.night("a.xml", export(item(1)))
    door = handler.parts().door
    owner = door.sessions.start(subject="arn:aws:iam::1:user/ops", name="ops", way="aws")
    door.people.narrow(only_marked=True, by=owner)
    uuid = visitor.nights.pim.product_by_identifier("p1").uuid  # type: ignore[union-attr]
    answered = press(visitor, {"productUuid": uuid})
    assert (answered.status, "narrowed" in answered.text) == (403, True)
