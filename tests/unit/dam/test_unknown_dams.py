"""Ways of DAMs that nobody has written a starter for: each works, or says which key to fix."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from pim_connector.dam.client import DamClient, Gone
from pim_connector.dam.expressions import Expression
from pim_connector.dam.loading import load_source
from pim_connector.dam.pages import Position
from pim_connector.dam.polling import Poll, SourceCursor
from pim_connector.errors import ConfigurationError, TransientError
from tests.unit.dam.test_requests import HEAD, LIST, Wire, client


def asked(text: str, wire: Any, **secrets: str) -> list[str]:
    """Walk the whole list; give the ids."""
    with client(text, wire, **secrets) as dam:
        return [row.key for step in dam.changes(Position()) for row in step.rows]


LOGIN = """
auth:
  kind: login
  request: {path: /login, body: {user: robot, password: "{{secret.password}}"}}
  token: data.token
"""


class Tokens(Wire):
    """Gives a new token at each login, and knows only the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.logins = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        super().__call__(request)
        if request.url.path.endswith("/login"):
            self.logins += 1
            return httpx.Response(200, json={"data": {"token": f"t{self.logins}"}})
        if f"t{self.logins}" not in f"{list(request.headers.values())} {request.url}":
            return httpx.Response(401)
        return httpx.Response(200, json=[])


def test_a_login_gives_a_token_that_is_used_until_it_is_refused() -> None:
    wire = Tokens()
    with client(HEAD + LIST + LOGIN, wire, password="p4ss") as dam:
        list(dam.changes(Position()))
        wire.logins += 1  # somebody else logged in; ours counts no more
        list(dam.changes(Position()))
    logins = [request for request in wire.requests if request.url.path == "/api/login"]
    assert [json.loads(one.content) for one in logins] == [
        {"user": "robot", "password": "p4ss"}
    ] * 2
    assert wire.requests[-1].headers["Authorization"] == "Bearer t3"


def test_a_token_of_a_login_can_go_into_a_header_or_parameter_of_its_own() -> None:
    wire = Tokens()
    asked(HEAD + LIST + LOGIN + '  header: X-Session\n  value: "{{token}}"\n', wire, password="p")
    assert wire.requests[-1].headers["X-Session"] == "t1"
    asked(HEAD + LIST + LOGIN + "  parameter: sid\n", wire, password="p")
    assert wire.query.endswith("&sid=t2")


@pytest.mark.parametrize("answer", [httpx.Response(403), httpx.Response(200, json={"jwt": "x"})])
def test_a_login_without_a_token_names_the_keys_to_check(answer: httpx.Response) -> None:
    with pytest.raises(ConfigurationError, match=r"auth\.token, which is `data\.token`") as raised:
        asked(HEAD + LIST + LOGIN, Wire(answer), password="p4ssword")
    assert "p4ssword" not in str(raised.value)


def test_a_next_address_may_be_relative_to_the_page_it_stands_on() -> None:
    text = HEAD + "list: {path: /v2/assets, mode: full, items: items, pagination: {kind: next_url,"
    wire = Wire(
        httpx.Response(200, json={"items": [{"id": 1}], "next": "?page=2"}),
        httpx.Response(200, json={"items": [{"id": 2}], "next": None}),
    )
    assert asked(text + " next: next}}", wire) == ["1", "2"]
    assert str(wire.requests[-1].url) == "https://dam.example.com/api/v2/assets?page=2"


def test_a_next_address_of_a_search_by_post_is_posted_to_again() -> None:
    text = HEAD + (
        "list: {path: /search, mode: full, items: items, body: {q: '*'},"
        " pagination: {kind: next_url, next: links.next}}"
    )
    wire = Wire(
        httpx.Response(200, json={"items": [{"id": 1}], "links": {"next": "/api/search/2"}}),
        httpx.Response(200, json={"items": [{"id": 2}]}),
    )
    assert asked(text, wire) == ["1", "2"]
    assert [(r.method, r.url.path, r.content) for r in wire.requests] == [
        ("POST", "/api/search", b'{"q":"*"}'),
        ("POST", "/api/search/2", b'{"q":"*"}'),
    ]


def test_a_cursor_can_be_taken_out_of_an_address_on_a_host_that_only_the_dam_knows() -> None:
    text = HEAD + (
        'list: {path: /assets, mode: full, items: items, params: {c: "{{cursor}}"},'
        " pagination: {kind: cursor, next: \"extract(next, 'c=([^&]*)')\"}}"
    )
    wire = Wire(
        httpx.Response(200, json={"items": [{"id": 1}], "next": "http://inside:8080/a?c=n7&d=1"}),
        httpx.Response(200, json={"items": [{"id": 2}], "next": None}),
    )
    assert asked(text, wire) == ["1", "2"]
    assert wire.query == "c=n7"


def test_a_port_that_is_written_out_is_no_other_host() -> None:
    text = HEAD + "list: {path: /a, mode: full, items: items, pagination: {kind: next_url,"
    wire = Wire(
        httpx.Response(200, json={"items": [], "next": "https://DAM.example.com:443/api/a?p=2"}),
        httpx.Response(200, json={"items": []}),
    )
    assert asked(text + " next: next}}", wire) == []
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    ("paging", "parameter", "numbers"),
    [
        ("{kind: page, first: 0}", "page", ["0", "1", "2"]),
        ("{kind: offset}", "offset", ["0", "3", "5"]),
    ],
)
@pytest.mark.parametrize("mode", ["full", "requery", "pages"])
def test_pages_of_a_size_that_nobody_can_ask_for_are_read_to_the_empty_one(
    mode: str, paging: str, parameter: str, numbers: list[str]
) -> None:
    """The first three have one time stamp, and then two: the list is the same since each."""
    items = [{"id": n, "at": f"2026-01-0{1 + n // 3}T00:00:00Z"} for n in range(5)]

    def answer(request: httpx.Request) -> httpx.Response:
        asked_for = int(request.url.params[parameter])
        start = asked_for * 3 if parameter == "page" else asked_for
        since = request.url.params["since"] if mode != "full" else ""
        left = [item for item in items if str(item["at"]) >= since]
        seen.append(str(asked_for))
        return httpx.Response(200, json=left[start : start + 3])

    seen: list[str] = []
    params = f'{parameter}: "{{{{{parameter}}}}}"'
    since = "" if mode == "full" else ', since: "{{since}}"'
    text = f"list: {{path: /a, mode: {mode}, pagination: {paging}, params: {{{params}{since}}}}}\n"
    found = asked(HEAD + text, answer)
    assert sorted(set(found)) == ["0", "1", "2", "3", "4"]
    if mode == "full":
        assert seen == numbers


def test_data_beside_errors_of_graphql_are_not_taken_for_the_whole_truth() -> None:
    answer = {
        "data": {"assets": [{"id": 1, "title": None}]},
        "errors": [{"message": "timeout in title", "extensions": {"code": "INTERNAL"}}],
    }
    text = LIST.replace('items: "@"', "items: data.assets")
    with pytest.raises(ConfigurationError, match=r"timeout in title \(INTERNAL\)"):
        asked(HEAD + text, Wire(httpx.Response(200, json=answer)))


def graphql_item(wire: Wire, gone_when: str) -> DamClient:
    item = f"""
item: {{get: {{path: /graphql, body: {{query: "…", variables: {{id: "{{{{id}}}}"}}}}}},
       item: data.asset, gone_when: "{gone_when}"}}
"""
    return client(HEAD + LIST + item, wire)


def test_an_asset_of_which_graphql_gives_only_an_error_is_not_taken_for_gone() -> None:
    down = Wire(
        httpx.Response(200, json={"data": {"asset": None}, "errors": [{"message": "down"}]})
    )
    with (
        graphql_item(down, "data.asset == `null`") as dam,
        pytest.raises(TransientError, match=r"down.*item\.gone_when"),
    ):
        dam.asset("7")


@pytest.mark.parametrize(
    ("gone_when", "answer"),
    [
        ("data.asset == `null`", {"data": {"asset": None}}),
        (
            "errors[0].extensions.code == 'FORBIDDEN'",
            {"data": None, "errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]},
        ),
    ],
)
def test_an_asset_that_graphql_says_is_gone_is_gone(gone_when: str, answer: Any) -> None:
    with graphql_item(Wire(httpx.Response(200, json=answer)), gone_when) as dam:
        assert isinstance(dam.asset("7"), Gone)


def stamped(*seconds: int) -> list[dict[str, Any]]:
    return [{"id": n, "at": f"2026-01-01T00:00:{s:02}Z"} for n, s in enumerate(seconds)]


REQUERY = """
list: {path: /a, pagination: {kind: offset, size: 10}, items: "@",
       params: {since: "{{since}}", offset: "{{offset}}", limit: "{{limit}}"}}
"""


def test_a_list_the_wrong_way_round_is_found_out_although_most_stamps_are_equal() -> None:
    wire = Wire(httpx.Response(200, json=stamped(9, 9, 9, 9, 5, 5, 5, 1, 1, 1)))
    with pytest.raises(ConfigurationError, match="sort parameter and `order`"):
        asked(HEAD + REQUERY, wire)


def test_a_row_that_changed_while_the_index_lagged_is_no_wrong_order() -> None:
    rows = stamped(9, 1, 1, 8, 1, 1)
    assert len(set(asked(HEAD + REQUERY, Wire(httpx.Response(200, json=rows))))) == 6


def test_a_list_without_a_single_stamp_is_remarked_upon() -> None:
    rows = [{"id": n, "changed_at": "2026-01-01T00:00:00Z"} for n in range(3)]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=rows[int(request.url.params["offset"]) :])

    with client(HEAD + REQUERY, answer) as dam:
        report = Poll(
            client=dam,
            cursors=Kept(),
            send=lambda _: None,
            groups=1,
            time_left=lambda: 600.0,
        ).run()
    (note,) = report.notes
    assert note.startswith("not one of 3 items has a time stamp at `at` (updated): everything is")


class Kept:
    """A cursor that is kept nowhere."""

    def load(self, source: str) -> SourceCursor:
        return SourceCursor()

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        return cursor


def test_a_redirect_says_where_the_dam_really_is() -> None:
    wire = Wire(httpx.Response(301, headers={"Location": "https://dam.example.com/api/assets/"}))
    with pytest.raises(ConfigurationError, match=r"redirects to https://dam\.example\.com/api/ass"):
        asked(HEAD + LIST, wire)


def test_a_byte_order_mark_before_the_json_is_read_over() -> None:
    assert asked(HEAD + LIST, Wire(httpx.Response(200, content=b"\xef\xbb\xbf[]"))) == []


def test_an_answer_without_the_list_shows_how_it_begins() -> None:
    wire = Wire(httpx.Response(200, json={"status": "error", "message": "unknown field modified"}))
    with pytest.raises(ConfigurationError, match="unknown field modified"):
        asked(HEAD + LIST, wire)


@pytest.mark.parametrize(
    ("expression", "data", "found"),
    [
        ("entries(@)[].{id: key, title: value.t}", {"a": {"t": 1}}, [{"id": "a", "title": 1}]),
        ("extract(@, '/assets/([0-9]+)')", "https://x/assets/42/file", "42"),
        ("extract(@, '[0-9]+')", "gid-17", "17"),
        ("extract(@, 'x(y)')", "nothing", None),
        ("extract(gone, 'x')", {}, None),
        ("from_json(meta).title", {"meta": '{"title": "Boot"}'}, "Boot"),
        ("from_json(meta)", {"meta": ""}, None),
        (
            "json_api(@)[].[id, relationships.file.attributes.url, relationships.tags[].id]",
            {
                "data": [
                    {
                        "id": "1",
                        "relationships": {
                            "file": {"data": {"type": "file", "id": "9"}},
                            "tags": {"data": [{"type": "tag", "id": "t"}]},
                        },
                    }
                ],
                "included": [{"type": "file", "id": "9", "attributes": {"url": "/f/9"}}],
            },
            [["1", "/f/9", ["t"]]],
        ),
    ],
)
def test_what_jmespath_cannot_do_alone(expression: str, data: Any, found: Any) -> None:
    assert Expression(expression, where="test").read(data) == found


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "auth: {kind: login, request: {path: /login}}",
            "auth: object missing required field `tok",
        ),
        (
            "auth: {kind: login, request: {path: /l, verb: PUT}, token: t}",
            "auth.request.verb: no such key here",
        ),
        (
            "auth: {kind: login, request: {path: /l}, token: 't['}",
            "auth.token: 't[' is not JMESPath",
        ),
        (
            "auth: {kind: login, request: {path: /l}, token: t, value: static}",
            "auth.value: must use {{token}}",
        ),
        (
            "events: {ids: id, verify: {kind: hmac, header: X, secret: s, pattern: 'v1=(.*)'}}",
            "events.verify.pattern: needs the group (?P<signature>…)",
        ),
        (
            "events: {ids: id, verify: {kind: hmac, header: X, secret: s, pattern: '('}}",
            "events.verify.pattern: no regular expression",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key(lines: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^dam\.yaml:\d+: ") as raised:
        load_source((HEAD + LIST + lines).encode(), name="dam.yaml")
    assert said in str(raised.value)
