"""`make house`: prints the measures of the layer, and the way of one product."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout


def main() -> None:
    """Print the table of figures and limits."""
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "PimConnector")
    with redirect_stdout(io.StringIO()):  # the mapper writes its log there
        from tests.house.limits import rows

        found = rows()
    print(f"{'figure':<52}{'now':>8}  limit")
    for row in found:
        print(f"{row.name:<52}{row.now:>8}  {row.limit}{'' if row.holds else '   OVER'}")


if __name__ == "__main__":
    main()
