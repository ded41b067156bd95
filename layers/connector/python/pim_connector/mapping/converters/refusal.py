"""The one way a converter says no."""

from __future__ import annotations


class Refusal(ValueError):  # noqa: N818 - a value that is refused is no error of the program
    """A value is not what was asked for: the message says why in words, `value` is what came."""

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        self.value = None if value is None else str(value)
