"""A value in the shape that the asset family's attribute wants it in, or a refusal in words.

Shapes: https://api.akeneo.com/concepts/asset-manager.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urljoin

from pim_connector.assets.steps import word
from pim_connector.assets.urls import expiring_parameter, is_web_url
from pim_connector.mapping.converters.booleans import read_boolean
from pim_connector.mapping.converters.codes import to_code
from pim_connector.mapping.converters.dates import read_date
from pim_connector.mapping.converters.numbers import plain, read_number
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import BooleanFormat, CodeFormat, NumberFormat
from pim_connector.mapping.result import Json
from pim_connector.structure import AssetAttribute

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
    found = spelled_out(absolute(word(_only(values)), base_url if not attribute.prefix else None))
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


def spelled_out(url: str) -> str:
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
