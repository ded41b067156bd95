"""What goes wrong in a seed: how often, and until when. All chances are drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from random import Random

SECONDS_A_DAY = 86_400.0


@dataclass
class Weather:
    """Chances per call unless said otherwise; zero is a quiet world."""

    kill: float = 0.0
    throttle: float = 0.0
    lost_answer: float = 0.0
    """The call to AWS had its effect, and its answer never came."""
    conflict: float = 0.0
    unprocessed: float = 0.0
    twice: float = 0.0
    """Of an event: that it is delivered a second time."""
    late: float = 0.0
    """Of an event: that it comes after minutes or hours instead of seconds."""
    keep: float = 0.0
    """Of a message that was handled: that its deletion is lost, so that it comes again."""
    cold: float = 0.0
    """Of an invocation: that it gets a new environment although a warm one is free."""
    deadlock: float = 0.0
    too_many: float = 0.0
    retry_after: int | None = None
    server_error: float = 0.0
    cut: float = 0.0
    time_out_before: float = 0.0
    time_out_after: float = 0.0
    dropped: float = 0.0
    forget_tokens: float = 0.0
    payload_limit: int | None = None
    splitter_seconds: float = 900.0
    """What an invocation of the splitter has; a little over 30 makes it stop after a window."""
    outages: list[tuple[float, float]] = field(default_factory=list)
    wrong_secret: list[tuple[float, float]] = field(default_factory=list)
    crashes: list[tuple[float, float]] = field(default_factory=list)
    """Spells in which a worker mostly dies between the PIM's answer and the sync state."""
    calm_from: float = 0.0
    """The time from which nothing goes wrong any more, so that the system can come to rest."""

    @property
    def is_quiet(self) -> bool:
        return self.only_waits and not (self.outages or self.wrong_secret)

    @property
    def is_doubtful(self) -> bool:
        """Whether the PIM may take a product without the connector hearing of it."""
        return any((self.kill, self.lost_answer, self.crashes, *(getattr(self, n) for n in PIM)))

    @property
    def only_waits(self) -> bool:
        """Whether nothing is wrong but that the PIM cannot be reached, or refuses the secret."""
        plain = [f.name for f in fields(self) if isinstance(getattr(self, f.name), float)]
        chances = [getattr(self, n) for n in plain if n not in ("splitter_seconds", "calm_from")]
        return not (any(chances) or self.crashes)


AWS = ("kill", "throttle", "lost_answer", "conflict", "unprocessed", "twice", "late", "keep")
PIM = (
    "deadlock",
    "too_many",
    "server_error",
    "cut",
    "time_out_before",
    "time_out_after",
    "dropped",
    "forget_tokens",
)


def draw_weather(chance: Random, start: float, nights: float) -> Weather:
    """Draw one of: quiet, events only, AWS's bad days, the PIM's, everything at once."""
    weather = Weather(calm_from=start + nights)
    kind = chance.choice(("quiet", "events", "aws", "kills", "pim", "outage", "all", "all"))
    if kind == "quiet":
        return weather
    if kind in ("events", "kills", "all"):
        weather.twice, weather.late = chance.choice((0.1, 0.5)), chance.choice((0.05, 0.3))
        weather.keep, weather.cold = chance.choice((0.0, 0.1, 0.3)), chance.choice((0.1, 0.5))
    if kind in ("kills", "all"):
        weather.kill = chance.choice((0.002, 0.01, 0.03, 0.06))
    if kind in ("aws", "all"):
        for name in ("throttle", "lost_answer", "conflict", "unprocessed"):
            setattr(weather, name, chance.choice((0.0, 0.01, 0.03)))
    if kind in ("pim", "all"):
        for name in PIM:
            setattr(weather, name, chance.choice((0.0, 0.0, 0.02, 0.1)))
        weather.cut = chance.choice((weather.cut, weather.cut, 0.6))
        weather.retry_after = chance.choice((None, 1, 30, 600))
        weather.payload_limit = chance.choice((None, None, 700, 1500))
    if kind in ("outage", "all"):
        hours = chance.choice((0.2, 3.0, 8.0))
        evening = start + SECONDS_A_DAY * chance.randrange(max(1, int(nights / SECONDS_A_DAY)))
        begin = evening + chance.uniform(-hours * 1800, 3600)
        spell = (begin, begin + hours * 3600)
        (weather.outages if chance.random() < 0.7 else weather.wrong_secret).append(spell)
        weather.calm_from = max(weather.calm_from, spell[1])
    if kind in ("kills", "all") and chance.random() < 0.3:
        begin = start + chance.randrange(1, 4) * SECONDS_A_DAY
        weather.crashes.append((begin, begin + SECONDS_A_DAY))
        weather.calm_from = max(weather.calm_from, begin + SECONDS_A_DAY)
    weather.splitter_seconds = chance.choice((900.0, 900.0, 30.4, 31.0, 33.0))
    return weather
