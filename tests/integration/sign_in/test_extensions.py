"""Tabs and actions in the PIM's pages: registered, shown, and believed only with proof."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest

from pim_connector.akeneo import AkeneoClient
from pim_connector.akeneo.auth import AppToken
from pim_connector.console.extensions import (
    WANTED,
    Action,
    extension_secret,
    frame_user,
    register,
    unregister,
    verified_action,
)
from pim_connector.errors import ConfigurationError, RejectedError
from simulators.akeneo.apps import JULIA, App, Extension
from simulators.akeneo.editions import DEFAULT, EDITIONS
from simulators.akeneo.extensions import action_call, frame_token
from simulators.akeneo.pim import Pim, Product
from tests.integration.sign_in.browser import CONSOLE
from tests.integration.sign_in.house import KEY, Clock, House

SECRET = extension_secret(KEY)


@pytest.fixture
def client(pim: Pim, app: App, house: House) -> Iterator[AkeneoClient]:
    """The app's own client, as it is after somebody consented to the scope for extensions."""
    pim.edition = EDITIONS["saas"]
    form = {"grant_type": "authorization_code", "client_id": app.client_id, "code_identifier": "c"}
    import hashlib

    challenge = hashlib.sha256(f"c{app.secret}".encode()).hexdigest()
    code = pim.apps.authorize(app, JULIA, "manage_extensions write_products", "")
    token = pim.apps.token({**form, "code": code, "code_challenge": challenge}, house.pim_url)
    with AkeneoClient(house.pim_url, AppToken(token=token["access_token"])) as client:
        yield client
    pim.edition = DEFAULT


def signed(pim: Pim, data: dict[str, Any], secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    body, headers = action_call(replace(EXTENSION, secret=secret), JULIA, data, pim.now())
    return headers, body


EXTENSION = Extension(
    uuid="e1",
    owner="app",
    name="pim_connector_test",
    type="action",
    position="pim.product.header",
    url=f"{CONSOLE}/pim/send-again",
    label="Send again",
    labels={},
    secret=SECRET,
)


class TestRegistering:
    """`pim-connector app extend`."""

    def test_all_are_put_into_the_pim_once(self, client: AkeneoClient, pim: Pim) -> None:
        first = register(client, CONSOLE + "/", SECRET)
        assert len(first.created) == len(WANTED)
        again = register(client, CONSOLE, SECRET)
        assert (again.created, again.removed) == ((), ())
        found = pim.extensions.by_uuid.values()
        assert len(found) == len(WANTED)
        assert {each.secret for each in found} == {SECRET}
        assert all(each.url.startswith(f"{CONSOLE}/pim/") for each in found)

    def test_what_an_older_release_had_is_taken_out_and_what_others_made_stays(
        self, client: AkeneoClient, pim: Pim, app: App
    ) -> None:
        for uuid, owner, name in (
            ("old", app.user, "pim_connector_old"),
            ("mine", app.user, "made_by_hand"),
            ("theirs", "somebody", "pim_connector_product_tab"),
        ):
            pim.extensions.by_uuid[uuid] = replace(EXTENSION, uuid=uuid, owner=owner, name=name)
        assert register(client, CONSOLE, SECRET).removed == ("pim_connector_old",)
        assert {"mine", "theirs"} <= pim.extensions.by_uuid.keys()
        assert len(unregister(client)) == len(WANTED)
        assert pim.extensions.by_uuid.keys() == {"mine", "theirs"}

    def test_without_the_scope_it_says_what_is_missing(
        self, client: AkeneoClient, app: App, pim: Pim
    ) -> None:
        pim.accounts.set_rights(app.user, ["web_api", "product_edit"])
        with pytest.raises(ConfigurationError, match="manage_extensions"):
            register(client, CONSOLE, SECRET)

    def test_an_edition_without_extensions_says_so(self, client: AkeneoClient, pim: Pim) -> None:
        pim.edition = EDITIONS["ee-7.0"]
        with pytest.raises(ConfigurationError, match="SaaS"):
            register(client, CONSOLE, SECRET)

    def test_the_pims_product_page_shows_the_tab(
        self, client: AkeneoClient, pim: Pim, house: House
    ) -> None:
        register(client, CONSOLE, SECRET)
        product = Product(uuid="63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9")
        pim.save_product(product)
        try:
            page = httpx.get(f"{house.pim_url}/products/{product.uuid}").text
        finally:
            pim.forget_product(product)
        assert page.count("<iframe") == 1
        assert f"{CONSOLE}/pim/product?position=pim.product.tab" in page
        assert "product%5Buuid%5D=63139bf3" in page
        assert "Send again from the last export</button>" in page


class TestTabs:
    """The token that the PIM's page gives to ours."""

    def headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    def test_the_pims_token_says_who_looks(self, pim: Pim, clock: Clock) -> None:
        token = frame_token(EXTENSION, JULIA, pim.now())
        assert frame_user(self.headers(token), SECRET, now=clock()) == JULIA.uuid

    def test_one_of_another_stack_is_refused(self, pim: Pim, clock: Clock) -> None:
        other = replace(EXTENSION, secret=extension_secret(b"another key of at least 32 bytes."))
        token = frame_token(other, JULIA, pim.now())
        with pytest.raises(RejectedError):
            frame_user(self.headers(token), SECRET, now=clock())

    def test_an_old_one_is_refused(self, pim: Pim, clock: Clock) -> None:
        token = frame_token(EXTENSION, JULIA, pim.now())
        with pytest.raises(RejectedError, match="expired"):
            frame_user(self.headers(token), SECRET, now=clock() + 3_640)

    def test_an_unsigned_one_is_refused(self, clock: Clock) -> None:
        claims = {"iat": clock(), "exp": clock() + 60, "userUuid": "u"}
        token = jwt.encode(claims, None, algorithm="none")  # type: ignore[arg-type]
        with pytest.raises(RejectedError):
            frame_user(self.headers(token), SECRET, now=clock())

    @pytest.mark.parametrize("claims", [{"userUuid": ""}, {"userUuid": 7}, {}], ids=str)
    def test_one_that_names_nobody_is_refused(self, claims: dict[str, Any], clock: Clock) -> None:
        token = jwt.encode({"iat": clock(), "exp": clock() + 60, **claims}, SECRET)
        with pytest.raises(RejectedError):
            frame_user(self.headers(token), SECRET, now=clock())

    @pytest.mark.parametrize(
        "headers", [{}, {"authorization": "Bearer"}, {"authorization": "Basic abc"}], ids=str
    )
    def test_a_call_without_one_is_refused(self, headers: dict[str, str], clock: Clock) -> None:
        with pytest.raises(RejectedError, match="inside the PIM"):
            frame_user(headers, SECRET, now=clock())

    def test_a_session_cookie_is_no_such_token(self, house: House, clock: Clock) -> None:
        cookie = house.sessions.cookie(house.sessions.start(subject="u", name="n", way="pim"))
        token = cookie.partition("=")[2].partition(";")[0]
        with pytest.raises(RejectedError):
            frame_user(self.headers(token), SECRET, now=clock())


class TestActions:
    """What the PIM's server posts when somebody presses the button."""

    def verify(self, house: House, headers: dict[str, str], body: bytes) -> Action:
        return verified_action(
            headers, body, secret=SECRET, one_time=house.one_time, now=house.clock
        )

    def test_it_says_who_and_which_products(self, house: House, pim: Pim) -> None:
        action = self.verify(house, *signed(pim, {"productUuid": "p1"}))
        assert (action.products, action.models) == (("p1",), ())
        assert action.actor == f"julia (in the PIM, user {JULIA.uuid})"
        several = {"productUuids": ["p1", "p2"], "productModelCodes": ["m1"]}
        action = self.verify(house, *signed(pim, several))
        assert (action.products, action.models) == (("p1", "p2"), ("m1",))

    def test_it_is_taken_once(self, house: House, pim: Pim) -> None:
        headers, body = signed(pim, {"productUuid": "p1"})
        self.verify(house, headers, body)
        with pytest.raises(RejectedError, match="before"):
            self.verify(house, headers, body)

    def test_it_is_taken_for_five_minutes(self, house: House, pim: Pim, clock: Clock) -> None:
        headers, body = signed(pim, {"productUuid": "p1"})
        clock.at += 301
        with pytest.raises(RejectedError, match="older"):
            self.verify(house, headers, body)
        clock.at -= 700
        with pytest.raises(RejectedError):
            self.verify(house, headers, body)

    def test_another_body_or_secret_is_refused(self, house: House, pim: Pim) -> None:
        headers, body = signed(pim, {"productUuid": "p1"})
        with pytest.raises(RejectedError, match="not signed"):
            self.verify(house, headers, body.replace(b"p1", b"p2"))
        with pytest.raises(RejectedError, match="not signed"):
            self.verify(house, *signed(pim, {"productUuid": "p1"}, secret="x" * 64))
        with pytest.raises(RejectedError, match="not signed"):
            self.verify(house, {}, body)

    def test_more_products_than_the_pim_sends_are_refused(self, house: House, pim: Pim) -> None:
        with pytest.raises(RejectedError, match="500"):
            self.verify(house, *signed(pim, {"productUuids": [f"p{n}" for n in range(501)]}))

    def test_a_signed_body_that_is_no_action_is_refused(self, house: House) -> None:
        import hashlib
        import hmac

        for body in (b"[]", b"{}", b"\xff", json.dumps({"timestamp": time.time()}).encode()):
            signature = hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
            with pytest.raises(RejectedError, match="as the PIM sends"):
                self.verify(house, {"x-akeneo-signature": signature}, body)
