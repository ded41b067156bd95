"""Uploading a media file and linking it to its product or product model in one go.

Source: the PIM's media file controller.
"""

from typing import Any

from simulators.akeneo.model_writes import link_model_value
from simulators.akeneo.multipart import Part
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_writes import link_product_value
from simulators.akeneo.refusal import PropertyError, Refusal, bad_json

_KEYS = {"product": "identifier", "product_model": "code"}
_NAMES = {"product": "Product", "product_model": "Product model"}


def upload_media(pim: Pim, parts: dict[str, Part]) -> str:
    """Store the file and set it as a value; returns its key, raises `Refusal`."""
    kinds = [kind for kind in _KEYS if kind in parts]
    if len(kinds) == 2:
        raise Refusal(422, 'You should give either a "product" or a "product_model" key.')
    if not kinds:
        raise Refusal(
            422,
            "You should at least give one of the following properties: "
            '"product" or "product_model".',
        )
    kind = kinds[0]
    target = _target(kind, parts[kind].content)
    owner = _owner(pim, kind, target)
    file = parts.get("file")
    if file is None or file.filename is None:
        raise Refusal(422, 'Property "file" is required.')
    stored = pim.media.store(file.filename, file.content)
    entry = {"locale": target["locale"], "scope": target["scope"], "data": stored.key}
    try:
        link = link_product_value if kind == "product" else link_model_value
        link(pim, owner, target["attribute"], entry)
    except (PropertyError, Refusal) as error:
        del pim.media.files[stored.key]
        if isinstance(error, PropertyError):
            raise Refusal(422, str(error)) from None
        raise
    return stored.key


def _target(kind: str, content: bytes) -> dict[str, Any]:
    try:
        target = decode(content)
    except InvalidJsonError:
        raise bad_json() from None
    if target is None:
        raise bad_json()
    keys = (_KEYS[kind], "attribute", "locale", "scope")
    if not isinstance(target, dict) or not all(key in target for key in keys):
        raise Refusal(
            422,
            f'{_NAMES[kind]} property must contain "{keys[0]}", "attribute", "locale" '
            'and "scope" properties.',
        )
    return target


def _owner(pim: Pim, kind: str, target: dict[str, Any]) -> Any:
    code = str(target[_KEYS[kind]])
    owner = pim.product_by_identifier(code) if kind == "product" else pim.model(code)
    if owner is None:
        raise Refusal(422, f'{_NAMES[kind]} "{code}" does not exist.')
    return owner
