"""Codes from text: stable, readable, within what Akeneo accepts."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import CodeFormat

_SPECIAL = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l",
        "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i",
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def to_code(text: str, style: CodeFormat) -> str:
    """Letters without accents, digits and `_` (https://api.akeneo.com/concepts/catalog-structure.html).

    Depends on nothing but the text and the style, so the same text is the same code for ever.
    Text whose letters have no Latin form, and text that is too long, becomes a hash of itself
    (in part), never an empty or cut code. Raises Refusal for text without letter or digit.
    """
    spelled = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    ascii_only = "".join(c for c in spelled if not unicodedata.combining(c))
    lost = any(c.isalnum() and not c.isascii() for c in ascii_only)
    keep = re.escape(style.keep)
    code = re.sub(rf"[^A-Za-z0-9_{keep}]+", "_", ascii_only).strip("_")
    if style.lower:
        code = code.lower()
    if not code and not lost:
        raise Refusal("no letter or digit to make a code of", text)
    changed = style.distinct and code != text
    if lost or changed or len(code) > style.max_length:
        digest = blake2b(text.encode(), digest_size=4).hexdigest()[:7]
        code = f"{code[: style.max_length - 8]}_{digest}".lstrip("_")
    return code
