"""What goes over the wire for what a source file says, byte for byte."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable

import httpx
import pytest

from pim_connector.dam.client import DamClient, Gone
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import load_source
from pim_connector.dam.pages import Position
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

HEAD = """
source: dam
base_url: https://dam.example.com/api
updated: at
"""
LIST = """
list: {path: /assets, mode: full, pagination: {kind: offset}, items: "@",
       params: {offset: "{{offset}}", limit: "{{limit}}"}}
"""


class Wire:
    """Records requests and answers each with the next of `answers`, the last one for ever."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self.answers = list(answers or [httpx.Response(200, json=[])])
        self.waited: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def query(self) -> str:
        return self.requests[-1].url.query.decode()


def client(text: str, wire: Callable[[httpx.Request], httpx.Response], **secrets: str) -> DamClient:
    waited = wire.waited if isinstance(wire, Wire) else []
    clocks = Clocks(
        now=lambda: 1e9 + sum(waited),
        sleep=waited.append,
        jitter=lambda: 0.5,
        time_left=lambda: 600.0 - sum(waited),
    )
    source = load_source(text.encode(), name="dam.yaml")
    return DamClient(source, secrets, transport=httpx.MockTransport(wire), clocks=clocks)


def ask(text: str, wire: Wire, **secrets: str) -> None:
    with client(text, wire, **secrets) as dam:
        for _ in dam.changes(Position()):
            pass


def test_brackets_repeated_parameters_and_types_go_out_as_written() -> None:
    wire = Wire()
    ask(
        HEAD
        + """
since: {format: iso_z}
list:
  path: /assets?site=1
  params:
    "filter[updated_on][_gte]": "{{since}}"
    fields: [id, title, "a b"]
    "pagination[pageSize]": "{{limit}}"
    "pagination[page]": "{{page}}"
    archived: false
    q: "modified:[{{since}} TO *] & x=y"
  pagination: {kind: page, size: 25}
""",
        wire,
    )
    assert wire.requests[0].url.path == "/api/assets"
    assert wire.query == (
        "site=1&filter%5Bupdated_on%5D%5B_gte%5D=1970-01-01T00%3A00%3A00Z"
        "&fields=id&fields=title&fields=a%20b&pagination%5BpageSize%5D=25&pagination%5Bpage%5D=1"
        "&archived=false&q=modified%3A%5B1970-01-01T00%3A00%3A00Z%20TO%20%2A%5D%20%26%20x%3Dy"
    )


def test_graphql_variables_keep_their_types_and_a_missing_cursor_is_left_out() -> None:
    wire = Wire(httpx.Response(200, json={"data": {"a": {"n": [], "p": {}}}}))
    ask(
        HEAD
        + """
since: {format: epoch_ms}
list:
  method: POST
  path: /graphql
  body:
    query: "query($l: Int!) { a { n { id } } }"
    variables: {l: "{{limit:int}}", t: "{{since:int}}", s: "{{since:str}}", c: "{{cursor}}"}
  items: data.a.n
  pagination: {kind: cursor, next: data.a.p.c, size: 7}
""",
        wire,
    )
    assert wire.requests[0].headers["content-type"] == "application/json"
    assert json.loads(wire.requests[0].content)["variables"] == {"l": 7, "t": 0, "s": "0"}


def test_a_form_is_sent_as_a_form() -> None:
    wire = Wire()
    ask(
        HEAD
        + """
list: {method: POST, path: /search, form: {q: "all of it", start: "{{offset}}", n: "{{limit}}"},
       mode: full, pagination: {kind: offset}}
""",
        wire,
    )
    assert wire.requests[0].content == b"q=all+of+it&start=0&n=100"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ('{kind: bearer, token: "{{secret.key}}"}', "authorization", "Bearer k3y!"),
        (
            '{kind: basic, username: me, password: "{{secret.key}}"}',
            "authorization",
            "Basic bWU6azN5IQ==",
        ),
        ('{kind: header, name: X-Api-Key, value: "Key {{secret.key}}"}', "x-api-key", "Key k3y!"),
    ],
)
def test_credentials_go_into_headers(auth: str, header: str, value: str) -> None:
    wire = Wire()
    ask(HEAD + LIST + f"auth: {auth}", wire, key="k3y!")
    assert wire.requests[0].headers[header] == value


def test_a_key_in_the_query_stands_behind_the_rest() -> None:
    wire = Wire()
    ask(HEAD + LIST + 'auth: {kind: query, name: apikey, value: "{{secret.key}}"}', wire, key="a&b")
    assert wire.query == "offset=0&limit=100&apikey=a%26b"


def test_a_signer_signs_the_query_exactly_as_it_is_sent() -> None:
    wire = Wire()
    signer = 'auth: {kind: signer, message: "{{secret.key}}{{query}}", parameter: sign}'
    ask(HEAD + LIST + signer, wire, key="private")
    query = "offset=0&limit=100"
    digest = hashlib.sha256(f"private{query}".encode()).hexdigest()
    assert wire.query == f"{query}&sign={digest}"


def test_a_signer_with_a_key_makes_an_hmac_in_a_header() -> None:
    wire = Wire()
    signer = (
        'auth: {kind: signer, message: "{{method}} {{path}}?{{query}}", key: "{{secret.key}}",'
        " algorithm: sha512, header: X-Signature}"
    )
    ask(HEAD + LIST + signer, wire, key="private")
    message = b"GET /api/assets?offset=0&limit=100"
    digest = hmac.new(b"private", message, "sha512").hexdigest()
    assert wire.requests[0].headers["x-signature"] == digest


def test_client_credentials_are_exchanged_for_a_token_and_again_when_it_expires() -> None:
    tokens = iter(["first", "second"])
    asked: list[str] = []

    def dam(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/oauth/token":
            asked.append(request.read().decode())
            return httpx.Response(200, json={"access_token": next(tokens)})
        expired = request.headers["authorization"] == "Bearer first" and len(seen) > 0
        seen.append(request.headers["authorization"])
        return httpx.Response(401 if expired else 200, json={"data": {"id": 1, "at": None}})

    seen: list[str] = []
    auth = """
auth: {kind: oauth2_client_credentials, token_url: oauth/token, client_id: me, scope: "a b",
       client_secret: "{{secret.key}}"}
item: {get: "/assets/{{id}}", item: data}
"""
    with client(HEAD + LIST + auth, dam, key="s3cret") as found:
        found.asset("1")
        found.asset("1")
    form = "grant_type=client_credentials&scope=a+b&client_id=me&client_secret=s3cret"
    assert asked == [form, form]
    assert seen == ["Bearer first", "Bearer first", "Bearer second"]


def test_a_refused_client_is_a_configuration_error_without_its_secret() -> None:
    auth = """
auth: {kind: oauth2_client_credentials, token_url: oauth/token, client_id: me,
       client_secret: "{{secret.key}}"}
"""
    with pytest.raises(ConfigurationError, match="client_secret") as caught:
        ask(HEAD + LIST + auth, Wire(httpx.Response(400, json={"error": "x"})), key="s3cret")
    assert "s3cret" not in str(caught.value)


def test_a_secret_never_stands_in_an_error_even_if_the_dam_repeats_it() -> None:
    wire = Wire(httpx.Response(403, text="key top/secret is not known"))
    with pytest.raises(ConfigurationError) as caught:
        ask(
            HEAD + LIST + 'auth: {kind: query, name: k, value: "{{secret.key}}"}',
            wire,
            key="top/secret",
        )
    assert "top/secret" not in str(caught.value)
    assert "top%2Fsecret" not in str(caught.value)
    assert "403" in str(caught.value)


def test_an_id_with_slashes_is_one_part_of_the_path() -> None:
    wire = Wire(httpx.Response(200, json={"id": "a/b c", "at": "2026-01-01T00:00:00Z"}))
    with client(HEAD + LIST + 'item: {get: "/assets/{{id}}"}', wire) as dam:
        row = dam.asset("a/b c")
    assert not isinstance(row, Gone)
    assert row.ids == ("a/b c",)
    assert wire.requests[0].url.raw_path == b"/api/assets/a%2Fb%20c"


@pytest.mark.parametrize("status", [403, 404])
def test_only_what_the_source_says_means_gone(status: int) -> None:
    item = 'item: {get: "/assets/{{id}}", gone_status: [403]}'
    with client(HEAD + LIST + item, Wire(httpx.Response(status, json={}))) as dam:
        if status == 403:
            assert dam.asset("1") == Gone(id="1", status=403)
        else:
            with pytest.raises(ConfigurationError, match="404"):
                dam.asset("1")


def test_an_answer_can_say_gone_with_200() -> None:
    item = 'item: {get: "/assets/{{id}}", gone_when: "@ == `false`"}'
    with client(HEAD + LIST + item, Wire(httpx.Response(200, json=False))) as dam:
        assert isinstance(dam.asset("1"), Gone)
    nothing = client(HEAD + LIST + item, Wire(httpx.Response(200, json=[])))
    with nothing as dam, pytest.raises(RejectedError, match=r"item\.item"):
        dam.asset("1")


def test_a_throttled_request_is_sent_again_when_the_dam_says() -> None:
    wire = Wire(
        httpx.Response(420, headers={"X-RateLimit-Reset": "17"}),
        httpx.Response(503),
        httpx.Response(200, json=[]),
    )
    ask(HEAD + LIST, wire)
    assert wire.waited == [17, 1.0]


def test_a_wait_that_is_too_long_is_left_to_the_next_poll() -> None:
    wire = Wire(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(TransientError, match="next poll") as caught:
        ask(HEAD + LIST, wire)
    assert caught.value.retry_after == 3600
    assert wire.waited == []


def test_requests_keep_the_distance_that_the_dam_asks_for() -> None:
    pages = [httpx.Response(200, json=[{"id": n}, {"id": n + 1}]) for n in range(3)]
    wire = Wire(*pages, httpx.Response(200, json=[]))
    ask(HEAD + LIST.replace("{kind: offset}", "{kind: offset, size: 2}") + "rate: {per_s: 4}", wire)
    assert wire.waited
    assert set(wire.waited) == {0.25}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>Log in</html>"), "not JSON"),
        (httpx.Response(200, content=b'[{"id": "\xff"}]'), "not JSON"),
        (httpx.Response(200, content=b"[" * 100_000), "not JSON"),
        (httpx.Response(200, json={"errors": [{"message": "no field x"}]}), "no field x"),
        (httpx.Response(302, headers={"Location": "https://x.example"}), "302"),
        (httpx.Response(200, json=[{"id": 1, "at": "new"}]), "'new' is not iso"),
    ],
)
def test_an_answer_that_is_none_stops_the_source(answer: httpx.Response, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ask(HEAD + LIST, Wire(answer))


def test_credentials_are_not_sent_to_another_host() -> None:
    text = HEAD + "list: {path: /a, mode: full, pagination: {kind: next_url, next: next}, items: d}"
    wire = Wire(httpx.Response(200, json={"d": [{"id": 1}], "next": "https://evil.example/a"}))
    with pytest.raises(ConfigurationError, match=r"evil\.example"):
        ask(text, wire)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("next_", ["/api/a?page=2", "http://dam.example.com/api/a?page=2"])
def test_a_next_address_keeps_the_scheme_and_host_of_the_source(next_: str) -> None:
    text = HEAD + "list: {path: /a, mode: full, pagination: {kind: next_url, next: next}, items: d}"
    wire = Wire(
        httpx.Response(200, json={"d": [{"id": 1}], "next": next_}),
        httpx.Response(200, json={"d": [], "next": None}),
    )
    ask(text, wire)
    assert str(wire.requests[1].url) == "https://dam.example.com/api/a?page=2"


def test_a_feed_is_taken_up_with_the_mark_it_gave_and_anew_when_that_expired() -> None:
    text = (
        HEAD
        + """
list: {path: /sync, params: {initial: "true"}, items: items,
       pagination: {kind: token, next: nextPageUrl, last: nextSyncUrl}}
"""
    )
    first = {"items": [{"id": 1}], "nextSyncUrl": "https://dam.example.com/sync?token=t1"}
    second = {"items": [{"id": 2}], "nextSyncUrl": "https://dam.example.com/sync?token=t2"}
    wire = Wire(
        httpx.Response(200, json=first),
        httpx.Response(200, json=second),
        httpx.Response(410, json={}),
        httpx.Response(200, json=first),
    )
    position = Position()
    with client(text, wire) as dam:
        for _ in range(3):
            steps = list(dam.changes(position))
            position = steps[-1].position
    queries = [request.url.query.decode() for request in wire.requests]
    assert queries == ["initial=true", "token=t1", "token=t2", "initial=true"]
