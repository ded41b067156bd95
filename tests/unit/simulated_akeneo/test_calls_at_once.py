"""Calls at once, and calls that go on when their client has gone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from simulators.akeneo.accounts import Connection
from simulators.akeneo.faults import Faults
from simulators.akeneo.limits import Limits
from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, COLLECTION, get

SECONDS = 10


def name_is(text: str) -> dict[str, object]:
    return {"values": {"name": [{"locale": "en_US", "scope": None, "data": text}]}}


def name_of(client: httpx.Client, code: str = "a") -> str:
    return str(get(client, f"/products/{code}")["values"]["name"][0]["data"])


@pytest.fixture
def tokens(pim: Pim) -> list[dict[str, str]]:
    """Authorization headers of three connections."""
    headers = []
    for number in range(3):
        pim.accounts.connect(
            Connection(client_id=f"c{number}", secret="s", username=f"user-{number}", password="p")
        )
        answer = pim.accounts.grant(
            (f"c{number}", "s"),
            {"grant_type": "password", "username": f"user-{number}", "password": "p"},
            now=0.0,
            lifetime=1e12,
        )
        headers.append({"Authorization": f"Bearer {answer['access_token']}"})
    return headers


def statuses_at_once(
    client: httpx.Client, calls: list[dict[str, str]], pim: Pim
) -> list[httpx.Response]:
    """The answers to these calls, which are all under way at the same time."""
    pim.faults = Faults(latency_ms=400, only="PATCH /products")

    def call(headers: dict[str, str]) -> httpx.Response:
        return client.patch(
            f"{API}/products/a", json={"enabled": True}, headers=headers, timeout=SECONDS
        )

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def test_the_fifth_call_at_once_of_a_connection_is_a_429_with_retry_after(
    pim: Pim, client: httpx.Client, tokens: list[dict[str, str]]
) -> None:
    pim.counters.limits = Limits(calls_per_connection=4, retry_after=3)
    answers = statuses_at_once(client, [tokens[0]] * 5 + [tokens[1]] * 2, pim)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["Retry-After"] == "3"
    report = client.get("/_simulator/counters").json()
    assert report["concurrent_calls_by_connection"]["user-0"] == {"now": 0, "max": 5}
    assert report["concurrent_calls_by_connection"]["user-1"] == {"now": 0, "max": 2}
    assert report["too_many_at_once"] == 1


def test_the_pims_limit_holds_over_all_connections(
    pim: Pim, client: httpx.Client, tokens: list[dict[str, str]]
) -> None:
    pim.counters.limits = Limits(calls_per_connection=4, calls_per_pim=6)
    answers = statuses_at_once(client, [tokens[0]] * 3 + [tokens[1]] * 3 + [tokens[2]] * 2, pim)
    assert sorted(answer.status_code for answer in answers).count(429) == 2


def test_without_limits_every_call_is_taken(
    pim: Pim, client: httpx.Client, tokens: list[dict[str, str]]
) -> None:
    answers = statuses_at_once(client, [tokens[0]] * 6, pim)
    assert 429 not in [answer.status_code for answer in answers]
    report = client.get("/_simulator/counters").json()
    assert report["concurrent_calls_by_connection"]["user-0"]["max"] == 6


def late(client: httpx.Client, text: str) -> None:
    with pytest.raises(httpx.TransportError):
        client.patch(f"{API}/products/a", json=name_is(text), timeout=1)


def test_a_late_call_writes_its_old_value_over_a_newer_one(pim: Pim, client: httpx.Client) -> None:
    client.patch(f"{API}/products/a", json=name_is("first"))
    pim.faults = Faults(late_calls=1, late_after=2)
    late(client, "old")
    assert name_of(client) == "first"
    client.patch(f"{API}/products/a", json=name_is("old"))
    client.patch(f"{API}/products/a", json=name_is("new"))
    assert name_of(client) == "old"
    report = client.get("/_simulator/counters").json()
    assert report["concurrent_calls_by_connection"]["app"]["now"] == 0


def test_newer_calls_to_other_routes_do_not_let_a_late_call_write(
    pim: Pim, client: httpx.Client
) -> None:
    pim.faults = Faults(late_calls=1)
    late(client, "old")
    client.patch(f"{API}/products", content='{"identifier":"b"}', headers=COLLECTION)
    client.patch(f"{API}/categories/tools", json={})
    assert pim.product_by_identifier("a") is None
    client.patch(f"{API}/products/b", json={})
    assert name_of(client) == "old"


def test_a_late_call_writes_what_it_names_and_leaves_the_rest(
    pim: Pim, client: httpx.Client
) -> None:
    pim.faults = Faults(late_calls=1)
    late(client, "old")
    body = name_is("new") | {"enabled": False}
    client.patch(f"{API}/products/a", json=body)
    shown = get(client, "/products/a")
    assert (name_of(client), shown["enabled"]) == ("old", False)


def test_lines_before_the_client_went_are_written_at_once(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(late_calls=1, late_lines=2)
    lines = "\n".join(f'{{"identifier":"p{number}"}}' for number in range(5))
    with pytest.raises(httpx.TransportError):
        client.patch(f"{API}/products", content=lines, headers=COLLECTION)
    assert len(pim.products) == 2
    assert client.get("/_simulator/late-calls").json() == {
        "waiting": [{"route": "PATCH /products", "waits_for": 1}],
        "finished": 0,
    }
    assert client.post("/_simulator/late-calls").json() == {"waiting": [], "finished": 1}
    assert len(pim.products) == 5


def test_a_late_call_keeps_its_place_among_the_calls_at_once(
    pim: Pim, client: httpx.Client
) -> None:
    pim.counters.limits = Limits(calls_per_connection=1)
    pim.faults = Faults(late_calls=1)
    late(client, "old")
    assert client.get(f"{API}/products/a").status_code == 429
    client.post("/_simulator/late-calls")
    assert client.get(f"{API}/products/a").status_code == 200


def test_a_late_call_ends_by_itself_after_its_time(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(late_calls=1, late_seconds=0.05)
    late(client, "old")
    for _ in range(1000):
        if not pim.late.waiting:
            break
        threading.Event().wait(0.01)
    assert name_of(client) == "old"


def test_a_client_that_waits_for_a_late_call_is_cut_off_after_a_while(
    pim: Pim, client: httpx.Client
) -> None:
    pim.faults = Faults(late_calls=2, late_hang_seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.patch(f"{API}/products/a", json={}, timeout=0.2)
    pim.faults = Faults(late_calls=1, late_hang_seconds=0.05)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.patch(f"{API}/products/a", json={}, timeout=SECONDS)


def test_a_reset_forgets_the_calls_that_wait(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(late_calls=1)
    late(client, "old")
    client.post("/_simulator/reset")
    assert pim.counters.under_way.total() == 0
    client.patch(f"{API}/products/a", json=name_is("new"))
    assert name_of(client) == "new"


def test_the_pim_works_on_when_its_client_has_gone(pim: Pim, client: httpx.Client) -> None:
    pim.faults = Faults(latency_ms=300)
    lines = "\n".join(f'{{"identifier":"p{number}"}}' for number in range(4))
    with pytest.raises(httpx.ReadTimeout):
        client.patch(f"{API}/products", content=lines, headers=COLLECTION, timeout=0.1)
    for _ in range(1000):
        if len(pim.products) == 4:
            break
        threading.Event().wait(0.01)
    assert len(pim.products) == 4
