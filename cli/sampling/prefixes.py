"""Readable prefixes for the namespaces of a file, the same wherever the file declares them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pim_connector.erp.elements import Tag

DEFAULT = "default"
_TAG = re.compile(r"\{(.*)\}(.+)", re.DOTALL)


@dataclass(slots=True)
class Prefixes:
    """URI → prefix as the mapping will declare it; those of the file where they are free.

    `default` serves one namespace of names without prefix. Where the file has names without prefix
    in no namespace as well, it serves none, or the mapping could not tell the two apart. Attributes
    of the namespace it serves have a prefix all the same: `of_attributes`.
    """

    used: dict[str, str] = field(default_factory=dict)
    of_attributes: dict[str, str] = field(default_factory=dict)
    bare_names: bool = False
    without_default: bool = False

    @property
    def declared(self) -> dict[str, str]:
        """Prefix → URI, as the mapping declares them."""
        both = [*self.used.items(), *self.of_attributes.items()]
        return {prefix: uri for uri, prefix in both}

    def in_force(self, above: dict[str, str], tag: Tag) -> dict[str, str]:
        """File prefix → URI inside an element."""
        declared = {
            name[6:]: uri
            for name, uri in tag.attributes.items()
            if name == "xmlns" or name.startswith("xmlns:")
        }
        return {**above, **declared} if declared else above

    def step(self, name: str, names: dict[str, str]) -> str:
        """The step of a path for a name as the file writes it."""
        prefix, _, local = name.rpartition(":")
        uri = names.get(prefix, "")
        return self._step(uri, local, prefix)

    def of_tag(self, tag: str) -> str:
        """The step for a name in lxml's notation, `{uri}local`."""
        found = _TAG.fullmatch(tag)
        return self._step(found[1], found[2], "") if found else tag

    def of_attribute(self, tag: str) -> str:
        """The step for an attribute; those without prefix are in no namespace."""
        found = _TAG.fullmatch(tag)
        if not found:
            return f"@{tag}"
        if found[1] == "http://www.w3.org/XML/1998/namespace":
            return f"@xml:{found[2]}"
        if self.used.get(found[1]) == DEFAULT:
            if found[1] not in self.of_attributes:
                self.of_attributes[found[1]] = self._free("a")
            return f"@{self.of_attributes[found[1]]}:{found[2]}"
        return f"@{self._step(found[1], found[2], 'a')}"

    def _step(self, uri: str, local: str, prefix: str) -> str:
        if not uri:
            self.bare_names = True
            return local
        if uri not in self.used:
            self.used[uri] = self._free(prefix or ("" if self.without_default else DEFAULT))
        chosen = self.used[uri]
        return local if chosen == DEFAULT else f"{chosen}:{local}"

    def _free(self, wanted: str) -> str:
        taken = {*self.used.values(), *self.of_attributes.values()}
        if wanted and wanted not in taken:
            return wanted
        base = "ns" if wanted in ("", DEFAULT) else wanted
        return next(f"{base}{n}" for n in range(1, 10_000) if f"{base}{n}" not in taken)
