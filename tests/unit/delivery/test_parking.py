from __future__ import annotations

from pim_connector.sync.message_results import REST_OF_RUN, ParkedGroup, overdue

LATE, YOUNG, UNTIL = 100, 200, 150


def group(message: str, parent: str, *models: str, since: int = LATE) -> ParkedGroup:
    return ParkedGroup(
        parent=parent,
        run="r",
        message=message,
        group=0,
        heavy="h",
        since=since,
        records=1,
        models=models,
    )


def test_what_has_waited_too_long_for_its_model_is_overdue() -> None:
    late, young = group("1.1", "boots"), group("2.1", "boots", since=YOUNG)
    links = group("3.1", REST_OF_RUN)
    assert overdue([late, young, links], UNTIL) == [late]


def test_a_sub_model_has_its_last_try_before_its_variants() -> None:
    variant, sub_model = group("1.1", "boots-red"), group("2.1", "boots", "boots-red")
    assert overdue([variant, sub_model], UNTIL) == [sub_model, variant]


def test_a_variant_waits_as_long_as_its_sub_model_may_wait() -> None:
    variant = group("1.1", "boots-red")
    sub_model = group("2.1", "boots", "boots-red", since=YOUNG)
    assert overdue([variant, sub_model], UNTIL) == []
    assert overdue([variant, sub_model], YOUNG) == [sub_model, variant]


def test_a_model_that_the_pim_took_without_its_links_keeps_nobody_waiting() -> None:
    variant, model = group("1.1", "boots"), group("2.1", REST_OF_RUN, "boots", since=YOUNG)
    assert overdue([variant, model], UNTIL) == [variant]


def test_models_that_name_each_other_as_parents_do_not_wait_for_ever() -> None:
    one, other = group("1.1", "b", "a"), group("2.1", "a", "b")
    assert overdue([one, other], UNTIL) == [one, other]
