"""What travels on the product queue."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.errors import RejectedError
from pim_connector.sync.messages import (
    ClaimCheck,
    Envelope,
    MappingPin,
    MessageRecord,
    ProductMessage,
    decode,
    encode,
    encode_joined,
    encode_record,
    is_released,
    parking_id,
    released_id,
)

PIN = MappingPin(key="config/erp/shop.yaml", version="v1", digest="0123456789abcdef")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("a\0\ufffe\uffff", max_size=9)
RECORDS = st.builds(
    MessageRecord,
    number=st.integers(1, 10**7),
    line=st.integers(1, 10**7),
    rule=st.just("product"),
    identifier=TEXTS,
    family_key=TEXTS,
    parent=st.none() | TEXTS,
    fingerprint=st.binary(min_size=12, max_size=12),
    xml=TEXTS,
    tables=st.just({}) | st.just({"units": {"1": [{"code": "KILOGRAM"}]}}),
)


SQS_TAKES = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""


def envelope(**other: object) -> dict[str, object]:
    fields = {"run": "r1", "source": "shop", "id": "000001", "group": 2, "order": "2026|a|1"}
    return fields | {"mapping": PIN, "resource": "product", "head": {"season": "été"}} | other


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_what_was_encoded_is_decoded_again_whatever_characters_it_has(
    records: list[MessageRecord],
) -> None:
    message = ProductMessage(**envelope(records=tuple(records)))  # type: ignore[arg-type]  # dict
    body = encode(message)
    assert decode(body) == message
    assert SQS_TAKES.fullmatch(body.decode())


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_records_encoded_one_by_one_make_the_same_message(records: list[MessageRecord]) -> None:
    common = Envelope(**envelope())  # type: ignore[arg-type]  # dict
    message = ProductMessage(**envelope(records=tuple(records)))  # type: ignore[arg-type]  # dict
    assert decode(encode_joined(common, [encode_record(each) for each in records])) == message


def test_a_heavy_message_is_known_by_its_pointer() -> None:
    pointer = ClaimCheck(run="r1", heavy="claim-checks/r1/000001", last=True)
    assert decode(encode(pointer)) == pointer


@pytest.mark.parametrize("body", ["", "[]", '{"v":1}', '{"v":1,"run":"r","records":[]}', "\x00"])
def test_what_is_no_message_is_rejected(body: str) -> None:
    with pytest.raises(RejectedError, match="not a product message"):
        decode(body)


def test_a_message_of_a_later_release_is_rejected_with_what_to_do() -> None:
    body = json.dumps(json.loads(encode(ClaimCheck(run="r", heavy="h"))) | {"v": 2})
    with pytest.raises(RejectedError, match=r"version 2.*redrive it with the release"):
        decode(body)


def test_a_released_message_is_known_by_its_id_and_leads_back_to_what_parked_it() -> None:
    assert not is_released("000012")
    assert is_released(released_id("000012", 7))
    assert parking_id(released_id(released_id("000012", 7), 7)) == released_id("000012", 7)
