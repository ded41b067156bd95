"""Servers that answer oddly: the walk saw everything, or says that it did not and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx
import pytest

from pim_connector.dam.client import DamClient
from pim_connector.dam.expressions import Expression
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import load_source
from pim_connector.dam.pages import Position
from pim_connector.dam.polling import Poll, PollReport, SourceCursor
from pim_connector.errors import ConfigurationError, RejectedError, TransientError
from tests.unit.dam.test_requests import HEAD, LIST, Wire, client
from tests.unit.dam.test_unknown_dams import LOGIN, asked

Answer = Callable[[httpx.Request], httpx.Response]


class Memory:
    """Cursors in memory, and what was sent."""

    def __init__(self) -> None:
        self.cursor = SourceCursor()
        self.sent: list[str] = []

    def load(self, source: str) -> SourceCursor:
        return self.cursor

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        self.cursor = SourceCursor(
            changes=cursor.changes, deletions=cursor.deletions, version=cursor.version + 1
        )
        return self.cursor

    def poll(self, text: str, answer: Answer) -> PollReport:
        with client(text, answer) as dam:
            return Poll(
                client=dam,
                cursors=self,
                send=lambda message: self.sent.extend(change.id for change in message.changes),
                groups=1,
                time_left=lambda: 600.0,
            ).run()


def shuffled(count: int, stamp: str) -> Answer:
    """Assets of one time stamp, sorted anew for each page."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        rows = [{"id": f"p{n}", "at": stamp} for n in range(count)]
        rows.sort(key=lambda row: sha256(f"{row['id']} at {offset}".encode()).digest())
        return httpx.Response(200, json=rows[offset : offset + limit])

    return answer


def listing(mode: str, order: str, size: int) -> str:
    since = "" if mode == "full" or order == "desc" else ', since: "{{since}}"'
    return HEAD + (
        f"list: {{path: /a, mode: {mode}, order: {order},"
        f' params: {{offset: "{{{{offset}}}}", limit: "{{{{limit}}}}"{since}}},'
        f" pagination: {{kind: offset, size: {size}}}}}\n"
    )


@pytest.mark.parametrize(
    ("mode", "order"), [("pages", "desc"), ("pages", "asc"), ("requery", "asc"), ("full", "asc")]
)
@pytest.mark.parametrize(("count", "size"), [(90, 30), (300, 100), (64, 20)])
def test_an_order_that_is_made_anew_for_each_page_stops_the_source(
    mode: str, order: str, count: int, size: int
) -> None:
    with pytest.raises(ConfigurationError, match=r"order of the list is not stable.*sorted by id"):
        asked(listing(mode, order, size), shuffled(count, "2026-03-01T12:00:00Z"))


PAGED = {
    "cursor": ('{kind: cursor, next: NEXT}, params: {l: "{{limit}}", c: "{{cursor}}"}', "meta.on"),
    "next_url": ('{kind: next_url, next: NEXT}, params: {l: "{{limit}}"}', "meta.url"),
    "link": ('{kind: link, rel: NEXT}, params: {l: "{{limit}}"}', "next"),
    "header_cursor": (
        '{kind: header_cursor, header: NEXT}, params: {l: "{{limit}}", c: "{{cursor}}"}',
        "Next-Page",
    ),
}


def continued(total: int) -> Answer:
    """A list that says in four ways where it goes on."""

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        start, limit = int(params.get("c", 0)), int(params["l"])
        rows = [{"id": n} for n in range(start, min(start + limit, total))]
        on = start + limit if start + limit < total else None
        url = f"/api/a?l={limit}&c={on}"
        body = {"rows": rows, "meta": {"on": on, "url": url if on else None}}
        headers = {"Next-Page": str(on), "Link": f'<{url}>; rel="next"'} if on else {}
        return httpx.Response(200, json=body, headers=headers)

    return answer


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("total", [3, 4, 8, 11])
def test_a_next_page_that_is_named_wrongly_is_an_error_and_not_the_end(
    kind: str, total: int
) -> None:
    paging, right = PAGED[kind]
    text = HEAD + f"list: {{path: /a, mode: full, items: rows, pagination: {paging}}}\n"
    text = text.replace("kind: " + kind, f"kind: {kind}, size: 4")
    found = asked(text.replace("NEXT", right), continued(total))
    assert found == [str(n) for n in range(total)]
    with pytest.raises(ConfigurationError, match="names no next page"):
        asked(text.replace("NEXT", "nextt"), continued(total))


def test_fewer_assets_than_the_dam_says_there_are_stop_the_source() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        rows = [{"id": n} for n in range(7)][int(request.url.params["offset"]) :]
        return httpx.Response(200, json={"rows": rows, "count": total})

    text = HEAD + LIST.replace('items: "@"', "items: rows, total: count")
    total = 7
    assert len(set(asked(text, answer))) == 7
    total = 9
    with pytest.raises(ConfigurationError, match=r"there are 9 items.*came upon 7"):
        asked(text, answer)


@pytest.mark.parametrize("status", [400, 404])
def test_an_error_beyond_the_last_page_can_be_said_to_be_the_end(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        if page > 3:
            return httpx.Response(status, json={"code": "no_such_page"})
        return httpx.Response(200, json=[{"id": 2 * page}, {"id": 2 * page + 1}])

    paging = "pagination: {kind: page, size: 2}"
    text = HEAD + (
        f"list: {{path: /a, mode: full, {paging},"
        ' params: {page: "{{page}}", per_page: "{{limit}}"}}\n'
    )
    with pytest.raises(ConfigurationError, match=r"pagination\.end_status"):
        asked(text, answer)
    text = text.replace("size: 2", f"size: 2, end_status: [{status}]")
    assert set(asked(text, answer)) == {str(n) for n in range(2, 8)}


def test_an_error_on_the_first_page_is_never_the_end() -> None:
    text = HEAD + LIST.replace("{kind: offset}", "{kind: offset, end_status: [400]}")
    with pytest.raises(ConfigurationError, match="answers 400"):
        asked(text, Wire(httpx.Response(400)))


def test_the_earliest_time_that_a_dam_takes_can_be_said() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["since"] < "1970-01-02":
            return httpx.Response(400, json={"message": "Invalid date."})
        return httpx.Response(200, json=[{"id": 1, "at": "2026-03-01T12:00:00Z"}])

    text = listing("requery", "asc", 10)
    with pytest.raises(ConfigurationError, match=r"since\.earliest"):
        asked(text, answer)
    assert asked(text + "since: {earliest: '1970-01-02T00:00:00Z'}\n", answer) == ["1"]
    with pytest.raises(ConfigurationError, match=r"since\.earliest: 'soon' is no time"):
        asked(text + "since: {earliest: soon}\n", answer)


def test_whole_pages_of_folders_are_passed_over_and_counted() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        rows: list[Any] = [{} for _ in range(260)]
        rows += [{"id": n, "at": "2026-03-01T12:00:00Z"} for n in range(3)]
        return httpx.Response(200, json=rows[offset : offset + limit])

    for mode in ("requery", "pages", "full"):
        memory = Memory()
        report = memory.poll(listing(mode, "asc", 10), answer)
        assert memory.sent == ["0", "1", "2"]
        assert (report.unreadable, report.finished) == (0, True)
        assert report.without_id >= 260


def test_a_list_without_a_single_id_names_the_key() -> None:
    answer = Wire(httpx.Response(200, json=[{"key": 1}, {"key": 2}]), httpx.Response(200, json=[]))
    with pytest.raises(ConfigurationError, match="not one of 2 items has an id at `id`"):
        Memory().poll(HEAD + LIST, answer)


def test_json_that_is_cut_off_is_asked_for_again() -> None:
    whole = httpx.Response(200, json=[{"id": 1}])
    wire = Wire(httpx.Response(200, content=b'[{"id": 1'), whole, httpx.Response(200, json=[]))
    assert asked(HEAD + LIST, wire) == ["1"]
    with pytest.raises(TransientError, match="cut off"):
        asked(HEAD + LIST, Wire(httpx.Response(200, content=b'[{"id"')))


@pytest.mark.parametrize("when", ["", "  expired_when: errors[0].message == 'expired'\n"])
def test_a_sign_in_that_graphql_says_is_over_is_renewed(when: str) -> None:
    logins = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal logins
        if request.url.path.endswith("/login"):
            logins += 1
            return httpx.Response(200, json={"data": {"token": f"t{logins}"}})
        if request.headers["Authorization"] != f"Bearer t{logins}":
            code = "X" if when else "UNAUTHENTICATED"
            error = {"message": "expired", "extensions": {"code": code}}
            return httpx.Response(200, json={"data": None, "errors": [error]})
        return httpx.Response(200, json=[])

    with client(HEAD + LIST + LOGIN + when, answer, password="p4ss") as dam:
        list(dam.changes(Position()))
        logins += 1  # the token counts no more
        list(dam.changes(Position()))
    assert logins == 3


def test_no_error_prints_the_signature_of_a_request() -> None:
    text = (
        HEAD
        + LIST
        + ('auth: {kind: signer, message: "{{secret.key}}{{query}}", parameter: sign}\n')
    )
    wire = Wire(httpx.Response(500 - 100, text="no"))
    with pytest.raises(ConfigurationError) as raised:
        asked(text, wire, key="a-long-key")
    signature = wire.requests[-1].url.params["sign"]
    assert signature not in str(raised.value)
    assert "sign=***" in str(raised.value)


def test_a_secret_across_the_cut_of_an_excerpt_is_taken_out_first() -> None:
    body = "x" * 295 + "very-secret-token" + json.dumps({})
    with pytest.raises(ConfigurationError) as raised:
        asked(
            HEAD + LIST + 'auth: {kind: bearer, token: "{{secret.token}}"}\n',
            Wire(httpx.Response(400, text=body)),
            token="very-secret-token",
        )
    assert "very" not in str(raised.value)


def test_a_secret_that_no_header_can_hold_is_named_as_such() -> None:
    text = HEAD + LIST + 'auth: {kind: bearer, token: "{{secret.token}}"}\n'
    text = text.replace("https://dam.example.com", "http://127.0.0.1:9")
    source = load_source(text.encode(), name="dam.yaml")
    with (
        DamClient(source, {"token": "s3cr\n"}, clocks=Clocks(time_left=lambda: 1.0)) as dam,
        pytest.raises(ConfigurationError, match=r"secret\.token cannot be sent.*line break"),
    ):
        list(dam.changes(Position()))


def test_a_value_that_is_null_is_told_in_the_dams_words() -> None:
    rule = Expression("join('.', [name, ending])", where="file_name")
    with pytest.raises(RejectedError, match=r"file_name: `join.*`: ending has no value here"):
        rule.read({"name": "a", "ending": None})
    with pytest.raises(RejectedError, match=r"needs array or string, and the DAM gives '12'"):
        Expression("contains(name, 'x')", where="only").read({"name": 12})
