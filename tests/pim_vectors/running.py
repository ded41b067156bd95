"""Running the cases against one simulator."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.editions import EDITIONS
from simulators.akeneo.pim import Pim, utc_now
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.server import serve
from tests.pim_vectors.comparing import differences
from tests.pim_vectors.intents import UnknownStepError
from tests.pim_vectors.preconditions import Catalogs, set_up, take
from tests.pim_vectors.reading import unmet
from tests.pim_vectors.sending import Sender
from tests.pim_vectors.vectors import IN_SCOPE, Vector, recorded_uuids, skip_reasons, vectors_of

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one case went; `reason` says what differs, or why it was left out."""

    vector: Vector
    result: str
    reason: str = ""


_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")


def _clock(moment: re.Match[str], seconds: int) -> Callable[[], datetime]:
    """A clock that stands still near the moment that a case asks about."""
    told = datetime.fromisoformat(moment.group()).replace(tzinfo=UTC)
    return lambda: told + timedelta(seconds=seconds)


class Runner:
    """A simulator with a client, which takes one case after the other."""

    def __init__(self, folder: Path, pim: Pim, client: httpx.Client) -> None:
        self.pim = pim
        self.client = client
        self.catalogs = Catalogs(folder)
        self.skipped = skip_reasons()

    def run(self, vector: Vector) -> Outcome:
        """Run one case."""
        reason = self.skipped.get((vector.file, vector.name))
        if reason is not None:
            return Outcome(vector=vector, result=SKIPPED, reason=reason)
        try:
            wrong = "; ".join(self._wrong(vector))
        except Refusal as refusal:
            wrong = f"the set-up was refused: {refusal.message} {refusal.errors or ''}"
        except UnknownStepError as error:
            wrong = f"the set-up is not understood: {error}"
        except (KeyError, ValueError, TypeError, AttributeError, httpx.HTTPError) as error:
            wrong = f"{type(error).__name__}: {error}"
        return Outcome(vector=vector, result=FAILED if wrong else PASSED, reason=wrong)

    def _wrong(self, vector: Vector) -> Iterator[str]:
        moment = _TIME.search(vector.request["path"])
        self.pim.now = _clock(moment, -60) if moment else utc_now
        scene = set_up(self.pim, self.catalogs, vector)
        self.pim.now = _clock(moment, 60) if moment else utc_now
        sender = Sender(self.client, scene)
        for request in vector.before:
            sender.send(request)
        for step in scene.later:
            take(scene, step)
        response = sender.send(vector.request)
        yield from differences(vector.expect, response, sender.fill)
        yield from unmet(sender, vector.expect.get("post_state") or [])


@contextmanager
def runner_for(folder: Path) -> Iterator[Runner]:
    """A runner with a simulator of its own, over real HTTP."""
    pim = Pim(catalog=from_resources({}), edition=EDITIONS["ce-7.0"])
    with serve(create_app(pim)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield Runner(folder, pim, client)


def run_all(folder: Path, files: tuple[str, ...] = IN_SCOPE) -> Iterator[Outcome]:
    """Every case of these files that the folder has."""
    with runner_for(folder) as runner:
        for file in files:
            if (folder / f"{file}.json").exists():
                vectors = list(vectors_of(folder, file))
                runner.catalogs.uuids = recorded_uuids(vectors)
                for vector in vectors:
                    yield runner.run(vector)
