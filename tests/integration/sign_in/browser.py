"""A browser between the simulated PIM, over real HTTP, and the console's door."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx

from pim_connector.console.sessions import Session
from pim_connector.console.web import Answer, Request, read_request
from tests.integration.sign_in.house import Cookies, House

CONSOLE = "https://console.example"


@dataclass
class Browser:
    """One person's browser: cookies by site, redirects followed in both directions."""

    house: House
    pim: httpx.Client
    cookies: Cookies = field(default_factory=Cookies)
    visited: list[str] = field(default_factory=list)

    def be(self, user: str) -> Browser:
        """Work in the PIM as this user."""
        self.pim.cookies.set("pim-user", user)
        return self

    def open(self, url: str) -> Answer | httpx.Response:
        """Open an address and follow redirects until there is a page."""
        for _ in range(10):
            self.visited.append(url)
            found = self.once(url)
            if isinstance(found, httpx.Response):
                location = found.headers.get("location", "")
            else:
                location = found.location
            if not location:
                return found
            url = urljoin(url, location)
            if url.startswith(CONSOLE) and not self.is_doors(url):
                return Answer(location=urlsplit(url).path)
        raise AssertionError("redirects without end")

    def once(self, url: str) -> Answer | httpx.Response:
        """Open an address and follow nothing."""
        if not url.startswith(CONSOLE):
            return self.pim.get(url)
        answer = self.house.answer(self.request(url))
        self.cookies.keep(answer)
        return answer

    def is_doors(self, url: str) -> bool:
        return urlsplit(url).path.startswith(("/app/", "/sign-"))

    def confirm(self, page: Answer | httpx.Response, decision: str = "confirm") -> Answer:
        """Press a button of the PIM's consent page and come back to the console."""
        assert isinstance(page, httpx.Response), page
        assert page.status_code == 200, page.text
        assert "would like to" in page.text, page.text
        sent = self.pim.post(page.url, data={"decision": decision})
        assert sent.status_code == 302, sent.text
        found = self.open(sent.headers["location"])
        assert isinstance(found, Answer)
        return found

    def request(self, url: str, method: str = "GET") -> Request:
        """The console's call as a function URL delivers it."""
        parts = urlsplit(url)
        event = {
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "cookies": [f"{name}={value}" for name, value in self.cookies.held.items()],
            "headers": {"Host": "console.example"},
            "requestContext": {"http": {"method": method}},
        }
        return read_request(event)

    @property
    def session(self) -> Session | None:
        return self.house.door.session(self.request(f"{CONSOLE}/"))

    def callback(self) -> dict[str, str]:
        """What the PIM sent to the callback address last."""
        last = next(url for url in reversed(self.visited) if "/app/callback" in url)
        return dict(parse_qsl(urlsplit(last).query))


def console(path: str, **query: str) -> str:
    """An address of the console."""
    return f"{CONSOLE}{path}" + (f"?{urlencode(query)}" if query else "")
