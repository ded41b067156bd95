"""The environment of a function as typed settings."""

from __future__ import annotations

import pytest

from pim_connector.errors import ConfigurationError
from pim_connector.settings import HousekeepingSettings, SplitterSettings, load

ENVIRON = {
    "BUCKET": "b",
    "STACK_NAME": "stack",
    "RUN_TABLE": "r",
    "SYNC_STATE_TABLE": "l",
    "STATE_TABLE": "s",
    "PRODUCT_QUEUE_URL": "q",
    "PRODUCT_DEAD_LETTER_QUEUE_URL": "d",
}


def test_fields_are_variables_and_defaults_hold_for_what_is_missing() -> None:
    settings = load(SplitterSettings, ENVIRON | {"CONCURRENT_CALLS": "6", "OTHER": "x"})
    assert (settings.bucket, settings.product_queue_url, settings.concurrent_calls) == ("b", "q", 6)
    assert (settings.trigger, settings.event_bus) == ("upload", "default")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"BUCKET": ""}, "BUCKET is not set"),
        ({"CONCURRENT_CALLS": "four"}, "CONCURRENT_CALLS is 'four', expected a whole number"),
        ({"CONCURRENT_CALLS": "0"}, "CONCURRENT_CALLS is 0, not 1 or more"),
        ({"TRIGGER": "daily"}, "TRIGGER is 'daily', not upload or nightly"),
    ],
)
def test_a_wrong_variable_is_named(change: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(SplitterSettings, ENVIRON | change)


def test_housekeeping_may_be_told_not_to_wait_for_parents() -> None:
    assert (
        load(HousekeepingSettings, ENVIRON | {"PARENT_WAIT_MINUTES": "0"}).parent_wait_minutes == 0
    )
