"""The `assets` part of a DAM source file: how a DAM's properties become Akeneo assets.

These types validate the file and make its JSON Schema, so field names are what users write. An
expression is JMESPath (https://jmespath.org/specification.html) over the asset's properties.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pim_connector.mapping.language import Missing, OptionPolicy, Owner, PlainStep, Scalar, Step

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,255}$", description="a code of the PIM")]
AttributeType = Literal[
    "text",
    "single_option",
    "multiple_options",
    "number",
    "boolean",
    "date",
    "record",
    "media_link",
    "media_file",
]


class Pick(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={"source": "from"},
):
    """Where values come from: one of `from`, `template` and `value`; then the steps, in order.

    The steps are those of the ERP mapping (`extract`, `split`, `map`, `number`, `date` …), except
    those that need tables of an XML file.
    """

    source: Annotated[str | None, Meta(description="JMESPath over the asset's properties")] = None
    template: Annotated[
        str | None,
        Meta(description="text with {{JMESPath}} in it, such as a URL that never expires"),
    ] = None
    value: Annotated[Any, Meta(description="a constant")] = None
    steps: list[PlainStep | Step] = []


class AttributeRule(Pick, frozen=True, kw_only=True):
    """Fills one attribute of the asset family."""

    families: Annotated[
        tuple[Code, ...], Meta(description="asset families this is for; none means all")
    ] = ()
    locale: str | None = None
    channel: str | None = None
    owner: Annotated[
        Owner, Meta(description="when it is written, and so who may change it in the PIM")
    ] = "on_change"
    absent: Annotated[
        Missing, Meta(description="what becomes of the PIM's value where the DAM has none")
    ] = "clear"
    options: Annotated[OptionPolicy, Meta(description="what to do with an unknown option")] = (
        "create"
    )
    stable: Annotated[
        bool, Meta(description="this URL does not expire, although it looks as if it did")
    ] = False
    file_name: Annotated[
        str | None, Meta(description="JMESPath of a media file's name; else the URL's last part")
    ] = None
    file_version: Annotated[
        str | None,
        Meta(description="JMESPath of what changes with the binary: a checksum or revision"),
    ] = None


class CodeRule(Pick, frozen=True, kw_only=True):
    """How an asset's code follows from the DAM: the same for ever, and unlike any other's.

    Without `from`, `template` or `value` it is the DAM's own id. Letters lose their accents and
    whatever is no letter, digit or `_` becomes `_`. Two ids that give one code are found and the
    second is rejected; `distinct` appends a short hash where characters were lost, so that cannot
    happen.
    """

    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]*$", max_length=50)] = ""
    distinct: bool = False
    lower: bool = False


class ProductLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The connector appends the asset to these products' collection and keeps what is there."""

    products: Annotated[
        str | Pick, Meta(description="JMESPath or rule of one identifier or several")
    ]
    attribute: Annotated[Code, Meta(description="the products' asset collection attribute")]
    resource: Literal["product", "product_model"] = "product"
    locale: str | None = None
    channel: str | None = None


class OnDelete(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the PIM's asset once it is gone from the DAM, or is no product asset."""

    action: Literal["ignore", "unlink", "disable", "delete"] = "ignore"
    attribute: Annotated[Code | None, Meta(description="for disable: the attribute to set")] = None
    value: Annotated[Any, Meta(description="for disable: what to set it to")] = None
    max_share: Annotated[
        float,
        Meta(gt=0, le=100, description="percent; a reconciliation over it waits for an operator"),
    ] = 5.0


class MediaRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files may be downloaded from the DAM to be uploaded to the PIM."""

    hosts: Annotated[
        tuple[str, ...],
        Meta(description="host names, or *.example.com, beside the one of base_url"),
    ] = ()
    max_megabytes: Annotated[int, Meta(ge=1, le=2000)] = 200
    types: Annotated[
        tuple[str, ...], Meta(description="content types such as image/* ; none means any")
    ] = ()
    timeout_s: Annotated[int, Meta(ge=1, le=600)] = 120


class AttributeSetup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An attribute as `assets setup` creates it. The PIM never lets its code or type change."""

    type: AttributeType
    labels: dict[str, str] = {}
    per_locale: bool = False
    per_channel: bool = False
    media_type: Literal["image", "pdf", "youtube", "vimeo", "other"] | None = None
    prefix: str | None = None
    suffix: str | None = None
    decimals: bool = False
    textarea: bool = False
    reference_entity: Code | None = None
    extensions: tuple[str, ...] = ()
    max_file_megabytes: int | None = None


class FamilySetup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An asset family as `assets setup` creates or checks it."""

    labels: dict[str, str] = {}
    main_media: Code | None = None
    link_rules: Annotated[
        tuple[dict[str, Any], ...],
        Meta(max_length=2, description="Akeneo's product link rules, in Akeneo's own words"),
    ] = ()
    attributes: dict[Code, AttributeSetup] = {}


class AssetMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything between a DAM's properties and the PIM's assets."""

    family: Annotated[
        Code | Pick, Meta(description="the asset family's code, or where it comes from")
    ]
    attributes: Annotated[
        dict[Code, str | AttributeRule | tuple[str | AttributeRule, ...]],
        Meta(min_length=1, description="attribute code: JMESPath, rule, or several rules"),
    ]
    only: Annotated[
        str | None,
        Meta(description="JMESPath; assets it does not hold for are no product assets"),
    ] = None
    code: CodeRule = CodeRule()
    maps: dict[str, dict[str, Scalar | None]] = {}
    locale: Annotated[
        str | Pick | None, Meta(description="for localizable attributes whose rule names none")
    ] = None
    channel: Annotated[
        str | Pick | None, Meta(description="for scopable attributes whose rule names none")
    ] = None
    links: tuple[ProductLink, ...] = ()
    on_delete: OnDelete = OnDelete()
    media: MediaRules = MediaRules()
    families: Annotated[
        dict[Code, FamilySetup], Meta(description="what `assets setup` creates or checks")
    ] = {}
