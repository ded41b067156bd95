"""Tables show what the PIM and the file said, to the letter."""

from __future__ import annotations

import io

from rich.console import Console

from cli.summary import rejections_table
from pim_connector.states import Problem, RecordOutcome


def test_a_reason_with_square_brackets_is_shown_as_the_pim_wrote_it() -> None:
    problem = Problem(attribute="[bold]size", reason='Cannot set value "[red],[m]"')
    outcome = RecordOutcome(
        number=3, line=9, state="rejected", identifier="[link=x]A[/link]", problems=(problem,)
    )
    screen = io.StringIO()
    Console(file=screen, width=200).print(rejections_table([outcome]))
    for told in ('Cannot set value "[red],[m]"', "[bold]size", "[link=x]A[/link]"):
        assert told in screen.getvalue()
