"""The environment of each function as a frozen struct: its fields are its variables.

`SplitterSettings.product_queue_url` is the variable `PRODUCT_QUEUE_URL`. A field with a default
may be missing from the environment; any other that is missing is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from pim_connector.errors import ConfigurationError
from pim_connector.sync.messages import ASSET_GROUPS

SettingsT = TypeVar("SettingsT", bound=Struct)


class SplitterSettings(Struct, frozen=True, kw_only=True):
    """What the splitter must know; `trigger` says whether uploads start at once or at night."""

    bucket: str
    run_table: str
    sync_state_table: str
    state_table: str
    product_queue_url: str
    stack_name: str
    event_bus: str = "default"
    concurrent_calls: int = 4
    trigger: str = "upload"

    def __post_init__(self) -> None:
        _one_of("TRIGGER", self.trigger, ("upload", "nightly"))
        _at_least("CONCURRENT_CALLS", self.concurrent_calls, 1)


class MapperSettings(Struct, frozen=True, kw_only=True):
    """What the mapper must know; the secret holds the PIM's credentials."""

    bucket: str
    run_table: str
    sync_state_table: str
    state_table: str
    product_queue_url: str
    product_dead_letter_queue_url: str
    akeneo_url: str
    akeneo_secret_arn: str
    stack_name: str
    event_bus: str = "default"
    parent_wait_minutes: int = 60


class HousekeepingSettings(Struct, frozen=True, kw_only=True):
    """What housekeeping must know; parked records wait `parent_wait_minutes` for their parent.

    Runs should be finished by `finished_by_hour` of each day, 0 to 23 in `time_zone`; -1: whenever.
    """

    bucket: str
    run_table: str
    state_table: str
    product_queue_url: str
    product_dead_letter_queue_url: str
    stack_name: str
    event_bus: str = "default"
    parent_wait_minutes: int = 60
    time_zone: str = "UTC"
    finished_by_hour: int = -1

    def __post_init__(self) -> None:
        _at_least("PARENT_WAIT_MINUTES", self.parent_wait_minutes, 0)


class DamWebhookSettings(Struct, frozen=True, kw_only=True):
    """What the webhook must know; `intake_source` is whose events arrive in the intake queue."""

    bucket: str
    state_table: str
    asset_queue_url: str
    asset_concurrent_calls: int = ASSET_GROUPS
    intake_source: str = ""

    def __post_init__(self) -> None:
        _at_least("ASSET_CONCURRENT_CALLS", self.asset_concurrent_calls, 1)


class DamPollerSettings(Struct, frozen=True, kw_only=True):
    """What the DAM poller must know; its message groups are those of the asset queue, as the
    webhook's.
    """

    bucket: str
    sync_state_table: str
    state_table: str
    asset_queue_url: str
    asset_concurrent_calls: int = ASSET_GROUPS

    def __post_init__(self) -> None:
        _at_least("ASSET_CONCURRENT_CALLS", self.asset_concurrent_calls, 1)


class AssetMapperSettings(Struct, frozen=True, kw_only=True):
    """What the asset mapper must know; the secret is that of the DAM flow's own connection.

    `concurrent_calls` are those of the product queue, which links go through. `private_media` is
    `allowed` only where DAM and PIM run on one machine.
    """

    bucket: str
    run_table: str
    sync_state_table: str
    state_table: str
    asset_queue_url: str
    asset_dead_letter_queue_url: str
    product_queue_url: str
    akeneo_url: str
    akeneo_secret_arn: str
    concurrent_calls: int = 4
    private_media: str = "refused"

    def __post_init__(self) -> None:
        _at_least("CONCURRENT_CALLS", self.concurrent_calls, 1)
        _one_of("PRIVATE_MEDIA", self.private_media, ("refused", "allowed"))


def load(kind: type[SettingsT], environ: Mapping[str, str]) -> SettingsT:
    """Read the settings of one function from its environment.

    Raises ConfigurationError that names the variable which is missing or cannot be read.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        variable = field.name.upper()
        text = environ.get(variable, "")
        if text:
            values[field.name] = _read(variable, text, hints[field.name])
        elif field.default is NODEFAULT:
            raise ConfigurationError(f"environment variable {variable} is not set; set it")
    return kind(**values)


def _read(variable: str, text: str, kind: type) -> object:
    if kind is not int:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise ConfigurationError(
            f"environment variable {variable} is {text!r}, expected a whole number"
        ) from error


def _one_of(variable: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        expected = " or ".join(allowed)
        raise ConfigurationError(f"environment variable {variable} is {value!r}, not {expected}")


def _at_least(variable: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigurationError(f"environment variable {variable} is {value}, not {least} or more")
