from __future__ import annotations

from pim_connector.akeneo import Problem as PimProblem
from pim_connector.akeneo import Refused, Unanswered, Upserted
from pim_connector.products.lines import Accepted, Line, Turned, Unknown
from pim_connector.products.sending import judge
from tests.unit.delivery.examples import line, value

NAME, PRICE = value("name", "Boot"), value("price", "x")


def refusal(*errors: PimProblem) -> Refused:
    return Refused(line=1, status=422, message="Validation failed.", errors=errors)


def on(attribute: str, locale: str | None = None) -> PimProblem:
    return PimProblem(property="values", message="is wrong", attribute=attribute, locale=locale)


def test_a_product_the_pim_took_is_accepted() -> None:
    sent = line(NAME)

    assert judge(sent, Upserted(line=1, created=True)) == Accepted(line=sent, created=True)


def test_a_part_that_created_a_product_is_followed_by_the_whole() -> None:
    partial = line(NAME, PRICE, sent=(PRICE,), whole=False)

    again = judge(partial, Upserted(line=1, created=True))

    assert isinstance(again, Line)
    assert again.slots == (NAME, PRICE)
    assert judge(again, Upserted(line=1, created=False)) == Accepted(line=again, created=True)


def test_a_refused_product_is_turned_down_in_the_pim_s_words() -> None:
    answer = judge(line(NAME, PRICE), refusal(on("price")))

    assert isinstance(answer, Turned)
    assert [(p.attribute, p.reason, p.value) for p in answer.problems] == [
        ("price", "is wrong", "x")
    ]


def test_a_refusal_without_details_keeps_its_message() -> None:
    answer = judge(line(NAME), Refused(line=1, status=422, message="The x family does not exist."))

    assert isinstance(answer, Turned)
    assert answer.problems[0].reason == "The x family does not exist."


def test_a_refused_value_is_left_out_and_the_rest_is_sent_if_the_mapping_says_so() -> None:
    answer = judge(line(NAME, PRICE, refused="drop_value"), refusal(on("price")))

    assert isinstance(answer, Line)
    assert answer.slots == (NAME,)
    assert answer.left_out == {PRICE.key}
    assert answer.problems[0].attribute == "price"


def test_only_the_named_locale_is_left_out() -> None:
    german, english = value("name", "ß", locale="de_DE"), value("name", "x", locale="en_US")

    answer = judge(line(german, english, refused="drop_value"), refusal(on("name", "en_US")))

    assert isinstance(answer, Line)
    assert answer.slots == (german,)


def test_a_product_is_turned_down_where_the_pim_refuses_more_than_values_that_were_sent() -> None:
    family = PimProblem(property="family", message="must not change")

    for errors in ((on("price"), family), (on("not_sent"),), ()):
        assert isinstance(judge(line(PRICE, refused="drop_value"), refusal(*errors)), Turned)


def test_no_answer_is_neither_yes_nor_no() -> None:
    sent = line(NAME)

    assert isinstance(judge(sent, Unanswered(line=1)), Unknown)
