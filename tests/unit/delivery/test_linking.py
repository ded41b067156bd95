from __future__ import annotations

from msgspec.structs import replace

from pim_connector.akeneo import Refused, Upserted
from pim_connector.mapping.results import Slot
from pim_connector.outcomes import STATES
from pim_connector.products.lines import Accepted, Line, Turned
from pim_connector.products.links import with_known_links
from pim_connector.products.sending import judge
from pim_connector.sync.message_results import REST_OF_RUN, ParkedGroup, links_due
from pim_connector.sync.runs import Run
from tests.unit.delivery.examples import line, value

NAME = value("name", "Boot")
UPSELL = Slot(key=("associations", "UPSELL", "products"), data=["1", "2"], owner="on_change")
SET = Slot(
    key=("quantified_associations", "SET", "products"),
    data=[{"identifier": "2", "quantity": 3}, {"identifier": "4", "quantity": 1}],
    owner="on_change",
)
SENTENCE = Refused(line=1, status=422, message="The 2 product does not exist.")


def bare() -> Line:
    again = judge(line(NAME, UPSELL, SET), SENTENCE)
    assert isinstance(again, Line)
    return again


def test_a_refused_product_with_links_is_sent_once_more_without_them() -> None:
    again = bare()

    assert again.slots == (NAME,)
    assert again.left_out == {UPSELL.key, SET.key}
    assert judge(again, Upserted(line=1, created=True)) == Accepted(line=again, created=True)


def test_a_product_that_is_refused_without_its_links_too_is_turned_down_in_the_second_words() -> (
    None
):
    answer = judge(bare(), Refused(line=1, status=422, message="The x family does not exist."))

    assert isinstance(answer, Turned)
    assert [p.reason for p in answer.problems] == ["The x family does not exist."]


def test_of_a_known_product_with_nothing_left_but_refused_links_nothing_is_sent() -> None:
    end = judge(replace(line(UPSELL), whole=False), SENTENCE)

    assert isinstance(end, Accepted)
    assert end.line.slots == ()
    assert end.line.left_out == {UPSELL.key}


def test_only_a_422_is_a_reason_to_leave_links_out() -> None:
    assert isinstance(judge(line(NAME, UPSELL), replace(SENTENCE, status=403)), Turned)


def test_of_links_only_those_to_missing_products_are_left_out_each_with_its_name() -> None:
    fewer = with_known_links(bare(), {"products": {"1", "4"}, "product_models": set()})

    assert fewer is not None
    assert [slot.data for slot in fewer.slots] == [["1"], [{"identifier": "4", "quantity": 1}]]
    assert [(p.attribute, p.value) for p in fewer.problems] == [
        ("associations UPSELL", "2"),
        ("quantified_associations SET", "2"),
    ]
    assert fewer.left_out == {UPSELL.key, SET.key}


def test_links_that_are_refused_though_all_targets_are_there_are_no_case_of_missing_ones() -> None:
    assert with_known_links(bare(), {"products": {"1", "2", "4"}, "product_models": set()}) is None


def group(records: int, parent: str = REST_OF_RUN) -> ParkedGroup:
    return ParkedGroup(
        parent=parent,
        run="r",
        message=f"1.{records}",
        group=0,
        heavy="claim-checks/r/1.1",
        since=0,
        records=records,
    )


def run(*, parked: int, recorded: int = 2) -> Run:
    return Run(
        id="r",
        source="shop",
        bucket="bucket",
        key="incoming/shop/a.xml",
        version="1",
        size=1,
        order="1",
        turn="1",
        phase="delivering",
        counts=dict.fromkeys(STATES, 0) | {"parked": parked},
        sent=2,
        recorded=recorded,
    )


def test_links_are_due_when_nothing_else_of_the_run_is_under_way() -> None:
    assert links_due(run(parked=3), [group(3)]) == [group(3)]
    assert links_due(run(parked=2), [group(3)]) == [group(3)]
    assert links_due(run(parked=3, recorded=1), [group(3)]) == []
    assert links_due(run(parked=4), [group(3)]) == []
    assert links_due(run(parked=4), [group(3), group(1, parent="model")]) == []
