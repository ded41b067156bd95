"""Tables show what the PIM and the file said, to the letter."""

from __future__ import annotations

import io

from rich.console import Console

from cli.summary import rejections_table, runs_table
from pim_connector.outcomes import STATES, Problem, RecordOutcome
from pim_connector.sync.runs import Run


def test_a_reason_with_square_brackets_is_shown_as_the_pim_wrote_it() -> None:
    problem = Problem(attribute="[bold]size", reason='Cannot set value "[red],[m]"')
    outcome = RecordOutcome(
        number=3, line=9, state="rejected", identifier="[link=x]A[/link]", problems=(problem,)
    )
    screen = io.StringIO()
    Console(file=screen, width=200).print(rejections_table([outcome]))
    for told in ('Cannot set value "[red],[m]"', "[bold]size", "[link=x]A[/link]"):
        assert told in screen.getvalue()


def test_the_id_of_a_run_is_shown_whole_in_a_narrow_window() -> None:
    name = "20261121T022801Z-a-source-776bec3513-withdrawal"
    counts = dict.fromkeys(STATES, 0) | {"created": 1}
    one = Run(
        id=name, source="s", bucket="b", key="k", version="1", size=1, order="o", turn="o",
        phase="finished", counts=counts,
    )  # fmt: skip
    screen = io.StringIO()
    Console(file=screen, width=80).print(runs_table([one]))
    assert name in screen.getvalue()
    assert "rejected" not in screen.getvalue()


def test_a_rejection_shows_the_value_its_place_and_what_to_do() -> None:
    problem = Problem(
        attribute="price",
        source="/items/item/price",
        value="dos",
        reason='not a number written like "1234.5"',
        advice="correct it in the ERP",
    )
    outcome = RecordOutcome(number=3, line=9, state="rejected", identifier="A", problems=(problem,))
    screen = io.StringIO()
    Console(file=screen, width=200).print(rejections_table([outcome]))
    for told in ("dos", "/items/item/price", "correct it in the ERP", problem.reason):
        assert told in screen.getvalue()
