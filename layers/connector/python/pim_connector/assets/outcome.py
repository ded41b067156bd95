"""What became of one asset of a message."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pim_connector.mapping.result import FieldError
from pim_connector.states import Problem, State

AssetState = State
"""`superseded`: a newer version came in the same batch, or the PIM holds it already."""


class AssetOutcome(Struct, frozen=True, kw_only=True):
    """The end of one asset; `problems` says why it was rejected or what was done instead."""

    dam_id: str
    state: AssetState
    code: str | None = None
    problems: tuple[Problem, ...] = ()


def rejected(
    dam_id: str, reason: str, *, code: str | None = None, advice: str | None = None
) -> AssetOutcome:
    """Say why the PIM does not get an asset."""
    problem = Problem(reason=reason, advice=advice)
    return AssetOutcome(dam_id=dam_id, state="rejected", code=code, problems=(problem,))


def problems_of(errors: Sequence[FieldError]) -> tuple[Problem, ...]:
    """Turn the mapping's errors into the report's words."""
    return tuple(
        Problem(
            reason=error.message, attribute=error.attribute, source=error.source, value=error.value
        )
        for error in errors
    )
