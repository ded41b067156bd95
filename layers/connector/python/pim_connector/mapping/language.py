"""Sources, steps and formats: the part of the language that says where values come from.

DAM sources speak the steps and formats too; nothing here knows XML.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
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
    "min",
    "max",
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
    minus: Annotated[
        Literal["usual", "leading", "trailing", "brackets", "credit", "any"],
        Meta(
            description="Where a minus may stand besides right before the digits: `trailing` "
            '"12.50-", `leading` with a space "- 12.50", `brackets` "(12.50)", `credit` "12.50 CR".'
        ),
    ] = "usual"


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
    keep_empty: Annotated[
        bool | None,
        Meta(
            description="Of `split`: keep empty parts, so that positions stay right. "
            "The default is true where an `index` follows."
        ),
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


# The mapping language as types: what a mapping file may say, and nothing about how it is done.
#
# These types validate the file and generate its JSON Schema (docs/mapping.schema.json), so every
# key has its sentence here. docs/mapping.md explains the language by example.


Resource: TypeAlias = Literal["product", "product_model"]
Mode: TypeAlias = Literal["create_and_update", "update_only", "create_only"]
Owner: TypeAlias = Literal["on_change", "always", "create_only", "if_empty"]
Refused: TypeAlias = Literal["reject", "drop_value"]
Missing: TypeAlias = Literal["leave", "clear", "reject"]
OptionPolicy: TypeAlias = Literal["create", "reject"]

AttributeType: TypeAlias = Literal[
    "text",
    "textarea",
    "identifier",
    "number",
    "price",
    "metric",
    "boolean",
    "date",
    "simple_select",
    "multi_select",
    "reference_entity",
    "reference_entity_collection",
    "asset_collection",
    "image",
    "file",
    "table",
    "product_link",
]


class FieldRule(Source, frozen=True, kw_only=True):
    """A field of the product: a source, and who owns what it gives."""

    owner: Annotated[Owner | None, Meta(description="Default: on_change.")] = None
    absent: Annotated[
        Missing | None, Meta(description="When nothing is found in the file. Default: leave.")
    ] = None
    empty: Annotated[
        Missing | None, Meta(description="When what is found is empty. Default: leave.")
    ] = None


class TableRows(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """Rows of a look-up table instead of elements of the record; columns are read like elements."""

    table: str
    key: str | Source


class Column(Source, frozen=True, kw_only=True):
    """A cell of a table attribute."""

    type: (
        Literal["text", "number", "boolean", "select", "measurement", "date", "product_link"] | None
    ) = None
    unit: str | Source | None = None


class ValueRule(FieldRule, frozen=True, kw_only=True):
    """Fills one attribute; with `each`, once per row."""

    each: Annotated[
        str | TableRows | None,
        Meta(description="One value per row: an XPath, or rows of a table; all else is relative."),
    ] = None
    locale: Annotated[
        str | Source | None, Meta(description="A locale code, or {from: …} to read it.")
    ] = None
    scope: Annotated[
        str | Source | None, Meta(description="A channel code, or {from: …} to read it.")
    ] = None
    type: Annotated[
        AttributeType | None, Meta(description="Where the PIM's structure is not at hand.")
    ] = None
    unit: Annotated[str | Source | None, Meta(description="Unit code of a metric.")] = None
    currency: Annotated[str | Source | None, Meta(description="Currency code of a price.")] = None
    options: Annotated[
        OptionPolicy | None, Meta(description="Select options the PIM lacks. Default: reject.")
    ] = None
    labels: Annotated[
        dict[str, str | Source], Meta(description="Labels of created options, by locale.")
    ] = field(default_factory=dict)
    columns: Annotated[
        dict[str, str | Column], Meta(description="Cells of a table attribute, by column code.")
    ] = field(default_factory=dict)
    link: Annotated[Resource, Meta(description="What a product link points to.")] = "product"


class PivotRule(ValueRule, frozen=True, kw_only=True):
    """What a row of one key fills; what is not said here is taken from the pivot."""

    attribute: str


class Pivot(ValueRule, frozen=True, kw_only=True):
    """Key/value rows: each row fills the attribute that its key names."""

    key: Annotated[str | Source, Meta(description="The row's key.")]
    attributes: Annotated[
        dict[str, str | PivotRule], Meta(description="Key in the file → attribute code or rule.")
    ] = field(default_factory=dict)
    unlisted: Annotated[
        Literal["ignore", "warn", "reject", "use_key"],
        Meta(description="A key that is not listed; `use_key` takes it for the attribute code."),
    ] = "ignore"


class Quantified(Source, frozen=True, kw_only=True):
    """Links with a quantity; `from` and `quantity` are relative to the row."""

    each: Annotated[
        str | TableRows,
        Meta(description="One link per row: an XPath, or rows of a table; all else is relative."),
    ]
    quantity: str | Source
    repeated: Annotated[
        Literal["reject", "sum"],
        Meta(description="One target on several rows with different quantities."),
    ] = "reject"
    owner: Owner | None = None


class Links(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """Associations of one type; each kind that is named is replaced as a whole."""

    products: str | FieldRule | None = None
    product_models: str | FieldRule | None = None
    groups: str | FieldRule | None = None


class QuantifiedLinks(
    Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """Quantified associations of one type."""

    products: Quantified | None = None
    product_models: Quantified | None = None


class RecordRule(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """Which elements of the file are records, and what becomes of them."""

    path: Annotated[
        str, Meta(description="Absolute path: /a/b/c; `*` for any name, `//` any depth.")
    ]
    within: Annotated[
        str | None,
        Meta(description="Path of an ancestor to keep whole, where the record needs its siblings."),
    ] = None
    nested: Annotated[
        Literal["drop", "keep"],
        Meta(description="Records inside this record: out of its sight, or seen."),
    ] = "drop"
    when: Annotated[
        str | None,
        Meta(description="XPath condition; the first rule whose condition holds is used."),
    ] = None
    continue_: Annotated[
        bool,
        Meta(description="The rules after this one for the same path get the element as well."),
    ] = field(default=False, name="continue")
    resource: Resource = "product"
    mode: Mode = "create_and_update"
    refused: Annotated[
        Refused,
        Meta(description="One bad value: reject the product, or drop the value and report."),
    ] = "reject"
    let: Annotated[
        dict[str, str | Source],
        Meta(description="Values to use as $name in the XPaths of this rule."),
    ] = {}
    identifier: Annotated[str | Source | None, Meta(description="Identifier, or model code.")] = (
        None
    )
    uuid: Annotated[str | Source | None, Meta(description="Address products by UUID.")] = None
    root_model: Annotated[
        str | Source | None,
        Meta(description="Code of the root model, where the parent is a sub-model."),
    ] = None
    parent: str | FieldRule | None = None
    family: Annotated[str | FieldRule | None, Meta(description="A family code, or {from: …}.")] = (
        None
    )
    family_variant: Annotated[
        str | FieldRule | None, Meta(description="A family variant code, or {from: …}.")
    ] = None
    enabled: Annotated[
        bool | str | FieldRule | None, Meta(description="true, false, or an XPath that gives it.")
    ] = None
    categories: Annotated[
        str | FieldRule | None, Meta(description="Replaces the product's categories.")
    ] = None
    add_categories: Annotated[
        str | FieldRule | None, Meta(description="Adds categories and keeps the others.")
    ] = None
    groups: str | FieldRule | None = None
    associations: dict[str, Links] = {}
    quantified_associations: dict[str, QuantifiedLinks] = {}
    values: Annotated[
        dict[str, str | ValueRule | list[str | ValueRule]],
        Meta(description="Attribute code → XPath, rule, or several rules (say one per locale)."),
    ] = {}
    pivots: list[Pivot] = []


class Table(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """Rows collected from elsewhere in the file, or from a second file, to be looked up by key."""

    path: Annotated[str, Meta(description="Absolute path of the elements that hold rows.")]
    each: Annotated[str | None, Meta(description="Rows inside that element; default: itself.")] = (
        None
    )
    key: str | Source
    columns: Annotated[dict[str, str | Source], Meta(min_length=1)]
    file: Annotated[str | None, Meta(description="Name of the second file; default: this one.")] = (
        None
    )


class File(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """How the file is read."""

    encoding: Annotated[
        str | None, Meta(description="Instead of the declared one, for files that lie about it.")
    ] = None
    illegal_characters: Annotated[
        Literal["reject", "drop"],
        Meta(
            description="Control characters XML does not allow: refuse the file, or drop and count."
        ),
    ] = "reject"
    leading_space: Annotated[
        Literal["reject", "skip"],
        Meta(description="White space or a byte order mark before the XML declaration."),
    ] = "reject"
    trailing_garbage: Annotated[
        Literal["reject", "skip"],
        Meta(
            description="What is no XML behind the document (Ctrl-Z, NULs), and whatever stands "
            "behind a gzip archive: refuse the file, or pass over and count."
        ),
    ] = "reject"
    html_entities: Annotated[
        Literal["reject", "read"],
        Meta(description="`&nbsp;` and the others of HTML, where the file does not declare them."),
    ] = "reject"
    bare_ampersands: Annotated[
        Literal["reject", "read"],
        Meta(description="A `&` that begins no reference: refuse the file, or read it as text."),
    ] = "reject"
    documents: Annotated[
        Literal["one", "several"],
        Meta(description="Whether XML documents may follow one another in one file."),
    ] = "one"
    recover: Annotated[
        Literal["nothing", "records"],
        Meta(
            description="`records`: one that is not well-formed is rejected with its place, and "
            "reading goes on at the next one."
        ),
    ] = "nothing"
    max_record_megabytes: Annotated[int, Meta(ge=1, le=256)] = 16


class Spelling(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """What is done about identifiers, parents and root models that no person wrote like this."""

    invisible: Annotated[
        Literal["reject", "strip"],
        Meta(description="Characters that show nothing, such as U+200B: reject, or leave out."),
    ] = "reject"
    spreadsheet_damage: Annotated[
        Literal["reject", "allow"],
        Meta(description="4.00638E+12, #REF!, #N/A: reject the record, or take it as it is."),
    ] = "reject"


class Inbox(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """What the files in this source's folder of the inbox are, by their names without case.

    A pattern without a slash is about the last part of a path, one with a slash about all of it
    below `incoming/<source>/`; `*` stands for any characters.
    """

    exports: Annotated[
        list[str], Meta(min_length=1, description="Files that are imported, each as a run.")
    ] = field(default_factory=lambda: ["*.xml", "*.xml.gz", "*.zip"])
    media: Annotated[
        list[str],
        Meta(description="Files that records name: they start no run and are never moved."),
    ] = field(default_factory=lambda: ["media/**"])
    ignore: Annotated[
        list[str],
        Meta(
            description="Files to pass over, besides temporary, hidden, marker and check sum files."
        ),
    ] = []
    ready: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="Name of the marker that follows a complete export, in the same folder: "
            '"{name}.ok", "{stem}.done" ({stem}: the name up to its first dot), or one name for '
            "all.",
        ),
    ] = None


class Origin(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """What the exports of this source are."""

    exports: Annotated[
        Literal["delta", "full"] | Source,
        Meta(
            description="`full`: what is not in the file is gone. Or where the file itself says "
            "which it is; the steps make `full` or `delta` of it."
        ),
    ] = "delta"
    missing_products: Annotated[
        Literal["report", "disable", "leave"],
        Meta(
            description="With full exports: products that were in the last one and are not in this."
        ),
    ] = "report"
    max_missing_share: Annotated[
        str,
        Meta(
            pattern=r"^\d{1,3}(\.\d+)? ?%$",
            description="More missing than this: nothing is disabled without an operator's word.",
        ),
    ] = "5%"
    reversible: Annotated[
        bool, Meta(description="Keep the values the PIM had before, so that a run can be undone.")
    ] = False
    order: Annotated[
        str | Source | None,
        Meta(
            description="The export's own time, from the head, instead of the time of upload: ISO "
            "8601, yyyyMMdd[HHmmss] or epoch seconds; with a `date` step any other format."
        ),
    ] = None
    time_zone: Annotated[
        str | None,
        Meta(
            description="Where the clock of `order` stands, for times without a zone: "
            "Europe/Berlin. Without it UTC."
        ),
    ] = None
    identifiers: Annotated[
        Spelling, Meta(description="Identifiers that are damaged or hide something.")
    ] = Spelling()
    duplicates: Annotated[
        Literal["last_wins", "reject"], Meta(description="One identifier twice in a file.")
    ] = "last_wins"
    inbox: Annotated[Inbox, Meta(description="Which files are exports, media, or neither.")] = (
        Inbox()
    )


class Defaults(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """What rules that say nothing else do."""

    whitespace: Whitespace = "strip"
    absent: Missing = "leave"
    empty: Missing = "leave"
    owner: Owner = "on_change"
    options: OptionPolicy = "reject"
    locale: Annotated[
        str | None, Meta(description="For localizable attributes whose rule names none.")
    ] = None
    scope: Annotated[
        str | None, Meta(description="For scopable attributes whose rule names none.")
    ] = None
    number: NumberFormat | list[NumberFormat] = NumberFormat()
    date: Annotated[str | list[str], Meta(description="Patterns of dates.")] = "iso"
    boolean: BooleanFormat = BooleanFormat(true=["true", "1"], false=["false", "0"])


class MappingFile(
    Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True
):
    """One ERP source: how its XML becomes products and product models of the PIM."""

    version: Literal[1]
    namespaces: Annotated[
        dict[str, str],
        Meta(
            description="Prefix → URI, or `*` for any namespace; `default` is for names without "
            "prefix."
        ),
    ] = {}
    file: File = File()
    source: Origin = Origin()
    defaults: Defaults = Defaults()
    identifier_attribute: Annotated[
        str, Meta(description="Code of the PIM's main identifier attribute.")
    ] = "sku"
    head: Annotated[
        dict[str, str | Source],
        Meta(description="Values from the file's head, by absolute path; $name in XPaths."),
    ] = {}
    maps: dict[str, dict[str, Scalar | None]] = {}
    tables: dict[str, Table] = {}
    records: Annotated[dict[str, RecordRule], Meta(min_length=1)]


# The JSON Schema of mapping files, out of the types that validate them.


TITLE = "A mapping of the PIM connector"


def json_schema() -> str:
    """The schema as text, always the same for the same types; docs/mapping.schema.json holds it."""
    schema: dict[str, Any] = msgspec.json.schema(MappingFile)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = TITLE
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
