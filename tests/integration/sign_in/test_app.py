"""The connector as an App: connect, sign in, disconnect, connect again; and all that is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import httpx
import jwt
import pytest

from pim_connector.akeneo import AkeneoClient, read_credentials
from pim_connector.akeneo.answers import CredentialsError
from pim_connector.console.app_connection import STATE_COOKIE
from pim_connector.console.openid import PimUser, verify_id_token
from pim_connector.console.web import Answer
from pim_connector.errors import RejectedError, TransientError
from simulators.akeneo.accounts import Connection
from simulators.akeneo.apps import JULIA, App, new_certificate
from simulators.akeneo.pim import Pim
from tests.integration.sign_in.browser import Browser, console
from tests.integration.sign_in.house import Clock, House


def opened(browser: Browser, app: App) -> Answer | httpx.Response:
    """What *Connect* or *Open app* in the PIM leads to."""
    return browser.open(f"{browser.house.pim_url}/connect/apps/{app.client_id}/open")


def connected(browser: Browser, app: App) -> Browser:
    assert browser.confirm(opened(browser, app)) == Answer(location="/")
    return browser


def secret() -> dict[str, str]:
    value = boto3.client("secretsmanager").get_secret_value(SecretId="akeneo")
    return json.loads(value["SecretString"])  # type: ignore[no-any-return]


class TestConnecting:
    """From *Connect* in the PIM to a token in the secret."""

    def test_julia_connects_the_app_and_is_signed_in(
        self, browser: Browser, app: App, house: House
    ) -> None:
        assert house.app.state() == "not connected"
        connected(browser, app)
        assert house.app.state() == "connected"
        assert secret()["app_token"] == app.tokens[-1]
        assert secret()["username"] == "erp", "what was there stays"
        session = browser.session
        assert session is not None
        assert session.actor == f"Julia Stark (PIM user {app.subject(JULIA)})"
        assert STATE_COOKIE not in browser.cookies.held

    def test_the_pim_is_asked_for_the_scopes_of_the_sources_and_no_more(
        self, browser: Browser, app: App
    ) -> None:
        page = opened(browser, app)
        assert isinstance(page, httpx.Response)
        asked = dict(parse_qsl(urlsplit(str(page.url)).query))["scope"]
        assert asked == "openid profile read_catalog_structure write_products"
        browser.confirm(page)
        assert app.scopes == {"read_catalog_structure", "write_products"}

    def test_the_clients_secret_is_never_sent(
        self, browser: Browser, app: App, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[bytes] = []
        send = httpx.Client.send

        def watched(client: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
            sent.append(str(request.url).encode() + bytes(str(request.headers), "utf-8"))
            sent.append(request.read())
            return send(client, request, **more)

        monkeypatch.setattr(httpx.Client, "send", watched)
        connected(browser, app)
        assert any(b"code_challenge" in part for part in sent)
        assert not any(app.secret.encode() in part for part in sent)

    def test_all_functions_use_the_apps_token_from_then_on(
        self, browser: Browser, app: App, house: House
    ) -> None:
        connected(browser, app)
        client = boto3.client("secretsmanager")
        with AkeneoClient(
            house.pim_url, credentials=lambda: read_credentials(client, "akeneo")
        ) as pim:
            assert pim.list_known("families") == []
            assert pim.list_known("channels") is None, "for this the app has no scope"

    def test_workers_of_a_connection_that_ends_go_on_with_the_app(
        self, browser: Browser, app: App, house: House, pim: Pim
    ) -> None:
        words = {"client_id": "erp", "secret": "s", "username": "erp", "password": "p"}
        pim.accounts.connect(Connection(**words))
        house.secret.update(**words)
        client = boto3.client("secretsmanager")
        with AkeneoClient(
            house.pim_url, credentials=lambda: read_credentials(client, "akeneo")
        ) as worker:
            assert worker.list_known("families") == []
            connected(browser, app)
            pim.accounts.renew_secret("erp")
            assert worker.list_known("families") == []
            assert worker.list_known("channels") is None, "it is the app that asks"

    def test_opening_the_app_again_asks_nobody_and_keeps_the_token(
        self, browser: Browser, app: App, new_browser: Callable[[], Browser]
    ) -> None:
        connected(browser, app)
        before = secret()["app_token"]
        other = new_browser()
        assert opened(other, app) == Answer(location="/")
        assert other.session is not None
        assert secret()["app_token"] == before

    def test_new_scopes_are_asked_for_and_bring_a_new_token(
        self, browser: Browser, app: App, house: House
    ) -> None:
        connected(browser, app)
        before = secret()["app_token"]
        house.scopes = (*house.scopes, "write_attribute_options")
        page = opened(browser, app)
        assert "attribute options" in page.text  # type: ignore[union-attr]
        browser.confirm(page)
        assert secret()["app_token"] != before
        assert "write_attribute_options" in secret()["app_scopes"]

    def test_no_consent_no_connection(self, browser: Browser, app: App, house: House) -> None:
        refused = browser.confirm(opened(browser, app), "cancel")
        assert refused.status == 403
        assert "nobody agreed" in refused.message
        assert house.app.state() == "not connected"
        assert browser.session is None

    def test_an_app_that_is_not_set_up_says_how(self, browser: Browser, house: House) -> None:
        assert house.app.state() == "not set up"
        page = browser.open(console("/app/activate", pim_url=house.pim_url))
        assert isinstance(page, Answer)
        assert page.status == 403
        assert "client id and secret" in page.message

    def test_an_app_without_a_secret_is_not_kept(self, house: House) -> None:
        for words in (("id", " "), ("", "secret"), ("id", "sec\nret")):
            with pytest.raises(RejectedError):
                house.app.keep_app(*words)
        assert house.app.state() == "not set up"


class TestSigningIn:
    """*Open app*, and our own page's way to it."""

    def test_somebody_who_may_open_apps_is_signed_in_by_name(
        self, browser: Browser, app: App, new_browser: Callable[[], Browser]
    ) -> None:
        connected(browser, app)
        peter = new_browser().be("peter")
        assert peter.confirm(opened(peter, app)) == Answer(location="/")
        assert peter.session is not None
        assert peter.session.name == "Peter Voss"
        assert [person.name for person in peter.house.people.all()] == ["Julia Stark", "Peter Voss"]

    def test_somebody_who_may_not_open_apps_stays_in_the_pim(
        self, browser: Browser, app: App, new_browser: Callable[[], Browser]
    ) -> None:
        connected(browser, app)
        mary = new_browser().be("mary")
        page = mary.open(console("/app/activate", pim_url=mary.house.pim_url))
        assert isinstance(page, httpx.Response)
        assert page.status_code == 403
        assert mary.session is None

    def test_who_comes_by_a_link_lands_on_its_page(self, browser: Browser, app: App) -> None:
        connected(browser, app)
        found = browser.open(console("/app/sign-in", next="/runs/r1"))
        assert found == Answer(location="/runs/r1")

    def test_a_rotated_certificate_is_fetched_anew(
        self, browser: Browser, app: App, pim: Pim
    ) -> None:
        connected(browser, app)
        pim.apps.rotate()
        assert opened(browser, app) == Answer(location="/")
        assert browser.session is not None

    def test_a_user_is_known_by_sub_and_not_by_name(
        self, browser: Browser, app: App, house: House
    ) -> None:
        connected(browser, app)
        house.people.narrow(only_marked=True, by=browser.session)  # type: ignore[arg-type]
        impostor = house.sessions.start(subject="other", name="Julia Stark", way="pim")
        assert not house.people.may_act(impostor)


class TestDisconnected:
    """Somebody disconnects the app in the PIM."""

    def test_the_flow_stops_as_with_wrong_credentials_until_somebody_connects_again(
        self, browser: Browser, app: App, house: House
    ) -> None:
        connected(browser, app)
        sent = browser.pim.post(f"/connect/apps/{app.client_id}/disconnect")
        assert sent.status_code == 303
        assert house.app.state() == "connect again"
        client = boto3.client("secretsmanager")
        with AkeneoClient(
            house.pim_url, credentials=lambda: read_credentials(client, "akeneo")
        ) as pim:
            with pytest.raises(CredentialsError, match="disconnected"):
                pim.list_known("families")
            connected(browser, app)
            assert house.app.state() == "connected"
            assert pim.list_known("families") == [], "the same client goes on with the new token"

    def test_a_pim_that_is_down_is_no_reason_to_connect_again(
        self, browser: Browser, app: App, house: House, pim: Pim
    ) -> None:
        connected(browser, app)
        pim.faults.down = 503
        try:
            with pytest.raises(TransientError):
                house.app.state()
        finally:
            pim.faults.down = 0


class TestRefused:
    """Whatever somebody else sends."""

    def refused(self, answer: Answer | httpx.Response, words: str) -> None:
        assert isinstance(answer, Answer)
        assert answer.status == 403, answer
        assert words in answer.message

    @pytest.mark.parametrize(
        "other",
        [
            "https://evil.example",
            "",
            "javascript:alert(1)",
            "{pim}.evil.example",
            "{pim}@evil.example",
            "http://julia:secret@{host}",
            "{pim}/path",
            "//evil.example",
            "https://pim.example.com:1",
        ],
    )
    def test_the_pim_of_somebody_else(
        self, browser: Browser, app: App, house: House, other: str
    ) -> None:
        url = console(
            "/app/activate", pim_url=other.format(pim=house.pim_url, host=house.pim_url[7:])
        )
        self.refused(browser.open(url), "serves")
        assert STATE_COOKIE not in browser.cookies.held

    def test_our_own_pims_address_however_it_is_written(
        self, browser: Browser, app: App, house: House
    ) -> None:
        for written in (house.pim_url + "/", house.pim_url.replace("http:", "HTTP:")):
            answer = browser.once(console("/app/activate", pim_url=written))
            assert isinstance(answer, Answer)
            assert answer.location.startswith(f"{house.pim_url}/connect/apps/v1/authorize?")

    def test_a_state_that_nobody_issued(self, browser: Browser, app: App) -> None:
        browser.cookies.held[STATE_COOKIE] = "x"
        self.refused(browser.open(console("/app/callback", code="c", state="forged")), "belongs")
        self.refused(browser.open(console("/app/callback", code="c")), "belongs")

    def test_a_state_of_another_browser(
        self, browser: Browser, app: App, new_browser: Callable[[], Browser]
    ) -> None:
        """The attacker's code in the victim's browser: login CSRF."""
        page = opened(browser, app)
        sent = browser.pim.post(page.url, data={"decision": "confirm"})  # type: ignore[union-attr]
        victim = new_browser()
        self.refused(victim.open(sent.headers["location"]), "belongs")
        assert victim.session is None
        victim.cookies.held[STATE_COOKIE] = "planted"
        self.refused(victim.open(sent.headers["location"]), "belongs")
        assert victim.session is None

    def test_an_answer_that_comes_twice(self, browser: Browser, app: App, house: House) -> None:
        connected(browser, app)
        cookie = "kept"
        held = dict(browser.cookies.held)
        again = console("/app/callback", **browser.callback())
        browser.cookies.held = {**held, STATE_COOKIE: cookie}
        self.refused(browser.open(again), "twice")

    def test_an_answer_that_comes_too_late(
        self, browser: Browser, app: App, clock: Clock, house: House
    ) -> None:
        page = opened(browser, app)
        clock.at += 901
        self.refused(browser.confirm(page), "too late")
        assert house.app.state() == "not connected"

    def test_a_code_that_lay_for_longer_than_it_lives(
        self, browser: Browser, app: App, clock: Clock, house: House
    ) -> None:
        page = opened(browser, app)
        sent = browser.pim.post(page.url, data={"decision": "confirm"})  # type: ignore[union-attr]
        clock.at += 31
        self.refused(browser.open(sent.headers["location"]), "Code has expired")
        assert "app_token" not in secret()

    def test_a_code_that_nobody_issued(self, browser: Browser, app: App, house: House) -> None:
        browser.once(console("/app/sign-in"))
        state = next(self.states(browser))
        forged = console("/app/callback", code="forged", state=state)
        self.refused(browser.open(forged), "Code is not valid")
        assert browser.session is None

    def test_a_code_of_another_app(
        self, browser: Browser, app: App, pim: Pim, house: House
    ) -> None:
        other = pim.apps.create("Other", console("/app/activate"), console("/app/callback"))
        code = pim.apps.authorize(other, JULIA, "openid write_products", "")
        browser.once(console("/app/sign-in"))
        forged = console("/app/callback", code=code, state=next(self.states(browser)))
        self.refused(browser.open(forged), "Code is not valid")
        assert "app_token" not in secret()

    def test_a_session_that_was_planted_before_signing_in(
        self, browser: Browser, app: App, house: House
    ) -> None:
        planted = house.sessions.start(subject="attacker", name="Attacker", way="pim")
        browser.cookies.held["__Host-pim-connector"] = (
            house.sessions.cookie(planted).split("=")[1].split(";")[0]
        )
        connected(browser, app)
        assert browser.session is not None
        assert browser.session.id != planted.id
        assert browser.session.name == "Julia Stark"

    @staticmethod
    def states(browser: Browser) -> Iterator[str]:
        answer = browser.once(console("/app/sign-in"))
        assert isinstance(answer, Answer)
        yield dict(parse_qsl(urlsplit(answer.location).query))["state"]


class TestForgedIdTokens:
    """What the PIM vouches for, and what only looks like it."""

    def verify(self, house: House, app: App, pim: Pim, token: str, nonce: str = "n") -> PimUser:
        return verify_id_token(
            token,
            pim.apps.certificate.pem,
            issuer=house.pim_url,
            client_id=app.client_id,
            nonce=nonce,
            now=house.clock(),
        )

    def claims(self, house: House, app: App, **changed: Any) -> dict[str, Any]:
        now = house.clock()
        claims = {
            "iss": house.pim_url,
            "aud": app.client_id,
            "sub": "u1",
            "iat": now + 0.25,
            "exp": now + 3600.25,
            "firstname": "Julia",
            "lastname": "Stark",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, pim: Pim, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, pim.apps.certificate.key, algorithm="RS256")

    def test_a_genuine_one_is_taken(self, house: House, app: App, pim: Pim) -> None:
        token = self.signed(pim, self.claims(house, app))
        assert self.verify(house, app, pim, token) == PimUser(subject="u1", name="Julia Stark")

    @pytest.mark.parametrize(
        "changed",
        [
            {"iss": "https://evil.example"},
            {"iss": None},
            {"aud": "another app"},
            {"aud": None},
            {"sub": None},
            {"sub": " "},
            {"sub": 7},
            {"exp": None},
            {"exp": "tomorrow"},
            {"exp": float("inf")},
            {"iat": 9e9},
            {"nonce": "of another sign-in"},
        ],
        ids=str,
    )
    def test_one_with_a_wrong_or_missing_claim_is_not(
        self, house: House, app: App, pim: Pim, changed: dict[str, Any]
    ) -> None:
        token = self.signed(pim, self.claims(house, app, **changed))
        with pytest.raises(RejectedError):
            self.verify(house, app, pim, token)

    def test_an_expired_one_is_not(self, house: House, app: App, pim: Pim, clock: Clock) -> None:
        token = self.signed(pim, self.claims(house, app))
        clock.at += 3600 + 31
        with pytest.raises(RejectedError, match="expired"):
            self.verify(house, app, pim, token)

    def test_an_unsigned_one_is_not(self, house: House, app: App, pim: Pim) -> None:
        token = jwt.encode(self.claims(house, app), None, algorithm="none")  # type: ignore[arg-type]
        with pytest.raises(RejectedError):
            self.verify(house, app, pim, token)

    def test_one_signed_with_the_public_key_as_a_secret_is_not(
        self, house: House, app: App, pim: Pim
    ) -> None:
        """The old confusion of RS256 and HS256: built by hand, no library signs it any more."""
        import base64
        import hashlib
        import hmac

        def part(value: Any) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        head = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(self.claims(house, app))}"
        pem = pim.apps.certificate.pem.encode()
        mac = hmac.new(pem, head.encode(), hashlib.sha256).digest()
        token = f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        with pytest.raises(RejectedError):
            self.verify(house, app, pim, token)

    def test_one_of_another_key_is_not(self, house: House, app: App, pim: Pim) -> None:
        other = new_certificate(pim.apps.now())
        token = jwt.encode(self.claims(house, app), other.key, algorithm="RS256")
        with pytest.raises(RejectedError):
            self.verify(house, app, pim, token)

    @pytest.mark.parametrize("token", ["", "a.b.c", "x" * 9000, "ä.ö.ü", "..", "null"])
    def test_nonsense_is_not(self, house: House, app: App, pim: Pim, token: str) -> None:
        with pytest.raises(RejectedError):
            self.verify(house, app, pim, token)

    @pytest.mark.parametrize("certificate", ["", "None", "-----BEGIN CERTIFICATE-----\nAA\n"])
    def test_a_certificate_that_is_none_signs_nobody_in(
        self, house: House, app: App, pim: Pim, certificate: str
    ) -> None:
        token = self.signed(pim, self.claims(house, app))
        with pytest.raises(RejectedError, match="certificate"):
            verify_id_token(
                token,
                certificate,
                issuer=house.pim_url,
                client_id=app.client_id,
                nonce="",
                now=house.clock(),
            )

    def test_a_forged_one_in_the_pims_answer_keeps_nothing(
        self, browser: Browser, app: App, house: House
    ) -> None:
        """Whoever stands between us and the PIM: neither a session nor a token comes of it."""

        class Between(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                answer = super().handle_request(request)
                body = json.loads(answer.read())
                if "id_token" in body:
                    claims = jwt.decode(body["id_token"], options={"verify_signature": False})
                    claims["sub"] = "admin"
                    body["id_token"] = jwt.encode(claims, None, algorithm="none")  # type: ignore[arg-type]
                return httpx.Response(answer.status_code, json=body)

        page = opened(browser, app)
        house.new_http = lambda: httpx.Client(transport=Between())
        answer = browser.confirm(page)
        assert answer.status == 403
        assert browser.session is None
        assert "app_token" not in secret()
