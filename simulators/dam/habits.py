"""The bad habits of real DAMs, each a switch; with all of them off it is a DAM to wish for."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Ties = Literal["by_id", "random"]
StampFormat = Literal["iso_z", "naive", "space", "epoch", "epoch_ms", "compact"]


class Habits(Struct, kw_only=True, forbid_unknown_fields=True):
    """How this DAM misbehaves. Times are in seconds, chances between 0 and 1.

    Stamps: `printed_step_s` is what is printed (Directus on SQLite prints seconds and stores
    milliseconds), `index_step_s` what the index filters and sorts by (Plone: a minute), `zone`
    the zone of stamps printed without one, `stamp_format` how they are printed. `ties` is the
    order of equal stamps. `exclusive_since` gives only what is later.

    Lists: `page_cap` is given silently where more is asked, `total` is what is said to be there.

    Visibility: `late_commit_s` is how long after its stamp a change may become visible at all,
    `index_lag_s` how much later than by id it is in a list.

    Deletions: `deleted_status` by id, `deleted_in_list` keeps a flagged row, `deletion_feed`.

    Load: every `throttle_every`-th request is refused with `throttle_status`, and how long to
    wait is said as `reset_style`. `error_every` answers 503 without a word.

    Files: `expiring_urls` signs download addresses for `url_lifetime_s`.

    Life: before every list `updates`, `deletes` and `uploads` happen, while `churn` is on.

    Events: each may be lost, sent twice, or sent after the next one.
    """

    printed_step_s: float = 0.001
    index_step_s: float = 0.001
    stamp_format: StampFormat = "iso_z"
    zone: str = "UTC"
    ties: Ties = "by_id"
    exclusive_since: bool = False
    page_cap: int | None = None
    total: Literal["right", "stale", "absent"] = "right"
    late_commit_s: float = 0
    index_lag_s: float = 0
    deleted_status: int = 404
    deleted_in_list: bool = False
    deletion_feed: bool = False
    throttle_every: int | None = None
    throttle_status: Literal[420, 429, 503] = 429
    reset_style: Literal[
        "seconds", "http_date", "epoch", "epoch_ms", "iso", "x_ratelimit", "nothing"
    ] = "seconds"
    throttle_s: float = 1
    error_every: int | None = None
    expiring_urls: bool = False
    url_lifetime_s: float = 900
    churn: bool = False
    updates: int = 1
    deletes: int = 0
    uploads: int = 0
    lose_events: float = 0
    repeat_events: float = 0
    swap_events: float = 0
