"""Bytes that look like what is expected, with something wrong in them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

TRICKY = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\xaf", b"\xed\xa0\x80", b"+ADw-", b"\x1f\x8b\x08",
    b"PK\x03\x04", b"<!DOCTYPE a [", b"<!ENTITY a 'b'>", b"]>", b"<![CDATA[", b"]]>", b"&a;",
    b"&#0;", b"<?", b"?>", b"<!--", b"-->", b"{{secret.a}}", b"&a [*a]", b"!!python/object",
    b"\xe2\x80\xa8",
    b"9" * 400, b"-1", b"1e999", b'{"v":1}', b"null", b"[" * 300, b"a" * 5_000, b"\r\n", b"\n\n",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Take a seed, and cut, double, swap or spoil it in up to eight places."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["put", "cut", "copy", "spoil", "end"])):
            case "put":
                data[start:start] = draw(st.sampled_from(TRICKY) | st.binary(max_size=20))
            case "cut":
                del data[start:end]
            case "copy":
                data[start:start] = data[start:end] * draw(st.integers(1, 50))
            case "spoil":
                data[start:end] = draw(st.binary(min_size=end - start, max_size=end - start))
            case _:
                del data[start:]
    return bytes(data)
