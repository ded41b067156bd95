"""Bulk upserts: every line ends with exactly one outcome, whatever the PIM does to the call."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pim_connector.akeneo import (
    CredentialsError,
    ForbiddenError,
    LineOutcome,
    Problem,
    Refused,
    Unanswered,
    Upserted,
)
from pim_connector.errors import ConfigurationError, TransientError
from tests.unit.akeneo.pim import (
    Behaviour,
    Line,
    Pim,
    app_token,
    cut_after,
    fails,
    lines_fail,
    products,
    refuses,
    says,
    streamed,
    too_big_for,
)


def sent(pim: Pim) -> list[int]:
    return [len(call) for call in pim.calls]


def accepted(outcomes: list[LineOutcome]) -> list[int]:
    return [outcome.line for outcome in outcomes if isinstance(outcome, Upserted)]


def test_a_hundred_lines_go_in_one_call_and_every_line_is_answered() -> None:
    pim = Pim()
    pim.stored["sku-2"] = {}
    outcomes = pim.client().upsert_products(products(100))
    assert sent(pim) == [100]
    assert outcomes[:2] == [Upserted(line=1, created=True), Upserted(line=2, created=False)]
    assert accepted(outcomes) == list(range(1, 101))


def test_nothing_to_send_is_no_call() -> None:
    pim = Pim()
    assert pim.client().upsert_products([]) == []
    assert pim.calls == []


def test_more_than_a_hundred_lines_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="101 lines"):
        Pim().client().upsert_products(products(101))


def test_a_product_the_pim_refuses_does_not_block_the_rest_of_its_batch() -> None:
    pim = Pim()

    def refuse_second(pim: Pim, _request: httpx.Request, lines: list[Line]) -> httpx.Response:
        first, _, third = pim.results(lines)
        problem = {
            "property": "values",
            "message": "The blue value is not in the color attribute option list.",
            "attribute": "color",
            "locale": None,
            "scope": "ecommerce",
        }
        no = {"line": 2, "identifier": "sku-2", "status_code": 422, "message": "Validation failed."}
        return streamed([first, {**no, "errors": [problem, "nonsense"]}, third])

    pim.script.append(refuse_second)
    outcomes = pim.client().upsert_products(products(3))
    assert accepted(outcomes) == [1, 3]
    assert outcomes[1] == Refused(
        line=2,
        status=422,
        message="Validation failed.",
        errors=(
            Problem(
                property="values",
                message="The blue value is not in the color attribute option list.",
                attribute="color",
                scope="ecommerce",
            ),
        ),
    )


def test_an_error_without_the_products_key_is_told_by_its_line() -> None:
    pim = Pim()
    pim.script.append(
        lambda *_: streamed(
            [
                {"line": 2, "status_code": 422, "message": "Identifier is missing."},
                {"line": 1, "identifier": "sku-1", "status_code": 201},
            ]
        )
    )
    outcomes = pim.client().upsert_products(products(2))
    assert outcomes == [
        Upserted(line=1, created=True),
        Refused(line=2, status=422, message="Identifier is missing."),
    ]


def test_the_early_spelling_of_a_failed_uuid_lines_status_is_read() -> None:
    pim = Pim()
    pim.script.append(lambda *_: streamed([{"line": 1, "code": 422, "message": "No."}]))
    outcomes = pim.client().upsert_products_uuid([{"uuid": "x"}])
    assert outcomes == [Refused(line=1, status=422, message="No.")]


def test_a_right_missing_for_one_product_refuses_that_line_only() -> None:
    pim = Pim()
    pim.script.append(lines_fail({1: 403}, "Not allowed."))
    outcomes = pim.client().upsert_products(products(2))
    assert outcomes == [
        Refused(line=1, status=403, message="Not allowed."),
        Upserted(line=2, created=True),
    ]


@pytest.mark.parametrize("how", [{}, {"breaks": True}, {"inside": True}])
def test_lines_after_the_cut_are_sent_again_alone(how: dict[str, bool]) -> None:
    pim = Pim()
    pim.script.append(cut_after(60, **how))
    outcomes = pim.client().upsert_products(products(100))
    assert accepted(outcomes) == list(range(1, 101))
    assert sent(pim) == [100, 40]
    assert pim.calls[1][0]["identifier"] == "sku-61"


def test_answers_cut_again_and_again_are_no_reason_to_give_up_while_lines_get_through() -> None:
    pim = Pim()
    pim.always = cut_after(1)
    assert accepted(pim.client(tries=5).upsert_products(products(20))) == list(range(1, 21))
    assert sent(pim) == list(range(20, 0, -1))


def test_a_line_that_makes_the_pim_break_off_does_not_keep_the_others_out() -> None:
    pim = Pim()

    def dies_of_sku_3(pim: Pim, _request: httpx.Request, lines: list[Line]) -> httpx.Response:
        keys = [line["identifier"] for line in lines]
        return cut_after(keys.index("sku-3") if "sku-3" in keys else len(keys))(
            pim, _request, lines
        )

    pim.always = dies_of_sku_3
    outcomes = pim.client().upsert_products(products(10))
    assert accepted(outcomes) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert isinstance(outcomes[2], Unanswered)


def test_a_line_the_pim_could_not_save_now_is_sent_again() -> None:
    pim = Pim()
    pim.script.append(lines_fail({2: 500, 4: 429}))
    outcomes = pim.client().upsert_products(products(5))
    assert accepted(outcomes) == [1, 2, 3, 4, 5]
    assert sent(pim) == [5, 2]


def test_a_line_on_which_alone_the_pim_fails_is_refused_after_all_tries() -> None:
    pim = Pim()

    def breaks_on_sku_2(pim: Pim, request: httpx.Request, lines: list[Line]) -> httpx.Response:
        keys = [line["identifier"] for line in lines]
        bad = {keys.index("sku-2") + 1: 500} if "sku-2" in keys else {}
        return lines_fail(bad, "Internal Server Error")(pim, request, lines)

    pim.always = breaks_on_sku_2
    outcomes = pim.client(tries=5).upsert_products(products(3))
    assert outcomes[1] == Refused(line=2, status=500, message="Internal Server Error")
    assert accepted(outcomes) == [1, 3]
    assert sent(pim) == [3, 1, 1, 1, 1]


def test_a_pim_that_fails_on_every_line_is_down_and_no_record_is_to_blame() -> None:
    pim = Pim()
    pim.always = lines_fail({1: 500, 2: 500}, "Internal Server Error")
    with pytest.raises(TransientError, match="500 Internal Server Error"):
        pim.client().upsert_products(products(2))


def test_a_model_refused_before_its_parent_passed_is_sent_once_more() -> None:
    pim = Pim()

    def parent_first(pim: Pim, _request: httpx.Request, lines: list[Line]) -> httpx.Response:
        results = []
        for number, line in enumerate(lines, start=1):
            if line["code"] == "root" and len(pim.calls) == 1:
                results.append({"line": number, "code": "root", "status_code": 500})
            elif line.get("parent", "root") not in {*pim.stored, line["code"]}:
                results.append({"line": number, "code": line["code"], "status_code": 422})
            else:
                results.append(pim._save(number, line))
        return streamed(results)

    pim.always = parent_first
    models = [{"code": "root"}, {"code": "sub", "parent": "root"}, {"code": "bad", "parent": "?"}]
    outcomes = pim.client().upsert_product_models(models)
    assert accepted(outcomes) == [1, 2]
    assert isinstance(outcomes[2], Refused)
    assert [[line["code"] for line in call] for call in pim.calls] == [
        ["root", "sub", "bad"],
        ["root"],
        ["sub", "bad"],
    ]


def test_a_model_refused_for_want_of_an_unanswered_parent_is_not_told_as_refused() -> None:
    pim = Pim()

    def never_root(pim: Pim, _request: httpx.Request, lines: list[Line]) -> httpx.Response:
        status = {"root": 503, "sub": 422, "other": 201}
        return streamed(
            [
                {"line": number, "code": line["code"], "status_code": status[line["code"]]}
                for number, line in enumerate(lines, start=1)
            ]
        )

    pim.always = never_root
    left = iter([*[60.0] * 6, *[0.5] * 9])
    client = pim.client(app_token(pim), deadline=lambda: next(left))
    outcomes = client.upsert_product_models([{"code": c} for c in ("other", "root", "sub")])
    assert accepted(outcomes) == [1]
    assert isinstance(outcomes[1], Unanswered)
    assert isinstance(outcomes[2], Unanswered)


@pytest.mark.parametrize("status", [403, 413])
def test_a_batch_too_large_for_the_platform_is_halved_until_it_passes(status: int) -> None:
    pim = Pim()
    pim.always = too_big_for(1200, status)
    outcomes = pim.client().upsert_products(products(100))
    assert accepted(outcomes) == list(range(1, 101))
    assert sent(pim)[:4] == [100, 50, 25, 25]
    assert pim.clock.slept == []


@pytest.mark.parametrize("status", [403, 413])
def test_a_single_record_too_large_for_the_platform_is_refused_alone(status: int) -> None:
    pim = Pim()
    pim.always = too_big_for(1000, status)
    lines = [{"identifier": "huge", "values": "x" * 2000}, *products(3)]
    outcomes = pim.client().upsert_products(lines)
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].status == status
    assert accepted(outcomes) == [2, 3, 4]


def test_a_missing_right_stops_everything_and_says_where_to_give_it() -> None:
    pim = Pim()
    pim.always = refuses(403, "Access forbidden. You are not allowed to create products.")
    with pytest.raises(
        ForbiddenError, match=r"not allowed to create products.*Web API permissions"
    ):
        pim.client().upsert_products(products(100))
    assert len(pim.calls) <= 9
    assert pim.calls[-1] == []


@pytest.mark.parametrize("status", [404, 405, 415, 301])
def test_a_call_that_can_never_pass_is_a_matter_of_configuration(status: int) -> None:
    pim = Pim()
    pim.always = refuses(status)
    with pytest.raises(ConfigurationError):
        pim.client().upsert_assets("packshots", [{"code": "a"}])
    assert len(pim.calls) == 1


def test_a_login_page_is_not_taken_for_a_cut_answer() -> None:
    pim = Pim()
    pim.always = lambda *_: httpx.Response(200, html="<h1>Log in</h1>")
    with pytest.raises(ConfigurationError, match="login page"):
        pim.client().upsert_products(products(1))
    assert len(pim.calls) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("Fri, 15 Jan 2027 08:00:09 GMT", 9.0)],
)
def test_a_throttling_pim_is_waited_for_as_long_as_it_asks(value: str, seconds: float) -> None:
    pim = Pim()
    pim.script.append(refuses(429, "Slow down.", {"Retry-After": value}))
    assert len(accepted(pim.client().upsert_products(products(2)))) == 2
    assert pim.clock.slept == [seconds]


@pytest.mark.parametrize("value", [None, "soon", "0", "-3", "nan", "Fri, 99 Foo 2027"])
def test_without_a_usable_retry_after_pauses_double_with_full_jitter(value: str | None) -> None:
    pim = Pim()
    headers = {"Retry-After": value} if value else None
    pim.script.extend([refuses(429, headers=headers), refuses(503), refuses(504), refuses(408)])
    draws = iter([1.0, 0.5, 1.0, 0.0])
    outcomes = pim.client(jitter=lambda: next(draws)).upsert_products(products(2))
    assert len(accepted(outcomes)) == 2
    assert pim.clock.slept == [0.5, 0.5, 2.0, 0.0]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout]
)
def test_a_pim_that_does_not_answer_is_tried_six_times_and_then_left_to_the_queue(
    error: type[httpx.TransportError],
) -> None:
    pim = Pim()
    pim.always = fails(error)
    with pytest.raises(TransientError):
        pim.client().upsert_products(products(2))
    assert len(pim.calls) == 6


def test_a_wait_longer_than_the_time_left_is_left_to_the_queue_with_its_length() -> None:
    pim = Pim()
    pim.always = refuses(429, headers={"Retry-After": "120"})
    client = pim.client().within(lambda: 60.0)
    with pytest.raises(TransientError) as caught:
        client.upsert_products(products(1))
    assert caught.value.retry_after == 120.0
    assert pim.clock.slept == []
    assert len(pim.calls) == 1


def test_with_no_time_left_nothing_is_sent() -> None:
    pim = Pim()
    with pytest.raises(TransientError, match="no time left"):
        pim.client(deadline=lambda: 0.0).upsert_products(products(1))
    assert pim.paths == []


def test_an_answer_that_takes_longer_than_the_time_left_counts_as_far_as_it_came() -> None:
    pim = Pim()
    left = iter([30.0, 30.0, 20.0, 10.0, *[0.0] * 20])
    outcomes = pim.client(app_token(pim), deadline=lambda: next(left)).upsert_products(products(5))
    assert accepted(outcomes) == [1, 2, 3]
    assert outcomes[3:] == [
        Unanswered(line=line, message="PATCH products: the PIM's answer ended before its last line")
        for line in (4, 5)
    ]


def test_what_was_accepted_before_the_pim_went_down_is_not_forgotten() -> None:
    pim = Pim()
    pim.script.append(cut_after(3))
    pim.always = refuses(503, "Maintenance")
    outcomes = pim.client().upsert_products(products(5))
    assert accepted(outcomes) == [1, 2, 3]
    assert isinstance(outcomes[3], Unanswered)
    assert "503 Maintenance" in outcomes[3].message


def test_credentials_that_end_in_the_middle_leave_the_rest_unanswered_and_then_raise() -> None:
    pim = Pim()

    def revoke(pim: Pim, request: httpx.Request, lines: list[Line]) -> httpx.Response:
        pim.valid.clear()
        pim.token_answers.extend([lambda: says(422), lambda: says(422, "No user found")] * 2)
        return cut_after(1)(pim, request, lines)

    pim.script.append(revoke)
    client = pim.client()
    outcomes = client.upsert_products(products(2))
    assert accepted(outcomes) == [1]
    assert isinstance(outcomes[1], Unanswered)
    with pytest.raises(CredentialsError):
        client.upsert_products(products(2)[1:])


def test_a_line_longer_than_the_pim_takes_is_refused_here_and_the_others_go() -> None:
    pim = Pim()
    fits = {"identifier": "fits", "v": ""}
    fits["v"] = "x" * (1_000_000 - len('{"identifier":"fits","v":""}'))
    long = {**fits, "v": fits["v"] + "ü"}
    outcomes = pim.client().upsert_products([long, fits])
    assert accepted(outcomes) == [2]
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].status == 413
    assert "1000002 bytes" in outcomes[0].message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_a_value_json_does_not_have_refuses_its_record_only(value: Any) -> None:
    pim = Pim()
    outcomes = pim.client().upsert_products([{"identifier": "a", "v": value}, *products(1)])
    assert isinstance(outcomes[0], Refused)
    assert "cannot be written as JSON" in outcomes[0].message
    assert accepted(outcomes) == [2]


def test_asset_answers_are_told_by_their_place_and_checked_by_their_code() -> None:
    pim = Pim()
    pim.script.append(
        lambda *_: httpx.Response(
            200,
            json=[
                {"code": "A", "status_code": 204},
                {"code": "", "status_code": 422, "message": "The asset has an invalid format."},
                {"code": "somebody_else", "status_code": 204},
            ],
        )
    )
    outcomes = pim.client().upsert_assets("packshots", [{"code": code} for code in "abc"])
    assert outcomes == [
        Upserted(line=1, created=False),
        Refused(line=2, status=422, message="The asset has an invalid format."),
        Upserted(line=3, created=True),
    ]
    assert [[line["code"] for line in call] for call in pim.calls] == [["a", "b", "c"], ["c"]]


def test_an_array_answer_that_is_cut_tells_nothing_and_is_asked_for_again() -> None:
    pim = Pim()
    pim.script.append(lambda *_: httpx.Response(200, content=b'[{"code":"a","status_code":201},'))
    outcomes = pim.client().upsert_assets("packshots", [{"code": "a"}, {"code": "b"}])
    assert accepted(outcomes) == [1, 2]


def test_option_writes_keep_the_pace_in_every_call() -> None:
    pim = Pim()

    class Counted:
        waits = 0

        def wait(self) -> None:
            self.waits += 1

    pace = Counted()
    pim.script.append(refuses(429))
    client = pim.client(pace=pace)
    assert accepted(client.upsert_attribute_options("color", [{"code": "red"}])) == [1]
    client.upsert_products(products(1))
    assert pace.waits == 2


def test_missing_options_may_be_left_to_a_saas_pim() -> None:
    pim = Pim()
    pim.client().upsert_products(products(1), create_missing_options=True)
    assert pim.paths[-1] == "PATCH /api/rest/v1/products?create_missing_options=true"


FAULTS = st.one_of(
    st.integers(0, 8).map(cut_after),
    st.integers(0, 8).map(lambda count: cut_after(count, breaks=True)),
    st.integers(0, 8).map(lambda count: cut_after(count, inside=True)),
    st.sampled_from([429, 500, 502, 503, 504, 408]).map(refuses),
    st.sampled_from([httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError]).map(fails),
    st.dictionaries(st.integers(1, 8), st.sampled_from([429, 500, 503]), max_size=4).map(
        lines_fail
    ),
    st.dictionaries(st.integers(1, 8), st.just(422), max_size=4).map(lines_fail),
)


@settings(max_examples=300, deadline=None)
@given(count=st.integers(0, 8), faults=st.lists(FAULTS, max_size=12))
def test_every_line_ends_with_one_outcome_and_no_answered_line_is_sent_again(
    count: int, faults: list[Behaviour]
) -> None:
    pim = Pim()

    def watched(fault: Behaviour) -> Behaviour:
        def behave(pim: Pim, request: httpx.Request, lines: list[Line]) -> httpx.Response:
            before = {line["identifier"] for line in lines} & pim.stored.keys()
            assert not before, f"sent again although the PIM has answered: {before}"
            return fault(pim, request, lines)

        return behave

    pim.script.extend(watched(fault) for fault in faults)
    pim.always = watched(Pim.takes)
    try:
        outcomes = pim.client(app_token(pim)).upsert_products(products(count))
    except TransientError:
        assert not pim.stored, "the PIM took lines, and the caller was not told"
        return
    assert [outcome.line for outcome in outcomes] == list(range(1, count + 1))
    told = {f"sku-{line}" for line in accepted(outcomes)}
    assert told == pim.stored.keys()
