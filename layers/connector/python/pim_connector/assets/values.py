"""A mapped asset: what the PIM shall hear of one asset of the DAM."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from lxml import etree
from msgspec import Struct

from pim_connector.akeneo.structure import AssetAttribute
from pim_connector.dam.expressions import as_text
from pim_connector.errors import ConfigurationError
from pim_connector.mapping import language
from pim_connector.mapping.context import Value, View, to_text
from pim_connector.mapping.converters import Refusal, read_boolean, read_date, to_code
from pim_connector.mapping.expressions import Compiler
from pim_connector.mapping.language import (
    BooleanFormat,
    CodeFormat,
    NumberFormat,
    PlainStep,
    Scalar,
    Step,
)
from pim_connector.mapping.loading import Mapping as MappingFileInPlace
from pim_connector.mapping.loading import Path, Places, dotted
from pim_connector.mapping.numbers import plain, read_number
from pim_connector.mapping.results import FieldError, Json, Slot, WantedOption
from pim_connector.outcomes import Problem, State
from pim_connector.sync.comparison import slot_hashes

SlotKey = tuple[str, ...]


class MediaFile(Struct, frozen=True, kw_only=True):
    """A file to download from the DAM and to upload to the PIM, for the value at `key`.

    `identity` changes when the binary does and stays when only a signature in the URL changes.
    """

    key: SlotKey
    url: str
    name: str
    identity: str


class LinkTarget(Struct, frozen=True, kw_only=True):
    """A product's asset collection that the asset belongs into."""

    resource: str
    product: str
    attribute: str
    locale: str | None
    channel: str | None


class MappedAsset(Struct, frozen=True, kw_only=True):
    """An asset in slots; a media file's slot holds its identity until the file is uploaded."""

    dam_id: str
    family: str
    code: str
    slots: tuple[Slot, ...]
    options: tuple[WantedOption, ...] = ()
    media: tuple[MediaFile, ...] = ()
    links: tuple[LinkTarget, ...] = ()
    warnings: tuple[FieldError, ...] = ()

    @property
    def hashes(self) -> bytes:
        """Pack the hash of every slot; two equal ones mean that the PIM need not hear of it."""
        return slot_hashes(self.slots)

    def payload(
        self,
        slots: Iterable[Slot] | None = None,
        media_codes: Mapping[SlotKey, str] | None = None,
    ) -> dict[str, Json]:
        """Make the entry of the collection PATCH
        (https://api.akeneo.com/concepts/asset-manager.html).

        `slots`: a subset, else all. `media_codes`: codes of uploaded files by slot key; a file
        that has none yet is shown by its identity, which is for reading only.
        """
        codes = media_codes or {}
        values: dict[str, list[Json]] = {}
        for slot in self.slots if slots is None else slots:
            _, attribute, locale, channel = slot.key
            data = codes.get(slot.key, slot.data)
            values.setdefault(attribute, []).append(
                {"locale": locale or None, "channel": channel or None, "data": data}
            )
        body: dict[str, Json] = {"code": self.code}
        if values:
            body["values"] = dict(values)
        return body


# What became of one asset of a message.


AssetState = State
"""`superseded`: a newer version came in the same batch, or the PIM holds it already."""


class AssetOutcome(Struct, frozen=True, kw_only=True):
    """The end of one asset; `problems` says why it was rejected or what was done instead."""

    dam_id: str
    state: AssetState
    code: str | None = None
    problems: tuple[Problem, ...] = ()


def rejected(
    dam_id: str, reason: str, *, code: str | None = None, advice: str | None = None
) -> AssetOutcome:
    """Say why the PIM does not get an asset."""
    problem = Problem(reason=reason, advice=advice)
    return AssetOutcome(dam_id=dam_id, state="rejected", code=code, problems=(problem,))


def problems_of(errors: Sequence[FieldError]) -> tuple[Problem, ...]:
    """Turn the mapping's errors into the report's words."""
    return tuple(
        Problem(
            reason=error.message, attribute=error.attribute, source=error.source, value=error.value
        )
        for error in errors
    )


# Tells URLs that stop working from those that may be written into a PIM.
#
# A PIM keeps a media link for years; a signed download URL of a DAM works for minutes or days
# (Acquia's `_links.download`, Brandfolder's thumbnails, presigned S3). It is refused rather than
# stored, because nobody notices until the pictures are gone.


_EXPIRING = frozenset(
    {
        "expires",  # Amazon S3 (version 2), CloudFront, Google Cloud Storage, Acquia
        "expire",
        "expiration",
        "expires_at",
        "expires_in",
        "expiry",
        "exp",
        "signature",
        "sig",  # Azure shared access signatures
        "se",
        "key-pair-id",  # CloudFront
        "policy",
        "hdnea",  # Akamai
        "hdnts",
        "hdntl",
        "access_token",
        "auth_token",
        "token",
        "jwt",
        "oh",  # Facebook's CDN
        "oe",
        "verify",
    }
)
_EXPIRING_PREFIXES = ("x-amz-", "x-goog-", "x-oss-", "x-cos-")


def expiring_parameter(url: str) -> str | None:
    """Name the query parameter that shows that the URL expires or carries a secret; else None."""
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        lowered = name.lower()
        if lowered in _EXPIRING or lowered.startswith(_EXPIRING_PREFIXES):
            return name
    return None


def without_query(url: str) -> str:
    """Return the part of a signed URL that stays the same from one signature to the next."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def is_web_url(text: str) -> bool:
    """Say whether this is an absolute http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


# The ERP mapping's steps on a DAM's values: the one set of converters meets JSON here only.


Steps = Callable[[list[Any]], list[Any]]
"""Values in, values out. Raises Refusal for a value a step cannot take."""


class _StepCompiler(Compiler):
    """Compiles steps of a DAM source file; those that need an XML file are refused."""

    def __init__(self, where: str, maps: Mapping[str, Mapping[str, Scalar | None]]) -> None:
        file = language.MappingFile(
            version=1, maps={name: dict(pairs) for name, pairs in maps.items()}, records={}
        )
        super().__init__(MappingFileInPlace(name=where, file=file, places=Places({}), digest=""))
        self._where = where

    def problem(self, path: Path, message: str) -> None:
        self.problems.append(f"{self._where}.{dotted(path)}: {message}")

    def _step(self, step: Step, path: Path) -> Any:
        if step.lookup is not None or step.ancestors is not None:
            raise Refusal("needs a table of an ERP file; use `map`", step.lookup or step.ancestors)
        if isinstance(step.date, language.Source):
            raise Refusal("needs an ERP file; write the pattern", "date")
        return super()._step(step, path)


def compile_steps(
    steps: Sequence[PlainStep | Step],
    *,
    where: str,
    maps: Mapping[str, Mapping[str, Scalar | None]],
) -> Steps:
    """Compile the steps of one rule; `where` names file and key.

    Raises ConfigurationError that says all that is wrong with them.
    """
    if not steps:
        return lambda values: values
    compiler = _StepCompiler(where, maps)
    compiled = compiler.steps(steps, ("steps",))
    if compiler.problems:
        raise ConfigurationError("\n".join(compiler.problems))
    node = etree.Element("asset")
    view = View({}, {}, node, lambda *_: [])

    def run(values: list[Any]) -> list[Any]:
        running = [_value(value) for value in values]
        for step in compiled:
            running = step(running, view, node)
        return running

    return run


def word(value: Any) -> str:
    """Write a value of JSON or of a step as text: exact digits, true/false, ISO 8601."""
    return to_text(value) if isinstance(value, Decimal | date) else as_text(value)


def _value(value: Any) -> Value:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    raise Refusal("an object instead of a value; select one of its keys", str(value)[:80])


# A value in the shape that the asset family's attribute wants it in, or a refusal in words.
#
# Shapes: https://api.akeneo.com/concepts/asset-manager.html


WORDS: Final = BooleanFormat(true=["true", "1", "yes"], false=["false", "0", "no"])
OPTION_CODE: Final = CodeFormat(lower=True, max_length=255)
RECORD_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,255}")


def text(attribute: AssetAttribute, values: list[Any]) -> Json:
    """One text within the attribute's length."""
    found = word(_only(values))
    longest = attribute.max_characters
    if longest is not None and len(found) > longest:
        raise Refusal(f"{len(found)} characters; the PIM takes {longest}", found[:80])
    return found


def number(attribute: AssetAttribute, values: list[Any]) -> Json:
    """A number as text, exact, within the attribute's bounds."""
    found = read_number(word(_only(values)), NumberFormat())
    if not attribute.decimals_allowed and found != found.to_integral_value():
        raise Refusal("the PIM takes whole numbers only here; use a `round` step", plain(found))
    if attribute.min_value is not None and found < Decimal(attribute.min_value):
        raise Refusal(f"less than {attribute.min_value}, the least the PIM takes", plain(found))
    if attribute.max_value is not None and found > Decimal(attribute.max_value):
        raise Refusal(f"more than {attribute.max_value}, the most the PIM takes", plain(found))
    return plain(found)


def boolean(_: AssetAttribute, values: list[Any]) -> Json:
    """True or false, also from the words for them."""
    return read_boolean(word(_only(values)), WORDS)


def day(_: AssetAttribute, values: list[Any]) -> Json:
    """ISO 8601 to the second with a zone; a time without one is UTC."""
    value = _only(values)
    read = value if isinstance(value, date) else read_date(word(value), "iso")
    moment = read if isinstance(read, datetime) else datetime.combine(read, time())
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return zoned.replace(microsecond=0).isoformat()


def record(_: AssetAttribute, values: list[Any]) -> Json:
    """The code of a reference entity's record; it is not checked whether that exists."""
    code = word(_only(values))
    if not RECORD_CODE.fullmatch(code):
        raise Refusal("a record's code has only letters, digits and `_`; use a `code` step", code)
    return code


def option(value: Any, known: frozenset[str] | None) -> str:
    """The code of one option: the PIM's spelling where it has it, else made of the DAM's word."""
    if isinstance(value, dict):
        raise Refusal("an object instead of a value; select one of its keys", sorted(value))
    name = word(value)
    spelled = {code.casefold(): code for code in known or ()}
    if name.casefold() in spelled:
        return spelled[name.casefold()]
    code = to_code(name, OPTION_CODE)
    return spelled.get(code.casefold(), code)


def link(
    attribute: AssetAttribute, values: list[Any], *, base_url: str | None, stable: bool
) -> Json:
    """What stands between the attribute's prefix and suffix; never a URL that will expire."""
    found = _spelled_out(absolute(word(_only(values)), base_url if not attribute.prefix else None))
    expiring = expiring_parameter(found)
    if expiring and not stable:
        raise Refusal(
            f"this URL will stop working or holds a secret (parameter {expiring}); map a permanent"
            " one, write a `template`, or say `stable: true` if it is permanent",
            found.partition("?")[0],
        )
    if attribute.media_type in ("youtube", "vimeo"):
        return found
    prefix, suffix = attribute.prefix or "", attribute.suffix or ""
    if not prefix and not is_web_url(found):
        raise Refusal("not a web address; write it out with a `template`", found)
    if prefix and found.startswith(prefix):
        found = found.removeprefix(prefix)
    elif prefix and is_web_url(found):
        raise Refusal(f"the PIM puts {prefix} before it, and this is another address", found)
    return found.removesuffix(suffix) if suffix else found


def absolute(url: str, base_url: str | None) -> str:
    """Complete a relative or protocol-relative URL (Strapi, Contentful) by the DAM's own."""
    if url.startswith("//"):
        return f"https:{url}"
    return urljoin(base_url, url) if base_url and url.startswith("/") else url


def _spelled_out(url: str) -> str:
    """Escape what may not stand in a URL (spaces, letters beyond ASCII); what is escaped stays."""
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]")


def _only(values: list[Any]) -> Any:
    if len(values) > 1:
        raise Refusal(f"expected one value, found {len(values)}; use `first` or `join`", values)
    if isinstance(values[0], dict):
        raise Refusal("an object instead of a value; select one of its keys", sorted(values[0]))
    return values[0]


PLAIN_TYPES: Final[dict[str, Callable[[AssetAttribute, list[Any]], Json]]] = {
    "text": text,
    "number": number,
    "boolean": boolean,
    "date": day,
    "record": record,
}
"""Types whose value follows from the DAM's alone. Options, links and files need more."""
