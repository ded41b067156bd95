"""What `doctor` found: one thing that was looked at."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Level = Literal["ok", "note", "warning", "problem"]


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at; `advice` says what to do where it is not well."""

    level: Level
    about: str
    found: str
    advice: str | None = None
