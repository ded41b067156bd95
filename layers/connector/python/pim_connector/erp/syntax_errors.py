"""What expat says of a file that is no well-formed XML, in words that somebody can act on."""

from __future__ import annotations

from xml.parsers import expat

_NO_XML = (
    "this is not XML, or not well-formed XML: a `<` or `&` that is not escaped, or a tag that "
    "is not written as XML wants it"
)
_EXPLAINED = {
    2: _NO_XML,
    4: _NO_XML,
    7: "an end tag does not belong to the element that is open",
    8: "an attribute is there twice in one tag",
    9: "there is something after the end of the document",
    11: "an entity is used that the file does not declare (external DTDs are never fetched)",
    14: "a reference to a character that XML does not allow",
    17: "something stands before the XML declaration, perhaps an empty line",
    43: "the entities of the file expand to far more than the file holds: that is an attack or "
    "a mistake, and is not read",
}


def explain_syntax(error: expat.ExpatError, *, at_end: bool) -> str:
    """Say what is wrong; `at_end` where nothing more of the file will come."""
    said = expat.ErrorString(error.code) or "not well-formed"
    if error.code in (3, 5, 6, 20) and at_end:
        return f"the file ends in the middle: the export or the upload was not finished ({said})"
    return f"{_EXPLAINED[error.code]} ({said})" if error.code in _EXPLAINED else said
