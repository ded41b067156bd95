"""No other web page can make the pages do anything."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from local.desk.guard import MOST_BYTES, refusal

HOST = "127.0.0.1:8082"
OURS = {"host": HOST, "origin": f"http://{HOST}", "content-length": "10"}


def status(method: str, path: str = "/studio", **headers: str) -> int:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    refused = refusal(method, path, Headers(said))
    return refused[0] if refused else 200


def test_a_form_of_our_own_page_passes() -> None:
    assert status("POST", **OURS) == 200


def test_by_either_name_of_this_machine_the_page_is_the_same() -> None:
    local = {"host": "localhost:8082", "origin": "http://localhost:8082"}
    assert status("POST", **(OURS | local)) == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        f"https://{HOST}",
        "http://127.0.0.1:9999",
        "http://localhost:8082",
        f"http://{HOST}.evil.example",
        "",
    ],
)
def test_another_origin_is_refused(origin: str) -> None:
    assert status("POST", **(OURS | {"origin": origin})) == 403


def test_a_request_that_does_not_say_where_it_comes_from_is_refused() -> None:
    assert status("POST", host=HOST, content_length="10") == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_needs_no_origin(method: str) -> None:
    assert status(method, host=HOST) == 403
    assert status("GET", host=HOST) == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_somebody_else_resolves_to_this_machine_is_refused(method: str) -> None:
    rebound = {"host": "evil.example:8082", "origin": "http://evil.example:8082"}
    assert status(method, **(OURS | rebound)) == 421


def test_a_body_is_limited_and_has_a_length() -> None:
    assert status("POST", **(OURS | {"content-length": str(MOST_BYTES + 1)})) == 413
    assert status("POST", **(OURS | {"content-length": "9" * 5000})) == 413
    assert status("POST", host=HOST, origin=f"http://{HOST}") == 411


def test_an_export_may_be_larger_than_a_mapping() -> None:
    large = OURS | {"content-length": str(MOST_BYTES + 1)}
    assert status("POST", "/inbox", **large) == 200
