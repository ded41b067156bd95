import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.akeneo.catalog import from_resources
from simulators.akeneo.phpjson import InvalidJsonError, decode, encode
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_writes import patch_product
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.stream import MAX_LINES, answers, lines_of
from tests.unit.simulated_akeneo.small_pim import API, COLLECTION, RESOURCES

CATALOG = from_resources(RESOURCES)
ATTRIBUTES = st.sampled_from(sorted(CATALOG.attributes))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"data": JSON},
        optional={"locale": st.none() | st.just("en_US"), "scope": st.none() | st.just("shop")},
    )
    | JSON,
    max_size=2,
)
FIELDS = ("family", "parent", "categories", "groups", "enabled", "associations", "uuid", "x")
BODIES = st.fixed_dictionaries(
    {"identifier": st.text(min_size=1, max_size=8)},
    optional={
        **dict.fromkeys(FIELDS, JSON),
        "values": st.dictionaries(ATTRIBUTES, ENTRIES | JSON, max_size=3) | JSON,
        "quantified_associations": st.dictionaries(st.just("SET"), JSON) | JSON,
    },
)


def worked_on(body: bytes) -> list[dict[str, object]]:
    pim = Pim(catalog=CATALOG)
    found = answers(
        lines_of(body),
        "identifier",
        lambda code, line: patch_product(pim, code, line).status,
        deadlocked=lambda: False,
    )
    return list(found)


@given(st.lists(BODIES, max_size=4))
@settings(max_examples=100, deadline=None)
def test_lines_of_any_shape_are_each_written_or_refused(bodies: list[dict[str, object]]) -> None:
    body = "\n".join(json.dumps(line) for line in bodies).encode()
    found = worked_on(body)
    assert [answer["line"] for answer in found] == list(range(1, len(bodies) + 1))
    assert {answer["status_code"] for answer in found} <= {201, 204, 400, 422}
    assert all(json.loads(encode(answer)) == answer for answer in found)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_json_are_lines_all_the_same(body: bytes) -> None:
    lines = body.count(b"\n") + (0 if body.endswith(b"\n") or not body else 1)
    if lines > MAX_LINES:
        with pytest.raises(Refusal, match="Too many resources"):
            worked_on(body)
    else:
        assert len(worked_on(body)) == lines


def test_the_101st_line_refuses_the_call_before_anything_is_written(
    pim: Pim, client: httpx.Client
) -> None:
    content = "\n".join(f'{{"identifier":"p{number}"}}' for number in range(101))
    response = client.patch(f"{API}/products", content=content, headers=COLLECTION)
    assert response.status_code == 413
    assert response.json()["message"].startswith("Too many resources to process, 100")
    assert not pim.products


def test_text_comes_in_php_spelling(client: httpx.Client) -> None:
    content = '{"identifier":"a/b ü"}'
    response = client.patch(f"{API}/products", content=content.encode(), headers=COLLECTION)
    assert response.text == '{"line":1,"identifier":"a\\/b \\u00fc","status_code":201}'


def test_json_is_read_as_strictly_as_php_does() -> None:
    assert decode(b'{"a":1,"a":{}}') == {"a": []}
    for text in (b"NaN", b'{"a":1,}', b"\xef\xbb\xbf{}", b'"\xff"', b"", b"{'a':1}"):
        with pytest.raises(InvalidJsonError):
            decode(text)
