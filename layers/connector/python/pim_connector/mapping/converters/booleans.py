"""Yes and no in any words."""

from __future__ import annotations

from collections.abc import Callable

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import BooleanFormat


def read_boolean(text: str, words: BooleanFormat) -> bool:
    """True or false by the words of the format, without regard to case. Raises Refusal."""
    return boolean_reader(words)(text)


def boolean_reader(words: BooleanFormat) -> Callable[[str], bool]:
    """`read_boolean` for many texts: the words are looked at once."""
    meanings = {_word(word): False for word in words.false}
    meanings |= {_word(word): True for word in words.true}

    def read(text: str) -> bool:
        meaning = meanings.get(text.strip().casefold())
        if meaning is None:
            raise _refused(text, words)
        return meaning

    return read


def _refused(text: str, words: BooleanFormat) -> Refusal:
    yes = ", ".join(_word(word) for word in words.true)
    no = ", ".join(_word(word) for word in words.false)
    return Refusal(f"not a yes or no: expected {yes} / {no}", text)


def _word(word: str | int | bool) -> str:
    return str(word).casefold()
