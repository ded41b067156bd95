"""Fuzzes one target in this process; `python -m tests.fuzz` starts it.

atheris ends the process itself, with a status of its own when something was found.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec

from tests.fuzz.__main__ import CORPUS, FOUND, MEMORY_MEGABYTES, SLOW_SECONDS


def by_coverage(name: str, seconds: int) -> None:
    """Let libFuzzer look for bytes that reach new code."""
    import atheris  # type: ignore[import-untyped]  # in an environment of its own

    with atheris.instrument_imports(include=["pim_connector"]):
        from tests.fuzz.targets import TARGETS
    target, corpus = TARGETS[name], CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOW_SECONDS}",
        f"-rss_limit_mb={MEMORY_MEGABYTES}",
        f"-artifact_prefix={FOUND / name}/",
        "-max_len=16384",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.feed)
    atheris.Fuzz()


def by_mutation(name: str, seconds: int) -> None:
    """Let hypothesis spoil the seeds, in rounds, until the time is over."""
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.mutations import mutated
    from tests.fuzz.targets import TARGETS

    target, tried = TARGETS[name], 0
    ends = time.monotonic() + seconds

    @settings(
        max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(mutated(target.seeds))
    def one_round(data: bytes) -> None:
        nonlocal tried
        tried += 1
        try:
            target.feed(data)
        except Exception:
            (FOUND / name / "by-mutation").write_bytes(data)
            raise

    while time.monotonic() < ends:
        one_round()
    print(f"{tried} tried")


if __name__ == "__main__":
    chosen = by_coverage if find_spec("atheris") else by_mutation
    chosen(sys.argv[1], int(sys.argv[2]))
