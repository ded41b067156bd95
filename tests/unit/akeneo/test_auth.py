"""Tokens: got, shared, renewed, and never shown."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from msgspec.structs import replace

from pim_connector.akeneo import AkeneoClient, AppToken, ConnectionCredentials, CredentialsError
from pim_connector.akeneo.auth import MemoryTokenStore, Token, credentials_from
from pim_connector.errors import ConfigurationError, ConnectorError, TransientError
from tests.unit.akeneo.pim import CREDENTIALS, Pim, app_token, fails, products, says

SECRETS = ("s3cret-word", "pass-w0rd!", "client-1", "access-1", "refresh-1", "app-t0ken")


def test_one_password_grant_serves_many_calls() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    client.upsert_products(products(1))
    assert pim.grants == ["password"]


def test_the_token_is_asked_for_as_the_documentation_says() -> None:
    seen: list[httpx.Request] = []
    pim = Pim()

    def watch(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return pim.answer(request)

    pim.client(transport=httpx.MockTransport(watch)).upsert_products(products(1))
    token, upsert = seen
    assert str(token.url) == "https://pim.example.com/api/oauth/v1/token"
    assert token.headers["Authorization"] == "Basic Y2xpZW50LTE6czNjcmV0LXdvcmQ="
    assert token.headers["Content-Type"] == "application/json"
    assert json.loads(token.content) == {
        "grant_type": "password",
        "username": "erp_1234",
        "password": "pass-w0rd!",
    }
    assert token.extensions["timeout"] == upsert.extensions["timeout"]
    assert token.extensions["timeout"]["read"] == 60.0
    assert upsert.headers["User-Agent"].startswith("pim-connector/")


def test_a_token_is_renewed_when_four_fifths_of_its_life_are_over() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    pim.clock.time += 2879
    client.upsert_products(products(1))
    assert pim.grants == ["password"]
    pim.clock.time += 2
    client.upsert_products(products(1))
    assert pim.grants == ["password", "refresh_token"]


def test_a_refresh_that_is_refused_falls_back_to_the_password() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    pim.clock.time += 15 * 24 * 3600
    pim.token_answers.append(lambda: says(422, "Refresh token is invalid or has expired"))
    client.upsert_products(products(1))
    assert pim.grants == ["password", "refresh_token", "password"]


def test_a_401_renews_once_and_sends_the_same_call_again() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    pim.valid.clear()
    client.upsert_products(products(3))
    assert pim.grants == ["password", "refresh_token"]
    assert [len(call) for call in pim.calls] == [1, 3]


def test_a_401_that_stays_is_a_matter_of_credentials_after_one_renewal() -> None:
    pim = Pim()
    client = pim.client()
    pim.token_answers.extend(
        [lambda: httpx.Response(200, json={"access_token": "useless", "expires_in": 3600})] * 5
    )
    with pytest.raises(CredentialsError, match="connection deleted"):
        client.upsert_products(products(1))
    assert pim.grants == ["password", "password"]


def test_wrong_credentials_say_what_to_check_and_are_not_tried_again() -> None:
    pim = Pim()
    pim.token_answers.append(lambda: says(422, "No user found for the given username and password"))
    with pytest.raises(CredentialsError, match=r"No user found.*Connection settings"):
        pim.client().upsert_products(products(1))
    assert pim.grants == ["password"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: says(404, "Not Found"), "Check the PIM's URL: pim.example.com"),
        (lambda: httpx.Response(200, html="<h1>Welcome</h1>"), "is this the URL of the PIM"),
        (lambda: httpx.Response(200, json={"access_token": "x"}), "is this the URL of the PIM"),
        (lambda: httpx.Response(200, json=["access_token"]), "is this the URL of the PIM"),
        (
            lambda: httpx.Response(200, json={"access_token": "a\nb", "expires_in": 5}),
            "is this the URL of the PIM",
        ),
        (lambda: httpx.Response(302, headers={"Location": "/login"}), "redirects"),
    ],
)
def test_a_token_route_that_is_none_points_at_the_url(answer: object, words: str) -> None:
    pim = Pim()
    pim.token_answers.append(answer)  # type: ignore[arg-type]  # a parametrised callable
    with pytest.raises(ConfigurationError, match=words):
        pim.client().upsert_products(products(1))


def test_a_token_route_that_is_busy_is_waited_for() -> None:
    pim = Pim()
    pim.token_answers.append(lambda: says(429, "Slow down", {"Retry-After": "3"}))
    pim.token_answers.append(lambda: says(502))
    pim.client().upsert_products(products(1))
    assert pim.grants == ["password"] * 3
    assert pim.clock.slept[0] == 3.0


def test_a_token_that_cannot_be_renewed_now_is_used_while_it_lasts() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    pim.clock.time += 3000
    pim.token_answers.append(lambda: says(503))
    client.upsert_products(products(1))
    assert pim.clock.slept == []
    assert len(pim.calls) == 2


def test_a_regenerated_secret_is_told_as_such() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    pim.valid.clear()
    pim.token_answers.extend([lambda: says(422, "client_id is missing")] * 2)
    with pytest.raises(CredentialsError, match="regenerated"):
        client.upsert_products(products(1))


def test_an_app_token_is_sent_as_it_is_and_its_end_is_final() -> None:
    pim = Pim()
    client = pim.client(app_token(pim))
    client.upsert_products(products(1))
    pim.valid.clear()
    with pytest.raises(CredentialsError):
        client.upsert_products(products(1))
    assert pim.grants == []


def test_rotated_credentials_are_read_again_without_a_restart() -> None:
    pim = Pim()
    old = replace(CREDENTIALS, password="old")
    kept = [old]
    client = pim.client(lambda: kept[0])
    client.upsert_products(products(1))
    pim.valid.clear()
    kept[0] = CREDENTIALS
    pim.token_answers.append(lambda: says(422, "client_id is missing"))
    client.upsert_products(products(1))
    assert pim.grants == ["password", "refresh_token", "password"]
    assert pim.passwords == ["old", "pass-w0rd!"]


def test_credentials_that_were_wrong_at_the_start_are_read_again_too() -> None:
    pim = Pim()
    kept = [replace(CREDENTIALS, password="wrong")]
    client = pim.client(lambda: kept[0])
    pim.token_answers.append(lambda: says(422, "No user found"))
    with pytest.raises(CredentialsError):
        client.upsert_products(products(1))
    kept[0] = CREDENTIALS
    client.upsert_products(products(1))
    assert pim.passwords == ["wrong", "pass-w0rd!"]


def test_a_replaced_app_token_is_read_again_without_a_restart() -> None:
    pim = Pim()
    kept = [AppToken(token="old")]
    client = pim.client(lambda: kept[0])
    kept[0] = app_token(pim)
    client.upsert_products(products(1))
    assert len(pim.calls) == 1


def test_of_many_threads_with_an_expired_token_one_renews() -> None:
    pim = Pim()
    client = pim.client()
    client.upsert_products(products(1))
    pim.valid.clear()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.upsert_products(products(1)), range(8)))
    assert pim.grants == ["password", "refresh_token"]


def test_workers_share_a_token_and_take_the_newer_one_of_another() -> None:
    pim, store = Pim(), MemoryTokenStore()
    first, second = pim.client(token_store=store), pim.client(token_store=store)
    first.upsert_products(products(1))
    second.upsert_products(products(1))
    assert pim.grants == ["password"]
    pim.valid.clear()
    first.upsert_products(products(1))
    second.upsert_products(products(1))
    assert pim.grants == ["password", "refresh_token"]


def test_a_shared_token_that_the_pim_has_revoked_is_renewed_as_well() -> None:
    pim, store = Pim(), MemoryTokenStore()
    client = pim.client(token_store=store)
    client.upsert_products(products(1))
    pim.valid.clear()
    now = pim.clock.now()
    newer = Token(
        access_token="revoked-too", refresh_token=None, issued_at=now, expires_at=now + 3600
    )
    store.save(newer, replaces=None)
    client.upsert_products(products(1))
    assert pim.grants == ["password", "password"]


def test_a_password_too_long_for_the_token_route_is_refused_before_it_is_sent() -> None:
    credentials = ConnectionCredentials(client_id="a", secret="b", username="c", password="p" * 300)
    pim = Pim()
    with pytest.raises(CredentialsError, match="shorter password"):
        pim.client(credentials).upsert_products(products(1))
    assert pim.paths == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "lacks client_id, secret, username, password"),
        ({"client_id": "a", "secret": "b", "username": "c"}, "lacks password"),
        ({"app_token": "t0p\ns3cret"}, "app_token holds characters"),
        ({"app_token": 5}, "app_token must be a text"),
    ],
)
def test_credentials_that_are_incomplete_say_what_is_missing_and_no_value(
    fields: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        credentials_from(fields, source="profile test")
    assert "s3cret" not in str(caught.value)


def test_line_ends_around_a_copied_credential_are_cut_off() -> None:
    assert credentials_from({"app_token": " abc\n"}, source="x") == AppToken(token="abc")


def failing_clients() -> Iterator[tuple[str, AkeneoClient]]:
    for error in (
        httpx.LocalProtocolError,
        httpx.RemoteProtocolError,
    ):
        down = Pim()
        down.always = fails(error, "Illegal header value b'Bearer access-1'")
        yield error.__name__, down.client()
    for status in (301, 400, 401, 403, 404, 422, 429, 500):
        refusing = Pim()
        refusing.token_answers.extend([partial(says, status, "No.")] * 10)
        yield f"token {status}", refusing.client()
    revoked = Pim()
    client = revoked.client(app_token(revoked))
    revoked.valid.clear()
    yield "revoked", client


@pytest.mark.parametrize(
    ("name", "client"), list(failing_clients()), ids=lambda value: str(value)[:30]
)
def test_no_secret_is_in_any_log_exception_or_repr(
    name: str, client: AkeneoClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConnectorError) as caught:
        client.upsert_products(products(1))
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    shown += (
        repr(client) + repr(vars(client)) + repr(CREDENTIALS) + repr(AppToken(token="app-t0ken"))
    )
    assert [secret for secret in SECRETS if secret in shown] == []


def test_a_store_that_does_not_answer_is_transient() -> None:
    class Down:
        def load(self) -> Token | None:
            raise TransientError("the table is throttled")

        def save(self, token: Token, *, replaces: Token | None) -> Token:
            raise AssertionError("never reached")

    pim = Pim()
    with pytest.raises(TransientError, match="throttled"):
        pim.client(token_store=Down()).upsert_products(products(1))
