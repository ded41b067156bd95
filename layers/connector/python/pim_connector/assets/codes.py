"""Asset and option codes: letters, digits and `_`, always the same for the same DAM id.

Akeneo takes no other characters in codes it validates
(https://api.akeneo.com/concepts/asset-manager.html); a DAM's ids hold hyphens and slashes.
"""

from __future__ import annotations

import re
from hashlib import blake2b

LONGEST = 255

_FOREIGN = re.compile(r"[^A-Za-z0-9_]")


def asset_code(identifier: str, *, prefix: str = "", unique: bool = False) -> str:
    """Derive the asset's code; two identifiers may share one, so somebody must check.

    `unique` adds eight hexadecimal digits of the identifier. So does an identifier that is too
    long, whatever `unique` says.
    """
    plain = prefix + _FOREIGN.sub("_", identifier)
    if not unique and len(plain) <= LONGEST:
        return plain
    mark = blake2b(identifier.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{plain[: LONGEST - 9]}_{mark}"


def option_code(value: str) -> str:
    """Derive the code of an option from what the DAM calls it: `Winter 2024` → `Winter_2024`."""
    return _FOREIGN.sub("_", value.strip())[:LONGEST]
