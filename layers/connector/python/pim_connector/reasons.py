"""What a mapping says against a record, in the words of the report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pim_connector.mapping.result import FieldError
from pim_connector.states import Problem

ADVICE: Final = "correct it in the ERP, or have the mapping changed and replay the record"


def field_problems(errors: Iterable[FieldError]) -> tuple[Problem, ...]:
    """Tell a mapping's errors as reasons, each with what to do about it."""
    return tuple(
        Problem(
            reason=error.message,
            attribute=error.attribute,
            source=error.source,
            value=error.value,
            advice=error.advice or ADVICE,
        )
        for error in errors
    )
