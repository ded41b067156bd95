"""The simulated DAM as a whole: requests in, answers out, with habits in between.

In process it is `httpx.MockTransport(dam.transport)`; over the wire it is simulators/dam/server.py.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx

from simulators.dam.dialects import DIALECTS, item
from simulators.dam.habits import Habits
from simulators.dam.images import picture
from simulators.dam.library import SECOND, Library
from simulators.dam.listing import Listing
from simulators.dam.requests import Answered, Asked, BadRequestError


class Dam:
    """A DAM. `token`, where given, must come as a bearer token with every request."""

    def __init__(
        self,
        *,
        habits: Habits | None = None,
        clock: Callable[[], float] = time.time,
        seed: int = 1,
        token: str | None = None,
    ) -> None:
        self.library = Library(habits=habits, clock=clock, seed=seed)
        self.listing = Listing(self.library)
        self.token = token
        self.requests: Counter[str] = Counter()

    @property
    def habits(self) -> Habits:
        """The switches; changed ones count from the next request on."""
        return self.library.habits

    def transport(self, request: httpx.Request) -> httpx.Response:
        """Answer an httpx request in process."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(
            method=request.method, url=str(request.url), headers=headers, body=request.read()
        )
        answered = self.answer(asked)
        return httpx.Response(
            answered.status,
            headers={**answered.headers, "Content-Type": answered.content_type},
            content=answered.bytes(),
        )

    def answer(self, asked: Asked) -> Answered:
        """Answer one request, unless a habit gets in the way."""
        self.requests["all"] += 1
        refused = self._refused(asked)
        if refused is not None:
            return refused
        try:
            return self._dated(self._answer(asked))
        except BadRequestError as error:
            return Answered(status=400, body={"error": str(error)})

    def _answer(self, asked: Asked) -> Answered:
        dialect = DIALECTS.get(asked.path)
        if dialect is not None:
            self.requests["list"] += 1
            if self.habits.churn:
                self.live()
            return dialect(self.listing, asked)
        if asked.path.startswith("/assets/"):
            self.requests["item"] += 1
            return self._item(asked)
        if asked.path.startswith("/files/"):
            self.requests["file"] += 1
            return self._file(asked)
        return Answered(status=404, body={"error": f"nothing at {asked.path}"})

    def live(self) -> None:
        """Let happen what happens between two requests."""
        library, habits = self.library, self.habits
        for times, act in ((habits.updates, library.change), (habits.deletes, library.delete)):
            living = sorted(library.living()) if times else []
            for asset_id in library.random.sample(living, min(times, len(living))):
                act(asset_id)
        for _ in range(habits.uploads):
            library.add()

    def _item(self, asked: Asked) -> Answered:
        asset = self.library.assets.get(asked.path.rsplit("/", 1)[1])
        version = asset.at(self.library.now()) if asset else None
        if asset is None or version is None or version.deleted:
            return Answered(status=self.habits.deleted_status, body={"error": "no such asset"})
        return Answered(body={"data": item(self.listing, asset, version, asked.origin)})

    def _file(self, asked: Asked) -> Answered:
        asset = self.library.assets.get(asked.path.rsplit("/", 1)[1].removesuffix(".png"))
        version = asset.at(self.library.now()) if asset else None
        if asset is None or version is None or version.deleted:
            return Answered(status=404, body={"error": "no such file"})
        expires = asked.params.get("Expires")
        if self.habits.expiring_urls and int(expires or 0) < self.library.now() // SECOND:
            return Answered(status=403, body={"error": "the address has expired"})
        content = picture(asset.id, version.properties["version"])
        return Answered(content=content, content_type="image/png")

    def _refused(self, asked: Asked) -> Answered | None:
        habits, count = self.habits, self.requests["all"]
        known = asked.headers.get("authorization") == f"Bearer {self.token}"
        if self.token and not known and not asked.path.startswith("/files/"):
            return Answered(status=401, body={"error": "who are you?"})
        if habits.throttle_every and count % habits.throttle_every == 0:
            self.requests["throttled"] += 1
            headers = self._reset_headers()
            return self._dated(
                Answered(status=habits.throttle_status, body={"error": "slow"}, headers=headers)
            )
        if habits.error_every and count % habits.error_every == 0:
            self.requests["errors"] += 1
            return Answered(status=503, content=b"<h1>Back soon</h1>", content_type="text/html")
        return None

    def _reset_headers(self) -> dict[str, str]:
        now = self.library.now() / SECOND
        until = datetime.fromtimestamp(now + self.habits.throttle_s, UTC)
        match self.habits.reset_style:
            case "seconds":
                return {"Retry-After": f"{self.habits.throttle_s:g}"}
            case "http_date":
                return {"Retry-After": format_datetime(until, usegmt=True)}
            case "epoch":
                return {"X-RateLimit-Reset": str(int(until.timestamp()) + 1)}
            case "epoch_ms":
                return {"X-RateLimit-Reset": str(int(until.timestamp() * 1000))}
            case "iso":
                return {"X-RateLimit-Reset": until.isoformat()}
            case "x_ratelimit":
                return {"X-RateLimit-Reset": f"{self.habits.throttle_s:g}"}
            case "nothing":
                return {}

    def _dated(self, answered: Answered) -> Answered:
        moment = datetime.fromtimestamp(self.library.now() / SECOND, UTC)
        answered.headers.setdefault("Date", format_datetime(moment, usegmt=True))
        return answered
