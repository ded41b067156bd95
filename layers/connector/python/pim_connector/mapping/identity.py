"""When two spellings name one product, model or code: the PIM's own notion, for everything we keep.

Akeneo compares identifiers and codes without case, and trims white space at their ends. Whatever
compares them here (the sync state, the lists of a file's products, message groups, links, what
waits for a model) compares `folded` spellings; what is sent is the spelling of the file.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_FORMAT_OR_CONTROL: Final = frozenset({"Cf", "Cc", "Cs", "Zl", "Zp"})
_DRAWN_AS_NOTHING: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Letters and marks that are drawn as nothing: joiners, fillers, variation selectors."""
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]{1,3}")
_ERROR_CELL: Final = re.compile(r"#[^\W\d_][\w/\-]*[!?]|#N/[AVD]|#NV|#N/A N/A|#+")
"""#REF!, #N/A, #NAME?, their translations (#BEZUG!, #NV), and a column too narrow: ####."""


def folded(name: str) -> str:
    """Return what all spellings of an identifier or a code share that the PIM takes for one."""
    if name.isascii():
        return name.strip().lower()
    composed = unicodedata.normalize("NFC", name.strip())
    return unicodedata.normalize("NFC", composed.casefold())


def _is_invisible(character: str) -> bool:
    """Say whether a character shows nothing, not even a gap, or acts on what is around it."""
    if character.isascii():
        return not character.isprintable()
    in_category = unicodedata.category(character) in _FORMAT_OR_CONTROL
    return in_category or _DRAWN_AS_NOTHING.match(character) is not None


def invisible_names(name: str) -> list[str]:
    """Return the names of the invisible characters in an identifier: U+200B ZERO WIDTH SPACE."""
    found = dict.fromkeys(filter(_is_invisible, name))
    return [f"U+{ord(each):04X} {unicodedata.name(each, 'CONTROL CHARACTER')}" for each in found]


def without_invisible(name: str) -> str:
    """Return an identifier as it looks."""
    return "".join(each for each in name if not _is_invisible(each))


def is_spreadsheet_damage(name: str) -> bool:
    """Say whether a spreadsheet has written this in place of the identifier that was there."""
    return bool(_SCIENTIFIC.fullmatch(name) or _ERROR_CELL.fullmatch(name))
