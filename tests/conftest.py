"""For all tests: what the template gives every function, and properties without a time limit."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "PimConnector")

settings.register_profile("untimed", deadline=None)
if "CI" not in os.environ:  # where hypothesis has a profile of its own: the same examples each time
    settings.load_profile("untimed")
