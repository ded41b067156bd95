"""How a DAM announces changes: the types of `events` in a source file.

A verifier proves that a webhook's bytes came from the DAM. What the event says is not believed
beyond the ids in it: the asset mapper reads each asset from the DAM itself.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Algorithm = Literal["md5", "sha1", "sha256", "sha512"]
Seconds = Annotated[float, Meta(ge=0)]


class _Verify(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all verifiers share: `kind` says which it is."""


class NoVerification(_Verify, tag="none", frozen=True):
    """For a queue that only the DAM may write to; a webhook with it is refused."""


class HmacVerification(_Verify, tag="hmac", frozen=True, kw_only=True):
    """HMAC over `message`, by default the body.

    `message` may hold `{{body}}`, `{{timestamp}}`, `{{method}}`, `{{path}}`, `{{query}}` and
    `{{header.NAME}}`. The time stamp is that of `timestamp_header`. `prefix` stands before the
    signature in its header (`sha256=`); a header that holds more is read by `pattern`, a regular
    expression with the group `signature` and perhaps `timestamp`: `t=(?P<timestamp>[0-9]+)` and so
    on. It may match several times; one signature that is right is enough. `secret_encoding` is how
    the secret itself is written (`whsec_` before a base64 one is taken off).
    """

    header: str
    secret: str
    algorithm: Algorithm = "sha256"
    encoding: Literal["hex", "base64", "base64url"] = "hex"
    pattern: str | None = None
    secret_encoding: Literal["text", "base64", "hex"] = "text"  # noqa: S105
    prefix: str = ""
    message: str = "{{body}}"
    timestamp_header: str | None = None
    window_s: Seconds = 300


class ConcatHashVerification(_Verify, tag="concat_hash", frozen=True, kw_only=True):
    """Plain hash of body, time stamp and secret, one after the other, as Cloudinary signs.

    https://cloudinary.com/documentation/notification_signatures
    """

    secret: str
    header: str = "X-Cld-Signature"
    timestamp_header: str = "X-Cld-Timestamp"
    algorithm: Algorithm = "sha1"
    message: str = "{{body}}{{timestamp}}{{secret}}"
    window_s: Seconds = 7200


class SnsVerification(_Verify, tag="sns", frozen=True, kw_only=True):
    """Amazon SNS's certificate signature, for these topics only; confirms the subscription.

    https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
    """

    topics: tuple[str, ...]
    window_s: Seconds = 3600


class AdobeVerification(_Verify, tag="adobe_rsa", frozen=True, kw_only=True):
    """Adobe I/O Events: RSA-SHA256 with Adobe's published keys, and the challenge by GET.

    https://developer.adobe.com/events/docs/guides/sdk/sdk_signature_verification
    """

    client_id: str


class ContentfulVerification(_Verify, tag="contentful", frozen=True, kw_only=True):
    """Contentful's signature over method, path, signed headers and body.

    https://www.contentful.com/developers/docs/extensibility/webhooks/request-verification/
    """

    secret: str
    window_s: Seconds = 30


class SharedHeaderVerification(_Verify, tag="shared_header", frozen=True, kw_only=True):
    """A header whose value only the DAM and we know."""

    header: str
    secret: str


class SharedQueryVerification(_Verify, tag="shared_query", frozen=True, kw_only=True):
    """A parameter of the webhook's address, for DAMs that can be given an address and no more."""

    parameter: str
    secret: str


class BasicVerification(_Verify, tag="basic", frozen=True, kw_only=True):
    """HTTP Basic."""

    username: str
    password: str


Verification = (
    NoVerification
    | HmacVerification
    | ConcatHashVerification
    | SnsVerification
    | AdobeVerification
    | ContentfulVerification
    | SharedHeaderVerification
    | SharedQueryVerification
    | BasicVerification
)


class Events(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an announcement looks like once it is known to be the DAM's.

    `ids` is JMESPath over the body, JSON or a form, and gives one id or a list. With `reads:
    request` all expressions see `{method, path, query, headers, body}` instead, header names in
    lower case, for DAMs that say elsewhere what happened or to which asset. `deleted_when` and
    `ignored_when` are JMESPath that say yes or no (any value but null, false, "" and [] is yes).
    `kind` is JMESPath of the kind of announcement, for the log.
    `event_id` is the DAM's own id of the announcement, where it repeats itself with the same one.
    `settle_s` is how long after an announcement the DAM's own answer may still be old.
    """

    verify: Verification
    ids: str
    reads: Literal["body", "request"] = "body"
    deleted_when: str | None = None
    ignored_when: str | None = None
    kind: str | None = None
    event_id: str | None = None
    settle_s: Seconds = 5
    max_bytes: Annotated[int, Meta(ge=1, le=6_000_000)] = 1_000_000
