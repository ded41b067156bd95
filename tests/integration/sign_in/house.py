"""The parts of a console's door, as a stack would have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import boto3
import httpx

from pim_connector.aws.table import Table
from pim_connector.console.app_connection import AppConnection, AppSecret
from pim_connector.console.people import People
from pim_connector.console.sessions import OneTime, Sessions
from pim_connector.console.sign_in import Door
from pim_connector.console.web import Answer, Request

KEY = b"a key of 32 bytes, made for tests"
START = 1_800_000_000.0
SCOPES = ("openid", "profile", "read_catalog_structure", "write_products")


@dataclass
class Clock:
    """Epoch seconds that a test moves."""

    at: float

    def __call__(self) -> float:
        return self.at


@dataclass
class House:
    """One stack's door; `pim_url` is the PIM it serves, `scopes` what its sources use."""

    clock: Clock
    key: bytes
    stack: str = "shop"
    pim_url: str = "https://pim.example.com"
    scopes: tuple[str, ...] = SCOPES
    new_http: Callable[[], httpx.Client] = httpx.Client

    @property
    def state_table(self) -> Table:
        return Table(boto3.client("dynamodb"), "StateTable")

    @property
    def one_time(self) -> OneTime:
        return OneTime(self.state_table, now=self.clock)

    @property
    def sessions(self) -> Sessions:
        return Sessions(key=self.key, stack=self.stack, table=self.state_table, now=self.clock)

    @property
    def people(self) -> People:
        return People(Table(boto3.client("dynamodb"), "RunTable"), now=self.clock)

    @property
    def secret(self) -> AppSecret:
        return AppSecret(boto3.client("secretsmanager"), "akeneo")

    @property
    def app(self) -> AppConnection:
        return AppConnection(
            pim_url=self.pim_url,
            secret=self.secret,
            one_time=self.one_time,
            scopes=lambda: self.scopes,
            now=self.clock,
            new_http=self.new_http,
        )

    @property
    def door(self) -> Door:
        return Door(
            sessions=self.sessions, one_time=self.one_time, people=self.people, app=self.app
        )

    def answer(self, request: Request) -> Answer:
        answer = self.door.answer(request)
        assert answer is not None, f"{request.path} is not the door's"
        return answer


@dataclass
class Cookies:
    """What one browser keeps of one site."""

    held: dict[str, str] = field(default_factory=dict)

    def keep(self, answer: Answer) -> None:
        for line in answer.cookies:
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if "Max-Age=0" in attributes:
                self.held.pop(name, None)
            else:
                self.held[name] = value
