"""The `events` part of a DAM source file: how its calls are verified and what they say.

These types validate the file and make its JSON Schema, so field names are what users write. A
`secret` is never written here: it is the name of an entry in the DAM's secret in Secrets Manager.
Several entries (`secret: [webhook, webhook_old]`) are all accepted, so a secret can be rotated.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

SecretName = Annotated[str, Meta(min_length=1, description="an entry of the DAM's secret")]
SecretNames = SecretName | tuple[SecretName, ...]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
Expression = Annotated[str, Meta(min_length=1, description="a JMESPath expression")]


class Timestamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time that is part of what is signed, so that an old call cannot be sent again."""

    header: str
    format: Literal["epoch", "epoch_ms", "iso"] = "epoch"
    max_age_s: Seconds = 300


class Hmac(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="hmac",
):
    """HMAC over the body, or over `message` where the scheme signs more than the body.

    `message` may hold `{{body}}`, `{{timestamp}}`, `{{method}}`, `{{path}}` and
    `{{header:NAME}}`. Without a timestamp in it, name a `delivery_id`, else a call that somebody
    recorded can be sent again.
    """

    header: str
    secret: SecretNames
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    message: str = "{{body}}"
    timestamp: Timestamp | None = None


class ConcatHash(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="concat_hash",
):
    """Cloudinary's: a hash, not an HMAC, of body + timestamp + API secret.

    https://cloudinary.com/documentation/notification_signatures; its SDKs allow two hours.
    """

    secret: SecretNames
    header: str = "X-Cld-Signature"
    timestamp_header: str = "X-Cld-Timestamp"
    algorithm: Literal["sha1", "sha256"] = "sha1"
    max_age_s: Seconds = 7200


class Sns(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="sns",
):
    """Amazon SNS over HTTPS (Bynder's): signed with a certificate of Amazon's.

    https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
    """

    topics: Annotated[
        tuple[str, ...], Meta(min_length=1, description="ARNs of the topics that may call")
    ]
    max_age_s: Seconds = 3600


class AdobeRsa(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="adobe_rsa",
):
    """Adobe I/O Events (AEM's): RSA-SHA256 with Adobe's public keys, for one client id.

    https://developer.adobe.com/events/docs/guides/sdk/sdk_signature_verification
    """

    client_id: Annotated[str, Meta(min_length=1, description="your integration's client id")]


class Contentful(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="contentful",
):
    """Contentful's signed requests: HMAC-SHA256 over method, path, named headers and body.

    https://www.contentful.com/developers/docs/extensibility/webhooks/request-verification/
    `path` is needed only where a proxy or custom domain changes the path that Contentful signed.
    """

    secret: SecretNames
    max_age_s: Seconds = 300
    path: str | None = None


class SharedHeader(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="shared_header",
):
    """A header of your own with a secret in it, for DAMs that do not sign (Directus, Strapi).

    It proves who calls, not that the call is new: a recorded call can be sent again, and then
    only makes the connector read the asset from the DAM once more.
    """

    header: str
    secret: SecretNames
    prefix: str = ""


class Basic(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="basic",
):
    """HTTP Basic authentication, for DAMs that offer it (Scaleflex). See SharedHeader's limits."""

    username: str
    secret: SecretNames


Verification = Hmac | ConcatHash | Sns | AdobeRsa | Contentful | SharedHeader | Basic


class Events(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the DAM tells us of its own accord, and how we know that it was the DAM.

    `verify` is needed for calls to the webhook; a queue of the DAM's is guarded by its policy.
    """

    ids: Annotated[Expression, Meta(description="JMESPath of the asset's id, or a list of ids")]
    verify: Verification | None = None
    kind: Annotated[
        str | None, Meta(description="JMESPath of the kind of event, for `only` and for the log")
    ] = None
    only: Annotated[
        tuple[str, ...], Meta(description="kinds that matter; any other is answered and dropped")
    ] = ()
    deleted_when: Annotated[
        str | None, Meta(description="JMESPath that holds when the event says: deleted")
    ] = None
    delivery_id: Annotated[
        str | None, Meta(description="JMESPath of what is different in each call, in the body")
    ] = None
    settle_s: Annotated[
        int,
        Meta(ge=0, le=900, description="seconds after which the DAM answers with the new state"),
    ] = 5
    max_bytes: Annotated[int, Meta(ge=1_000, le=6_000_000)] = 1_000_000
