"""Absolute element paths as the mapping writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pim_connector.erp.paths import ANY, ElementPath, PathStep
from pim_connector.mapping.xpaths import XPathError, qualified

_NAME = r"[^\W\d][\w.\-\u00b7]*"
_STEP = re.compile(rf"(//?)((?:{_NAME}:)?{_NAME}|\*)(?=/|$|\[)")
_ATTRIBUTE = re.compile(rf"/@(?:{_NAME}:)?{_NAME}")


def element_path(text: str, namespaces: Mapping[str, str]) -> ElementPath:
    """A record, table or `within` path: names and `*` from the root down, `//` for any depth.

    Raises XPathError; conditions belong into `when`.
    """
    path, rest = _leading(text, namespaces)
    if rest:
        raise XPathError(
            f"expected an absolute path of element names such as /catalog/product, not `{text}`; "
            "conditions belong under `when`"
        )
    return path


def head_anchor(text: str, namespaces: Mapping[str, str]) -> ElementPath:
    """The elements that a head expression needs: its plain steps from the root, as far as they go.

    Only the start tag where an attribute follows. Raises XPathError.
    """
    path, rest = _leading(text, namespaces)
    if any(step.deep for step in path.steps):
        raise XPathError("a head value needs its path from the root, without //")
    return ElementPath(path.text, path.steps, shallow=bool(_ATTRIBUTE.fullmatch(rest)))


def _leading(text: str, namespaces: Mapping[str, str]) -> tuple[ElementPath, str]:
    steps: list[PathStep] = []
    place = 0
    while found := _STEP.match(text, place):
        slashes, name = found.groups()
        plain = name if name == ANY else qualified(name, namespaces)
        steps.append(PathStep(plain, deep=slashes == "//"))
        place = found.end()
    if not steps:
        raise XPathError(f"expected an absolute path such as /catalog/product, not `{text}`")
    return ElementPath(text[:place], tuple(steps)), text[place:]
