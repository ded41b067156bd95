"""Each bad habit of the simulated DAM shows, and none shows when it is off."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulators.dam.dam import Dam
from simulators.dam.habits import Habits

NOW = 1_700_000_000.4


def dam_of(habits: Habits, assets: int = 6, every: float = 0.1) -> tuple[Dam, httpx.Client]:
    clock = [NOW]
    dam = Dam(habits=habits, clock=lambda: clock[0])
    for _ in range(assets):
        dam.library.add()
        clock[0] += every
    client = httpx.Client(
        transport=httpx.MockTransport(dam.transport), base_url="https://dam.example.com"
    )
    return dam, client


def listed(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get("/offset/assets", params=params).json()["data"]
    return rows


def test_a_good_dam_prints_what_it_stores_and_says_how_much_there_is() -> None:
    _, client = dam_of(Habits())
    rows = listed(client)
    assert [row["id"] for row in rows] == [f"a00000{n}" for n in range(1, 7)]
    assert rows[0]["updated_at"] == "2023-11-14T22:13:20.400Z"
    assert client.get("/offset/assets").json()["meta"] == {"filter_count": 6}


def test_printed_stamps_may_be_coarser_than_what_is_filtered_by() -> None:
    _, client = dam_of(Habits(printed_step_s=1))
    printed = listed(client)[5]["updated_at"]
    assert printed == "2023-11-14T22:13:20.000Z"
    again = listed(client, **{"filter[updated_at][_gte]": "2023-11-14T22:13:20.850Z"})
    assert [row["id"] for row in again] == ["a000006"]


def test_an_index_may_be_coarser_than_what_is_printed() -> None:
    _, client = dam_of(Habits(index_step_s=60), every=30)
    since = {"filter[updated_at][_gte]": "2023-11-14T22:14:50.400Z"}
    assert [row["id"] for row in listed(client, **since)] == [
        "a000003",
        "a000004",
        "a000005",
        "a000006",
    ]


def test_ties_may_come_in_another_order_each_time() -> None:
    _, client = dam_of(Habits(ties="random", index_step_s=3600))
    orders = {tuple(row["id"] for row in listed(client)) for _ in range(20)}
    assert len(orders) > 5


@pytest.mark.parametrize(
    ("style", "printed"),
    [
        ("naive", "2023-11-14T17:13:20"),
        ("space", "2023-11-14 17:13:20"),
        ("compact", "20231114171320400"),
        ("epoch", 1700000000),
        ("epoch_ms", 1700000000400),
    ],
)
def test_stamps_come_in_many_styles(style: Any, printed: str | int) -> None:
    _, client = dam_of(Habits(stamp_format=style, zone="America/New_York"))
    assert listed(client)[0]["updated_at"] == printed


def test_a_late_commit_shows_up_behind_what_was_already_listed() -> None:
    dam, client = dam_of(Habits())
    dam.habits.late_commit_s = 40
    dam.library.random.seed(3)
    late = dam.library.add()
    dam.habits.late_commit_s = 0
    early = dam.library.add()
    assert [row["id"] for row in listed(client)][-1] == early
    dam.library.advance(40)
    assert {row["id"] for row in listed(client)} >= {late, early}


def test_an_index_that_lags_hides_what_can_be_read_by_id() -> None:
    dam, client = dam_of(Habits(index_lag_s=5))
    dam.library.advance(10)
    added = dam.library.add()
    assert added not in {row["id"] for row in listed(client)}
    assert client.get(f"/assets/{added}").status_code == 200
    dam.library.advance(5)
    assert added in {row["id"] for row in listed(client)}


def test_a_total_may_be_wrong_and_a_page_shorter_than_asked_for() -> None:
    _, client = dam_of(Habits(total="stale", page_cap=4))
    answer = client.get("/offset/assets", params={"limit": 100}).json()
    assert (len(answer["data"]), answer["meta"]["filter_count"]) == (4, 2)


@pytest.mark.parametrize("status", [403, 404])
def test_a_deleted_asset_answers_as_the_dam_thinks_fit(status: int) -> None:
    dam, client = dam_of(Habits(deleted_status=status, deletion_feed=True))
    dam.library.delete("a000002")
    assert client.get("/assets/a000002").status_code == status
    assert len(listed(client)) == 5
    [row] = client.get("/deletions").json()["data"]
    assert (row["serial"], row["item"]) == (1, "a000002")
    dam.habits.deleted_in_list = True
    assert [row["id"] for row in listed(client) if row["deleted"]] == ["a000002"]


@pytest.mark.parametrize("style", ["seconds", "http_date", "epoch", "epoch_ms", "iso", "nothing"])
def test_a_throttled_request_says_in_its_way_when_to_come_back(style: Any) -> None:
    _, client = dam_of(Habits(throttle_every=2, throttle_status=420, reset_style=style))
    assert client.get("/offset/assets").status_code == 200
    refused = client.get("/offset/assets")
    assert refused.status_code == 420
    named = refused.headers.get("Retry-After") or refused.headers.get("X-RateLimit-Reset")
    assert (named is None) == (style == "nothing")


def test_an_address_of_a_file_expires() -> None:
    dam, client = dam_of(Habits(expiring_urls=True, url_lifetime_s=60))
    url = listed(client)[0]["url"]
    picture = client.get(url)
    assert (picture.status_code, picture.content[:4]) == (200, b"\x89PNG")
    dam.library.advance(120)
    assert client.get(url).status_code == 403


def test_a_changed_asset_has_another_picture() -> None:
    dam, client = dam_of(Habits())
    before = client.get("/files/a000001.png").content
    assert client.get("/files/a000001.png").content == before
    dam.library.change("a000001")
    assert client.get("/files/a000001.png").content != before


def test_assets_change_between_two_requests() -> None:
    dam, client = dam_of(Habits(churn=True, updates=1, deletes=1, uploads=2))
    listed(client)
    listed(client)
    assert len(dam.library.assets) == 10
    assert len(dam.library.living()) == 8
