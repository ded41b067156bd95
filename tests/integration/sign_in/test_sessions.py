"""Sessions and one-time codes: short, of one stack, for one use, from our own pages."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import boto3
import jwt
import pytest

from pim_connector.console.sessions import (
    CODE_SECONDS,
    COOKIE,
    LONGEST_SECONDS,
    SESSION_SECONDS,
    Session,
    issue_code,
)
from pim_connector.console.tokens import derived_key
from pim_connector.console.web import Request
from pim_connector.errors import RejectedError
from tests.integration.sign_in.house import Clock, Cookies, House


def ask(house: House, path: str, *, method: str = "GET", **more: object) -> Request:
    return Request(method=method, path=path, **more)  # type: ignore[arg-type]


def signed_in(house: House, way: str = "aws") -> tuple[Session, Request]:
    """A session, and a request that carries its cookie."""
    session = house.sessions.start(subject="u1", name="Julia Stark", way=way)  # type: ignore[arg-type]
    return session, carrying(house.sessions.cookie(session))


def carrying(cookie: str, **more: object) -> Request:
    value = cookie.partition("=")[2].partition(";")[0]
    return Request(method="GET", path="/", cookies={COOKIE: value}, **more)  # type: ignore[arg-type]


def change(house: House, session: Session, token: str, **headers: str) -> None:
    body = urlencode({"token": token}).encode()
    request = Request(method="POST", path="/runs/1/revert", body=body, headers=headers)
    house.sessions.check_change(session, request)


def test_a_session_is_read_back_from_its_cookie(house: House) -> None:
    session, request = signed_in(house)
    assert house.door.session(request) == Session(
        id=session.id,
        subject="u1",
        name="Julia Stark",
        way="aws",
        started=house.clock(),
        until=house.clock() + SESSION_SECONDS,
        acts=True,
    )
    assert session.actor == "Julia Stark (AWS u1)"


def test_the_cookie_is_for_this_host_and_not_for_scripts_or_other_sites(house: House) -> None:
    cookie = house.sessions.cookie(signed_in(house)[0])
    assert cookie.startswith("__Host-")
    for attribute in ("; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=3600"):
        assert attribute in cookie
    assert "Domain" not in cookie


def test_a_session_ends_after_an_hour(house: House, clock: Clock) -> None:
    _, request = signed_in(house)
    clock.at += SESSION_SECONDS - 1
    assert house.door.session(request) is not None
    clock.at += 60
    assert house.door.session(request) is None


def test_a_session_in_use_is_renewed_until_its_day_is_over(house: House, clock: Clock) -> None:
    session, _ = signed_in(house)
    assert house.sessions.renewed(session) is None, "nothing to renew in the first half"
    started = clock.at
    last = ""
    while True:
        clock.at += SESSION_SECONDS * 0.75
        cookie = house.sessions.renewed(session)
        if cookie is None:
            break
        last = cookie
        found = house.sessions.read(carrying(cookie))
        assert found is not None
        session = found
    assert last
    assert session.until == started + LONGEST_SECONDS


def test_a_cookie_of_another_stack_or_key_is_refused(house: House) -> None:
    _, request = signed_in(house)
    for other in (
        replace(house, stack="other"),
        replace(house, key=b"another key of at least 32 bytes."),
    ):
        assert other.door.session(request) is None


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["none", "HS384"])
def test_a_cookie_with_another_algorithm_is_refused(house: House, algorithm: str) -> None:
    _, request = signed_in(house)
    claims = jwt.decode(request.cookies[COOKIE], options={"verify_signature": False})
    key = None if algorithm == "none" else derived_key(house.key, "session")
    forged = jwt.encode(claims, key, algorithm=algorithm)  # type: ignore[arg-type]  # as its documentation wants it
    assert house.door.session(Request(method="GET", path="/", cookies={COOKIE: forged})) is None


def test_a_cookie_with_other_words_in_it_is_refused(house: House) -> None:
    _, request = signed_in(house)
    head, _, signature = request.cookies[COOKIE].split(".")
    claims = jwt.decode(request.cookies[COOKIE], options={"verify_signature": False})
    payload = jwt.encode({**claims, "subject": "admin"}, "x" * 32, algorithm="HS256").split(".")[1]
    forged = {COOKIE: f"{head}.{payload}.{signature}"}
    assert house.door.session(Request(method="GET", path="/", cookies=forged)) is None


def test_a_form_token_is_no_cookie_and_of_one_session_only(house: House) -> None:
    mine, _ = signed_in(house)
    other, _ = signed_in(house)
    assert house.sessions.form_token(mine) != house.sessions.form_token(other)
    cookie = {COOKIE: house.sessions.form_token(mine)}
    assert house.door.session(Request(method="GET", path="/", cookies=cookie)) is None


def test_signing_out_ends_every_copy_of_the_cookie(house: House) -> None:
    session, request = signed_in(house)
    body = urlencode({"token": house.sessions.form_token(session)}).encode()
    left = house.answer(
        Request(method="POST", path="/sign-out", cookies=request.cookies, body=body)
    )
    assert (left.status, left.location) == (303, "/sign-in")
    assert house.door.session(request) is None


def test_another_site_cannot_sign_somebody_out(house: House) -> None:
    _, request = signed_in(house)
    left = house.answer(Request(method="POST", path="/sign-out", cookies=request.cookies))
    assert left.status == 403
    assert house.door.session(request) is not None


class TestChanges:
    """What may change something."""

    def test_a_form_of_this_session_may(self, house: House) -> None:
        session = house.door.session(signed_in(house)[1])
        assert session is not None
        change(house, session, house.sessions.form_token(session))

    def test_a_form_without_its_token_may_not(self, house: House) -> None:
        session = house.door.session(signed_in(house)[1])
        assert session is not None
        for token in ("", "0" * 64, "ä"):
            with pytest.raises(RejectedError, match="open it again"):
                change(house, session, token)

    def test_a_form_of_another_session_may_not(self, house: House) -> None:
        session = house.door.session(signed_in(house)[1])
        other = house.door.session(signed_in(house)[1])
        assert session is not None
        assert other is not None
        with pytest.raises(RejectedError, match="open it again"):
            change(house, session, house.sessions.form_token(other))

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_another_sites_page_may_not_even_with_the_token(self, house: House, site: str) -> None:
        session = house.door.session(signed_in(house)[1])
        assert session is not None
        with pytest.raises(RejectedError, match="another site"):
            change(house, session, house.sessions.form_token(session), **{"sec-fetch-site": site})

    def test_a_link_may_not(self, house: House) -> None:
        session = house.door.session(signed_in(house)[1])
        assert session is not None
        with pytest.raises(RejectedError, match="POST"):
            house.sessions.check_change(session, Request(method="GET", path="/runs/1/revert"))

    def test_somebody_who_only_looks_may_not(self, house: House) -> None:
        owner, _ = signed_in(house)
        house.people.narrow(only_marked=True, by=owner)
        session = house.door.session(signed_in(house, way="pim")[1])
        assert session is not None
        assert not session.acts
        with pytest.raises(RejectedError, match="may look"):
            change(house, session, house.sessions.form_token(session))


class TestCodes:
    """`pim-connector console`: AWS rights vouch, five minutes, once."""

    def use(self, house: House, code: str) -> tuple[int, str]:
        answer = house.answer(ask(house, "/sign-in", query={"code": code, "next": "/runs"}))
        return answer.status, answer.location

    def test_a_code_signs_in_once(self, house: House) -> None:
        code = issue_code(house.one_time, subject="arn:aws:iam::1:user/ops", name="ops")
        answer = house.answer(ask(house, "/sign-in", query={"code": code, "next": "/runs"}))
        assert (answer.status, answer.location) == (303, "/runs")
        cookies = Cookies()
        cookies.keep(answer)
        session = house.door.session(Request(method="GET", path="/", cookies=cookies.held))
        assert session is not None
        assert (session.actor, session.acts) == ("ops (AWS arn:aws:iam::1:user/ops)", True)
        assert self.use(house, code) == (403, "")

    def test_a_code_is_good_for_five_minutes(self, house: House, clock: Clock) -> None:
        early, late = (issue_code(house.one_time, subject="a", name="a") for _ in range(2))
        clock.at += CODE_SECONDS - 1
        assert self.use(house, early)[0] == 303
        clock.at += 1
        assert self.use(house, late)[0] == 403

    def test_a_code_is_taken_however_it_is_typed(self, house: House) -> None:
        code = issue_code(house.one_time, subject="a", name="a")
        typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
        body = urlencode({"code": typed}).encode()
        answer = house.answer(ask(house, "/sign-in", method="POST", body=body))
        assert answer.status == 303

    def test_a_code_from_another_sites_form_is_refused_and_stays_good(self, house: House) -> None:
        code = issue_code(house.one_time, subject="a", name="a")
        request = ask(
            house,
            "/sign-in",
            method="POST",
            body=urlencode({"code": code}).encode(),
            headers={"sec-fetch-site": "cross-site"},
        )
        assert house.answer(request).status == 403
        assert self.use(house, code)[0] == 303

    def test_the_table_does_not_hold_the_code(self, house: House) -> None:
        code = issue_code(house.one_time, subject="a", name="a")
        items = boto3.client("dynamodb").scan(TableName="StateTable")["Items"]
        assert items
        assert code.replace("-", "") not in str(items)
        assert code not in str(items)

    def test_a_state_is_no_code(self, house: House) -> None:
        house.one_time.issue("state", "7K2M90QX7K2M90QX", seconds=60)
        assert self.use(house, "7K2M-90QX-7K2M-90QX")[0] == 403

    def test_signing_in_ignores_the_session_that_the_browser_brought(self, house: House) -> None:
        planted, request = signed_in(house)
        code = issue_code(house.one_time, subject="a", name="a")
        answer = house.answer(
            Request(method="GET", path="/sign-in", query={"code": code}, cookies=request.cookies)
        )
        cookies = Cookies()
        cookies.keep(answer)
        session = house.door.session(Request(method="GET", path="/", cookies=cookies.held))
        assert session is not None
        assert session.id != planted.id

    @pytest.mark.parametrize(
        "elsewhere",
        ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil"],
    )
    def test_nobody_is_sent_to_another_site(self, house: House, elsewhere: str) -> None:
        code = issue_code(house.one_time, subject="a", name="a")
        answer = house.answer(ask(house, "/sign-in", query={"code": code, "next": elsewhere}))
        assert (answer.status, answer.location) == (303, "/")


class TestPeople:
    """Who may act: everybody the PIM lets in, or the marked."""

    def visit(self, house: House, subject: str, name: str = "Somebody") -> Session:
        house.people.met(subject, name)
        session = house.sessions.start(subject=subject, name=name, way="pim")
        found = house.door.session(carrying(house.sessions.cookie(session)))
        assert found is not None
        return found

    def test_at_first_everybody_who_opens_the_app_may_act(self, house: House) -> None:
        assert self.visit(house, "u1").acts

    def test_when_narrowed_only_the_marked_may_and_at_once(self, house: House) -> None:
        julia, peter = self.visit(house, "julia"), self.visit(house, "peter")
        house.people.narrow(only_marked=True, by=julia)
        assert self.visit(house, "julia").acts, "whoever narrows it keeps the right"
        assert not self.visit(house, "peter").acts
        house.people.mark("peter", acts=True, by=julia)
        cookie = house.sessions.cookie(peter)
        assert house.door.session(carrying(cookie)).acts  # type: ignore[union-attr]
        house.people.mark("peter", acts=False, by=julia)
        assert not house.door.session(carrying(cookie)).acts  # type: ignore[union-attr]

    def test_signing_in_again_keeps_the_mark_and_brings_the_new_name(self, house: House) -> None:
        julia = self.visit(house, "julia")
        house.people.narrow(only_marked=True, by=julia)
        assert self.visit(house, "julia", "Julia Stark-Weber").acts
        assert [person.name for person in house.people.all()] == ["Julia Stark-Weber"]

    def test_nobody_takes_the_right_from_themselves(self, house: House) -> None:
        julia = self.visit(house, "julia")
        with pytest.raises(RejectedError, match="yourself"):
            house.people.mark("julia", acts=False, by=julia)

    def test_nobody_is_marked_who_never_came(self, house: House) -> None:
        julia = self.visit(house, "julia")
        for stranger in ("stranger", "#rule", ""):
            with pytest.raises(RejectedError):
                house.people.mark(stranger, acts=True, by=julia)
        assert not house.people.only_marked()
