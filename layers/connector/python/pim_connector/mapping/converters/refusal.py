"""The one way a converter says no."""

from __future__ import annotations

WRITTEN_OTHERWISE = (
    "correct it in the ERP; if the ERP always writes it so, have the mapping read it so"
)


class Refusal(ValueError):  # noqa: N818 - a value that is refused is no error of the program
    """A value is not what was asked for: the message says why in words, `value` is what came.

    `advice` says what to do about it, and who, where more is known than "correct it".
    """

    def __init__(self, message: str, value: object = None, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.value = None if value is None else str(value)
        self.advice = advice
