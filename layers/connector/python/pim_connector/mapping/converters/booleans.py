"""Yes and no in any words."""

from __future__ import annotations

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import BooleanFormat


def read_boolean(text: str, words: BooleanFormat) -> bool:
    """True or false by the words of the format, without regard to case. Raises Refusal."""
    said = text.strip().casefold()
    if said in {_word(word) for word in words.true}:
        return True
    if said in {_word(word) for word in words.false}:
        return False
    yes = ", ".join(_word(word) for word in words.true)
    no = ", ".join(_word(word) for word in words.false)
    raise Refusal(f"not a yes or no: expected {yes} / {no}", text)


def _word(word: str | int | bool) -> str:
    return str(word).casefold()
