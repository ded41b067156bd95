"""For all tests: what the template gives every function, before a handler is imported."""

from __future__ import annotations

import os

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "PimConnector")
