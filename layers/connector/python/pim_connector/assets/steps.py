"""The ERP mapping's steps on a DAM's values: the one set of converters, met here only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pim_connector.errors import ConfigurationError
from pim_connector.mapping.language import PlainStep, Scalar, Step

Steps = Callable[[list[Any]], list[Any]]


def compile_steps(
    steps: Sequence[PlainStep | Step],
    *,
    where: str,
    maps: Mapping[str, Mapping[str, Scalar | None]],
) -> Steps:
    if not steps:
        return lambda values: values
    raise ConfigurationError(f"{where}: steps {len(maps)}")
