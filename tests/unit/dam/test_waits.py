"""How long a DAM says to wait, in all the ways DAMs say it."""

from __future__ import annotations

import httpx
import pytest

from pim_connector.dam.http import backoff, wait_named

NOW = 1_767_261_600.0  # 2026-01-01T10:00:00Z
NAMES = ("Retry-After", "X-RateLimit-Reset")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "Thu, 01 Jan 2026 10:00:40 GMT"}, 40),
        ({"X-RateLimit-Reset": "1767261650"}, 50),
        ({"X-RateLimit-Reset": "1767261660000"}, 60),
        ({"x-ratelimit-reset": "2026-01-01T10:01:10Z"}, 70),
        ({"X-RateLimit-Reset": "12.5"}, 12.5),
        ({"Retry-After": "Thu, 01 Jan 2026 09:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_understood(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_named(httpx.Headers(headers), NAMES, NOW) == seconds


def test_an_absolute_time_is_by_the_dams_clock() -> None:
    headers = httpx.Headers(
        {"Date": "Thu, 01 Jan 2026 12:00:00 GMT", "X-RateLimit-Reset": "2026-01-01T12:00:20Z"}
    )
    assert wait_named(headers, NAMES, NOW) == 20


def test_without_a_word_from_the_dam_the_wait_grows_and_is_never_the_same() -> None:
    assert [backoff(n, 0.5) for n in range(4)] == [0.5, 1, 2, 4]
    assert backoff(50, 0.99) < 60
    assert backoff(3, 0) == 0
