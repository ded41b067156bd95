"""What the splitter makes of the events it is called with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pim_connector.aws.bucket import StoredObject
from pim_connector.errors import ConfigurationError
from pim_connector.products.splitting import (
    Ignored,
    Resume,
    Sweep,
    Upload,
    new_run,
    read_event,
    request_for,
    run_id,
)


def notification(*keys: str, event: str = "ObjectCreated:Put") -> dict[str, object]:
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": event,
                "s3": {"bucket": {"name": "b"}, "object": {"key": key, "versionId": "v1"}},
            }
            for key in keys
        ]
    }


def object_created(key: str) -> dict[str, object]:
    found = {"key": key, "version-id": "v1", "size": 5}
    return {"detail-type": "Object Created", "detail": {"object": found}}


def test_a_notification_names_several_files_by_url_encoded_keys() -> None:
    event = notification("incoming/shop/a%2Bb+c.xml", "incoming/shop/%C3%BC.xml")
    assert read_event(event) == [
        Upload(source="shop", key="incoming/shop/a+b c.xml", version="v1"),
        Upload(source="shop", key="incoming/shop/ü.xml", version="v1"),
    ]


def test_eventbridge_gives_keys_as_they_are() -> None:
    key = "incoming/shop/100%25+x.xml"
    assert read_event(object_created(key)) == [Upload(source="shop", key=key, version="v1")]


def test_s3s_test_event_says_that_the_notification_works() -> None:
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}
    [ignored] = read_event(event)
    assert isinstance(ignored, Ignored)


def test_an_object_that_went_is_not_a_new_file() -> None:
    [ignored] = read_event(notification("incoming/shop/a.xml", event="ObjectRemoved:Delete"))
    assert isinstance(ignored, Ignored)
    assert "ObjectRemoved" in ignored.reason


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({"sweep": True}, Sweep()),
        ({"sweep": "shop"}, Sweep(source="shop")),
        ({"resume": "r1"}, Resume(run="r1")),
        ({"detail-type": "SplitContinues", "detail": {"run": "r1"}}, Resume(run="r1")),
    ],
)
def test_sweeps_and_resumptions(event: dict[str, object], request_: object) -> None:
    assert read_event(event) == [request_]


@pytest.mark.parametrize("event", [{}, {"sweep": False}, {"Records": [{"eventSource": "aws:sqs"}]}])
def test_any_other_event_says_that_something_is_connected_wrongly(event: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="splitter was called with"):
        read_event(event)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("incoming/shop/", "directory marker"),
        ("incoming/", "directory marker"),
        ("incoming/a.xml", "move it to incoming/<source>/"),
        ("elsewhere/shop/a.xml", "put files into incoming/<source>/"),
        ("incoming/sh op/a.xml", "rename its folder"),
        ("config/erp/shop.txt", "not in the inbox"),
    ],
)
def test_what_is_no_file_of_a_source_is_ignored_with_what_to_do(key: str, reason: str) -> None:
    ignored = request_for(key)
    assert isinstance(ignored, Ignored)
    assert reason in ignored.reason


def test_a_mapping_that_comes_late_has_its_sources_files_taken_up() -> None:
    assert request_for("config/erp/shop.yaml") == Sweep(source="shop")


def id_of(key: str, version: str, second: int = 0) -> str:
    moment = datetime(2026, 11, 20, 22, 0, second, tzinfo=UTC)
    return run_id("b", "shop", StoredObject(key=key, version=version, size=1, modified=moment))


def test_a_file_version_is_the_same_run_whenever_it_is_seen_and_others_are_others() -> None:
    assert id_of("incoming/shop/a.xml", "v1") == id_of("incoming/shop/a.xml", "v1")
    assert id_of("incoming/shop/a.xml", "v1").startswith("20261120T220000Z-shop-")
    assert id_of("incoming/shop/a.xml", "v1") != id_of("incoming/shop/a.xml", "v2")
    assert id_of("incoming/shop/a.xml", "v1") != id_of("incoming/shop/b.xml", "v1")


def upload_order(
    *, second: int = 0, sequencer: str = "", taken_in: int = 0, key: str = "incoming/shop/a.xml"
) -> str:
    moment = datetime(2026, 11, 20, 22, 0, second, tzinfo=UTC)
    file = StoredObject(key=key, version="v", size=1, modified=moment)
    now = datetime(2026, 11, 20, 23, 0, 0, taken_in, tzinfo=UTC)
    return new_run("b", "shop", file, phase="waiting", now=now, sequencer=sequencer).order


def test_files_are_ordered_by_upload_whatever_they_are_called() -> None:
    assert upload_order(second=1, key="incoming/shop/b.xml") < upload_order(second=2)
    earlier = upload_order(sequencer="0055AED6", key="incoming/shop/b.xml")
    assert earlier < upload_order(sequencer="0055AED7", key="incoming/shop/a.xml")


def test_sequencers_of_other_lengths_are_filled_up_on_the_right() -> None:
    assert upload_order(sequencer="0055AED6") < upload_order(sequencer="0055AED601")
    assert upload_order(sequencer="0055aed601") < upload_order(sequencer="0055AED7")


def test_a_file_without_an_event_is_the_newest_of_its_second() -> None:
    assert upload_order(sequencer="FFFF", taken_in=9) < upload_order(taken_in=1)


def test_where_s3_tells_no_difference_what_was_taken_in_later_is_newer() -> None:
    one = upload_order(taken_in=1, key="incoming/shop/b.xml")
    assert one < upload_order(taken_in=2, key="incoming/shop/a.xml")


def test_an_event_brings_the_sequencer_along() -> None:
    detail = {"object": {"key": "incoming/shop/a.xml", "version-id": "v", "sequencer": "00A1"}}
    request = Upload(source="shop", key="incoming/shop/a.xml", version="v", sequencer="00A1")
    assert read_event({"detail-type": "Object Created", "detail": detail}) == [request]
