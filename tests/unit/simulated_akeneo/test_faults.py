"""Bad days, over real connections."""

import time

import httpx
import pytest

from simulators.akeneo.faults import FaultError, Faults
from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, COLLECTION

FIVE = "\n".join(f'{{"identifier":"p{number}"}}' for number in range(5))


def send(client: httpx.Client, content: str = FIVE, timeout: float = 10) -> httpx.Response:
    return client.patch(f"{API}/products", content=content, headers=COLLECTION, timeout=timeout)


def read_into(received: list[bytes], client: httpx.Client) -> None:
    with client.stream("PATCH", f"{API}/products", content=FIVE, headers=COLLECTION) as answer:
        assert answer.status_code == 200
        for chunk in answer.iter_raw():
            received.append(chunk)


def test_a_429_comes_as_often_as_set_with_or_without_retry_after(
    pim: Pim, client: httpx.Client
) -> None:
    pim.faults = Faults(too_many_requests=2, retry_after=7)
    first, second, third = send(client), send(client), send(client)
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert (second.status_code, third.status_code) == (429, 200)
    pim.faults = Faults(too_many_requests=1)
    assert "Retry-After" not in send(client).headers
    assert len(pim.products) == 5


def test_a_share_strikes_the_same_calls_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(server_errors=0.3, seed=seed)
        return [faults.strikes("server_errors", "PATCH /products") for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_a_cut_answer_ends_after_its_lines_and_one_more_is_written(
    pim: Pim, client: httpx.Client
) -> None:
    pim.faults = Faults(cut_answers=1, cut_after_lines=2)
    received: list[bytes] = []
    with pytest.raises(httpx.TransportError):
        read_into(received, client)
    assert b"".join(received).count(b'"status_code":201') == 2
    assert len(pim.products) == 3


def test_a_dropped_connection_writes_nothing(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(dropped_connections=1)
    with pytest.raises(httpx.TransportError):
        send(client)
    assert not pim.products
    assert send(client).status_code == 200


@pytest.mark.parametrize(("fault", "written"), [("timeouts_before", 0), ("timeouts_after", 5)])
def test_a_call_without_an_answer_was_worked_on_or_not_as_set(
    pim: Pim, client: httpx.Client, fault: str, written: int
) -> None:
    pim.faults = Faults().changed({fault: 1})
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.3)
    assert len(pim.products) == written


def test_a_deadlock_hits_one_line_and_only_that(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(deadlock_lines=1)
    lines = send(client).text.split("\n")
    assert '"status_code":500' in lines[0]
    assert all('"status_code":201' in line for line in lines[1:])
    assert len(pim.products) == 4


def test_a_payload_over_the_limit_is_a_403_of_the_platform(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(payload_limit=20)
    assert send(client).status_code == 403
    assert send(client, '{"identifier":"a"}').status_code == 200


def test_while_it_is_down_even_the_token_is_refused(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(down=503)
    login = {"grant_type": "password", "username": "user", "password": "password"}
    token = client.post("/api/oauth/v1/token", json=login, auth=("id", "secret"))
    assert (token.status_code, send(client).status_code) == (503, 503)


def test_tokens_expire_before_their_time_when_told_to(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(token_seconds=0)
    login = {"grant_type": "password", "username": "user", "password": "password"}
    answer = client.post("/api/oauth/v1/token", json=login, auth=("id", "secret")).json()
    assert answer["expires_in"] == 3600
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    refused = client.get(f"{API}/channels", headers=headers)
    assert refused.status_code == 401
    assert refused.json()["message"] == "The access token provided has expired."


def test_only_calls_that_are_named_are_struck(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(server_errors=1, only="PATCH /product-models")
    assert send(client).status_code == 200
    assert pim.faults.server_errors == 1


def test_each_line_takes_the_latency_that_was_set(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(latency_ms=20)
    start = time.monotonic()
    send(client)
    assert time.monotonic() - start >= 0.1


def test_an_unknown_or_impossible_switch_is_refused_by_name() -> None:
    with pytest.raises(FaultError, match="unknown fault 'latency'"):
        Faults().changed({"latency": 3})
    with pytest.raises(FaultError, match="fault latency_ms: 'slow'"):
        Faults().changed({"latency_ms": "slow"})
