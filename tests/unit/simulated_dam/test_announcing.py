"""What the simulated DAM announces is what the connector takes for a DAM's own."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pim_connector.dam.event_types import (
    AdobeVerification,
    BasicVerification,
    ConcatHashVerification,
    ContentfulVerification,
    HmacVerification,
    SharedHeaderVerification,
    SnsVerification,
    Verification,
)
from pim_connector.webhooks.certificates import PublicKeys
from pim_connector.webhooks.endpoint import Trust, verify
from pim_connector.webhooks.requests import Refused, Request, Verified
from simulators.dam.announcer import Announcer, Webhook
from simulators.dam.habits import Habits
from simulators.dam.library import Library
from simulators.dam.signatures import SCHEMES, Signing

NOW = 1_790_000_000.0
URL = "https://x.lambda-url.eu-west-1.on.aws/sim"
SECRET = "{{secret.webhook}}"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

CASES: dict[str, tuple[Signing, Verification]] = {
    "hmac": (
        Signing(scheme="hmac", secret="s3cret", header="X-Sig", prefix="sha256="),
        HmacVerification(header="X-Sig", secret=SECRET, prefix="sha256="),
    ),
    "concat_hash": (
        Signing(scheme="concat_hash", secret="s3cret", algorithm="sha1"),
        ConcatHashVerification(secret=SECRET),
    ),
    "shared_header": (
        Signing(scheme="shared_header", secret="s3cret", header="X-Key"),
        SharedHeaderVerification(header="X-Key", secret=SECRET),
    ),
    "basic": (
        Signing(scheme="basic", secret="dam:s3cret"),
        BasicVerification(username="dam", password=SECRET),
    ),
    "contentful": (
        Signing(scheme="contentful", secret="s3cret"),
        ContentfulVerification(secret=SECRET),
    ),
    "sns": (Signing(scheme="sns", key=KEY), SnsVerification(topics=(Signing().topic,))),
    "adobe_rsa": (
        Signing(scheme="adobe_rsa", key=KEY, client_id="ours"),
        AdobeVerification(client_id="ours"),
    ),
}


def announced(habits: Habits, signing: Signing, changes: int = 1) -> list[Request]:
    sent: list[Request] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> None:
        lower = {name.lower(): value for name, value in headers.items()}
        sent.append(Request(method="POST", path="/sim", body=body, headers=lower))

    library = Library(habits=habits, clock=lambda: NOW)
    announcer = Announcer(library, post)
    announcer.webhooks.append(Webhook(url=URL, signing=signing))
    for _ in range(changes):
        library.add()
    announcer.deliver()
    return sent


def judge(scheme: Verification, request: Request, now: float = NOW) -> object:
    trust = Trust(secret={"webhook": "s3cret"}, keys=PublicKeys(lambda _: PEM), visit=lambda _: b"")
    return verify(scheme, request, trust, now)


def test_every_scheme_is_tried() -> None:
    assert set(CASES) == set(SCHEMES) - {"none"}


@pytest.mark.parametrize("scheme", CASES)
def test_a_signed_announcement_is_taken_and_an_altered_one_is_not(scheme: str) -> None:
    signing, verification = CASES[scheme]
    [request] = announced(Habits(), signing)
    assert isinstance(judge(verification, request), Verified), judge(verification, request)
    if scheme in ("shared_header", "basic"):
        return  # these prove who calls, not what is said
    altered = Request(
        method="POST",
        path="/sim",
        body=request.body.replace(b"a000001", b"a000002"),
        headers=request.headers,
    )
    assert altered.body != request.body
    assert isinstance(judge(verification, altered), Refused)


def test_events_are_lost_repeated_and_swapped_as_the_habits_say() -> None:
    def ids(habits: Habits) -> list[str]:
        sent = announced(habits, Signing(), changes=40)
        return [json.loads(request.body)["keys"][0] for request in sent]

    right = [f"a{n:06}" for n in range(1, 41)]
    assert ids(Habits()) == right
    assert 0 < len(ids(Habits(lose_events=0.5))) < 40
    repeated = ids(Habits(repeat_events=0.5))
    assert len(repeated) > 40
    assert set(repeated) == set(right)
    swapped = ids(Habits(swap_events=0.5))
    assert swapped != right
    assert sorted(swapped) == right
