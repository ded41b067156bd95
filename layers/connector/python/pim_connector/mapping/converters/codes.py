"""Codes from text: stable, readable, within what Akeneo accepts."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import CodeFormat

_SPECIAL = {
        "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l",
        "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i",
}  # fmt: skip
_RAISED_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[¹²³⁰-⁹₀-₉¼-¾⅐-⅞])")


@lru_cache(maxsize=4096)
def to_code(text: str, style: CodeFormat) -> str:
    """Letters without accents, digits and `_` (https://api.akeneo.com/concepts/catalog-structure.html).

    Depends on nothing but the text and the style, so the same text is the same code for ever
    (docs/decisions/0050). Letters of other scripts are written in Latin ones. A letter that has
    none, and text that is too long, becomes a hash (in part), never an empty or cut code.
    Raises Refusal for text without letter or digit.
    """
    spelled = text if text.isascii() else _spelled(text)
    keep = re.escape(style.keep)
    code = re.sub(rf"[^A-Za-z0-9_{keep}]+", "_", spelled).strip("_")
    if style.lower:
        code = code.lower()
    lost = any(c.isalnum() and not c.isascii() for c in (spelled if code else text))
    if not code and not lost:
        raise Refusal("no letter or digit to make a code of", text)
    changed = style.distinct and code != text
    if lost or changed or len(code) > style.max_length:
        digest = blake2b(text.encode(), digest_size=4).hexdigest()[:7]
        code = f"{code[: style.max_length - 8]}_{digest}".lstrip("_")
    return code


def _spelled(text: str) -> str:
    """Text in Latin letters as far as they go; `37½` is not `371/2`."""
    apart = _RAISED_AFTER_DIGIT.sub("_", text)
    return "".join(map(_in_latin, unicodedata.normalize("NFKC", apart)))


@lru_cache(maxsize=4096)
def _in_latin(character: str) -> str:
    """A character without its accent, or the letters it is read as; itself where none are known.

    The library is imported by the first text that needs it: 30 ms that no other cold start pays.
    """
    if character.isascii():
        return character
    plain = unicodedata.normalize("NFKD", _SPECIAL.get(character, character))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    if plain.isascii() or not character.isalnum():
        return plain
    from anyascii import anyascii

    read = anyascii(character)
    return re.sub(r"[^A-Za-z0-9]", "", read) if read else character
