"""SNS and Adobe: signatures by public key, whose origin must be beyond doubt."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from pim_connector.dam.event_types import AdobeVerification, SnsVerification
from pim_connector.webhooks.endpoint import Answer
from tests.unit.webhooks.senders import CERTIFICATE_URL, NOW, TOPIC, Signer, World, make_signer

SNS = SnsVerification(topics=(TOPIC,))
ADOBE = AdobeVerification(client_id="our-client")
Make = Callable[..., dict[str, str]]


@pytest.fixture
def amazon(world: World, signer: Signer) -> World:
    world.pages[CERTIFICATE_URL] = signer.pem
    return world


def notify(world: World, message: dict[str, Any], **more: Any) -> Answer:
    return world.call(SNS, message, ids="media_id", **more)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_notification_of_our_topic_is_unwrapped_and_queued(
    amazon: World, sns_message: Make, version: str
) -> None:
    answer = notify(amazon, sns_message(version=version))

    assert answer.outcome == "accepted"
    assert [change.id for change in amazon.queue.changes] == ["A-1"]


def test_a_notification_without_subject_is_signed_without_it(
    amazon: World, sns_message: Make
) -> None:
    message = sns_message()
    del message["Subject"]
    assert notify(amazon, message).outcome == "forged"


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn"])
def test_a_notification_changed_on_its_way_is_refused(
    amazon: World, sns_message: Make, name: str
) -> None:
    message = sns_message()
    message[name] += "0"
    answer = notify(amazon, message)

    assert (answer.status, answer.outcome) == (401, "forged")
    assert not amazon.queue.changes


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://evil.example/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://sns.eu-west-1.amazonaws.com/../bucket/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://sns.eu-west-1.amazonaws.com/evil.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://sns.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "https://[bad/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem",
        "",
    ],
)
def test_a_certificate_from_any_other_place_is_not_even_fetched(
    world: World, impostor: Signer, sns_message: Make, url: str
) -> None:
    world.pages[url] = impostor.pem

    answer = notify(world, sns_message(by=impostor, SigningCertURL=url))

    assert answer.outcome == "forged"
    assert not world.visited


def test_a_certificate_amazon_does_not_have_makes_a_forgery(
    world: World, sns_message: Make
) -> None:
    assert notify(world, sns_message()).outcome == "forged"


def test_a_certificate_past_its_time_proves_nothing(world: World, sns_message: Make) -> None:
    expired = make_signer(valid_days=-1)
    world.pages[CERTIFICATE_URL] = expired.pem
    assert notify(world, sns_message(by=expired)).outcome == "forged"


def test_somebody_elses_topic_is_refused_although_amazon_signed(
    amazon: World, sns_message: Make
) -> None:
    answer = notify(amazon, sns_message(TopicArn=TOPIC.replace("bynder", "mine")))

    assert (answer.status, answer.outcome) == (403, "unexpected")
    assert not amazon.queue.changes


def test_an_old_notification_is_refused_and_a_repeated_one_too(
    amazon: World, sns_message: Make
) -> None:
    message = sns_message()
    assert notify(amazon, message, now=NOW + 3700).outcome == "stale"
    assert notify(amazon, message).outcome == "accepted"
    assert notify(amazon, message).outcome == "replayed"
    assert len(amazon.queue.changes) == 1


def test_the_certificate_is_fetched_once(signer: Signer) -> None:
    from pim_connector.webhooks.certificates import PublicKeys

    visits: list[str] = []
    keys = PublicKeys(lambda url: visits.append(url) or signer.pem)  # type: ignore[func-returns-value]
    assert keys.get("https://a") == keys.get("https://a") == signer.pem
    assert visits == ["https://a"]


def subscription(make: Make, url: str, **more: Any) -> dict[str, str]:
    return make(
        Type="SubscriptionConfirmation", Token="t0k3n", SubscribeURL=url, Message="…", **more
    )


GOOD_URL = (
    f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0k3n"
)


def test_a_subscription_of_our_topic_is_confirmed_by_visiting_its_url(
    amazon: World, sns_message: Make
) -> None:
    amazon.pages[GOOD_URL] = b"<ok/>"

    answer = notify(amazon, subscription(sns_message, GOOD_URL))

    assert (answer.status, answer.outcome) == (200, "greeted")
    assert GOOD_URL in amazon.visited
    assert not amazon.queue.changes


@pytest.mark.parametrize(
    "url",
    [
        GOOD_URL.replace("https", "http"),
        GOOD_URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
        GOOD_URL.replace("ConfirmSubscription", "Publish"),
        GOOD_URL.replace("bynder", "mine"),
        "https://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_subscription_is_never_confirmed_anywhere_else(
    amazon: World, sns_message: Make, url: str
) -> None:
    answer = notify(amazon, subscription(sns_message, url))

    assert answer.outcome == "forged"
    assert amazon.visited == [CERTIFICATE_URL]


def test_a_subscription_of_a_foreign_topic_is_not_confirmed(
    amazon: World, sns_message: Make
) -> None:
    foreign = TOPIC.replace("bynder", "mine")
    message = subscription(sns_message, GOOD_URL.replace(TOPIC, foreign), TopicArn=foreign)

    assert notify(amazon, message).outcome == "unexpected"
    assert amazon.visited == [CERTIFICATE_URL]


KEY_PATH = "/prod/keys/pub-key-abc.pem"
KEY_URL = "https://static.adobeioevents.com" + KEY_PATH


def adobe(signer: Signer, body: bytes, *, number: int = 1, path: str = KEY_PATH) -> dict[str, str]:
    return {
        f"x-adobe-digital-signature-{number}": signer.sign(body, hashes.SHA256()),
        f"x-adobe-public-key{number}-path": path,
    }


def adobe_event(**changed: Any) -> bytes:
    event = {
        "event_id": "e-1",
        "recipient_client_id": "our-client",
        "event": {"type": "aem.assets.asset.processing_completed", "assetId": "urn:aaid:1"},
    }
    return json.dumps(event | changed).encode()


@pytest.mark.parametrize("number", [1, 2])
def test_either_of_adobes_signatures_is_enough(world: World, signer: Signer, number: int) -> None:
    world.pages[KEY_URL] = signer.public
    body = adobe_event()

    answer = world.call(ADOBE, body, adobe(signer, body, number=number), ids="event.assetId")

    assert answer.outcome == "accepted"
    assert [change.id for change in world.queue.changes] == ["urn:aaid:1"]


def test_adobes_repetition_of_one_event_is_taken_once(world: World, signer: Signer) -> None:
    world.pages[KEY_URL] = signer.public
    body = adobe_event()
    outcomes = [
        world.call(ADOBE, body, adobe(signer, body), ids="event.assetId", now=NOW + hours * 3600)
        for hours in (0, 1, 23)
    ]
    assert [answer.outcome for answer in outcomes] == ["accepted", "replayed", "replayed"]


def test_an_event_for_another_client_is_refused(world: World, signer: Signer) -> None:
    world.pages[KEY_URL] = signer.public
    for recipient in ("their-client", None, 5, ["our-client"]):
        body = adobe_event(recipient_client_id=recipient)
        answer = world.call(ADOBE, body, adobe(signer, body), ids="event.assetId")
        assert (answer.status, answer.outcome) == (403, "unexpected")
    assert not world.queue.changes


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/key.pem",
        "//evil.example/key.pem",
        "@evil.example/key.pem",
        ".evil.example/key.pem",
        "/../../key.pem",
        "/prod/keys/key.pem?x=1",
        "/prod/keys/key.pem#x",
        "",
    ],
)
def test_adobes_keys_come_from_adobes_host_only(world: World, impostor: Signer, path: str) -> None:
    world.pages["https://static.adobeioevents.com" + path] = impostor.public
    body = adobe_event()

    answer = world.call(ADOBE, body, adobe(impostor, body, path=path), ids="event.assetId")

    assert answer.outcome == "forged"
    assert not world.visited


def test_a_body_changed_after_adobe_signed_it_is_refused(world: World, signer: Signer) -> None:
    world.pages[KEY_URL] = signer.public
    headers = adobe(signer, adobe_event())
    answer = world.call(ADOBE, adobe_event(event_id="e-2"), headers, ids="event.assetId")
    assert answer.outcome == "forged"


def test_adobes_challenge_is_echoed_and_nothing_else_is_got(world: World) -> None:
    def get(challenge: str) -> Answer:
        return world.call(ADOBE, b"", method="GET", query={"challenge": challenge})

    answer = get("8ec8d794-e0ab-42df")
    assert (answer.status, answer.text) == (200, "8ec8d794-e0ab-42df")
    assert get("<script>alert(1)</script>").status == 400
    assert get("").status == 400
    assert not world.queue.changes
