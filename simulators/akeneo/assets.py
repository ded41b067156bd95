"""Assets as the PIM keeps them."""

from dataclasses import dataclass, field

from simulators.akeneo.entities import Values
from simulators.akeneo.media import MediaStore


@dataclass(slots=True, kw_only=True)
class Asset:
    """One asset of a family. The keys of `values` are attribute, channel and locale."""

    code: str
    family: str
    values: Values = field(default_factory=dict)
    created: str = ""
    updated: str = ""


@dataclass(slots=True)
class Assets:
    """All assets by family (whose code is case-sensitive) and code in lower case."""

    by_family: dict[str, dict[str, Asset]] = field(default_factory=dict)
    media: MediaStore = field(default_factory=MediaStore)

    def get(self, family: str, code: str) -> Asset | None:
        """The asset with this code in any case, or None."""
        return self.by_family.get(family, {}).get(code.lower())

    def put(self, asset: Asset) -> None:
        """Keep an asset, in place of the one with its code."""
        self.by_family.setdefault(asset.family, {})[asset.code.lower()] = asset

    def remove(self, family: str, code: str) -> bool:
        """Take an asset out; False when there was none."""
        return self.by_family.get(family, {}).pop(code.lower(), None) is not None

    def all_of(self, family: str) -> list[Asset]:
        """The family's assets by code."""
        held = self.by_family.get(family, {})
        return [held[code] for code in sorted(held)]
