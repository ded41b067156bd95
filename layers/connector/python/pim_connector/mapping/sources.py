"""Sources, steps and formats: the part of the language that says where values come from.

DAM sources speak the steps and formats too; nothing here knows XML.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

Scalar: TypeAlias = str | int | bool
Whitespace: TypeAlias = Literal["strip", "collapse", "keep"]

PlainStep: TypeAlias = Literal[
    "strip",
    "collapse",
    "lower",
    "upper",
    "strip_zeros",
    "strip_tags",
    "unescape",
    "code",
    "number",
    "date",
    "boolean",
    "first",
    "last",
    "distinct",
    "sort",
    "sum",
    "product",
    "count",
]


class NumberFormat(
    Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """How numbers are written in the file. Strict: what does not fit is rejected, never guessed."""

    decimal: Annotated[str, Meta(min_length=1, max_length=1)] = "."
    thousands: Annotated[
        str,
        Meta(max_length=1, description="Separator of groups of three; a space means any space."),
    ] = ""
    decoration: Annotated[
        bool,
        Meta(description='Take the only number out of text such as "500,00 Kč", "21%", "EUR 12".'),
    ] = False


class BooleanFormat(
    Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """The words for yes and no, compared without regard to case; anything else is rejected."""

    true: list[Scalar] = []
    false: list[Scalar] = []


class CodeFormat(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """How text becomes a code of letters without accents, digits and `_`; always the same one."""

    lower: Annotated[bool, Meta(description="Lower case; false keeps the case.")] = True
    keep: Annotated[str, Meta(description='Further characters that may stay, such as "-.".')] = ""
    max_length: Annotated[int, Meta(ge=8, le=255)] = 100
    distinct: Annotated[
        bool,
        Meta(
            description="Append a short hash where characters were lost, so codes cannot collide."
        ),
    ] = False


class Step(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """One transformation: exactly one verb, with the options that belong to it."""

    no_value: Annotated[
        Scalar | list[Scalar] | None,
        Meta(description='Texts that mean "no value"; "<= 0" and the like compare as numbers.'),
    ] = None
    map: Annotated[
        str | dict[str, Scalar | None] | None,
        Meta(
            description="Name of an entry of `maps`, or the pairs themselves; null means no value."
        ),
    ] = None
    lookup: Annotated[
        str | None, Meta(description="Table: the value is a key, `column` comes out.")
    ] = None
    ancestors: Annotated[
        str | None,
        Meta(description="Table: the key and its ancestors by `column`, from the root down."),
    ] = None
    column: Annotated[str | None, Meta(description="Column of `lookup` or `ancestors`.")] = None
    extract: Annotated[
        str | None,
        Meta(description="Regular expression: its first group (or the whole match) stays."),
    ] = None
    regex: Annotated[str | None, Meta(description="Regular expression to replace by `with`.")] = (
        None
    )
    replace: Annotated[str | None, Meta(description="Literal text to replace by `with`.")] = None
    with_: Annotated[str | None, Meta(description=r"Replacement; \1 is a group of `regex`.")] = (
        field(default=None, name="with")
    )
    split: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Separator: one value per part."),
    ] = None
    join: Annotated[
        str | None, Meta(description="Separator: one text of all values that are not empty.")
    ] = None
    index: Annotated[
        int | None, Meta(description="The n-th value from 0, or from the end: -1.")
    ] = None
    slice: Annotated[
        Annotated[list[int | None], Meta(min_length=1, max_length=2)] | None,
        Meta(description="Characters [from, to), counted from 0; negative: from the end."),
    ] = None
    pad: Annotated[
        Annotated[int, Meta(ge=1, le=255)] | None, Meta(description="Least number of characters.")
    ] = None
    pad_with: Annotated[str, Meta(min_length=1, max_length=1)] = "0"
    pad_side: Literal["left", "right"] = "left"
    prefix: Annotated[str | None, Meta(description="Text before each value.")] = None
    suffix: Annotated[str | None, Meta(description="Text after each value.")] = None
    number: Annotated[
        NumberFormat | list[NumberFormat] | None,
        Meta(description="Read as a number; of several formats all that fit must agree."),
    ] = None
    date: Annotated[
        str | list[str] | Source | None,
        Meta(description="Read as a date by a pattern (yyyyMMdd), several, or one from the file."),
    ] = None
    boolean: BooleanFormat | None = None
    add: Scalar | None = None
    multiply: Annotated[Scalar | None, Meta(description="Exact decimal factor.")] = None
    divide: Annotated[Scalar | None, Meta(description="Divisor; 28 digits are kept.")] = None
    round: Annotated[
        Annotated[int, Meta(ge=0, le=12)] | None, Meta(description="Decimals; half goes up.")
    ] = None
    code: CodeFormat | None = None
    default: Annotated[
        Scalar | None, Meta(description="What `map` and `lookup` give for an unknown key.")
    ] = None
    unknown: Annotated[
        Literal["reject", "keep", "drop"] | None,
        Meta(
            description="Or: reject the record (the default of map), keep the key, drop the value."
        ),
    ] = None
    ignore_case: Annotated[bool, Meta(description="`map` compares keys without case.")] = False


class Source(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """Where values come from: one of `from`, `value`, `first`, `all`; then the steps, in order."""

    from_: Annotated[
        str | None, Meta(description="XPath 1.0, relative to the record or the row.")
    ] = field(default=None, name="from")
    value: Annotated[Scalar | list[Scalar] | None, Meta(description="A constant.")] = None
    first: Annotated[
        Annotated[list[str | Source], Meta(min_length=1)] | None,
        Meta(description="The first of these that gives a value."),
    ] = None
    all: Annotated[
        Annotated[list[str | Source], Meta(min_length=1)] | None,
        Meta(description="The values of all of these that give one, in order."),
    ] = None
    when: Annotated[str | None, Meta(description="XPath condition; false means: not there.")] = None
    take: Annotated[
        Literal["text", "markup"],
        Meta(description="An element's text, or its inner markup without namespaces."),
    ] = "text"
    whitespace: Whitespace | None = None
    steps: list[PlainStep | Step] = []
