"""A Lambda function URL's event as a request, and an answer as what the function URL wants.

Payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
from typing import Any

from pim_connector.errors import RejectedError
from pim_connector.webhooks.request import Request


def read_request(event: dict[str, Any]) -> Request:
    """Read a request with the very bytes of its body. RejectedError for a body that is not base64.

    Header names come in lower case; what came several times is joined by commas.
    """
    http = event.get("requestContext", {}).get("http", {})
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError as error:
            raise RejectedError("the body is marked as base64 and is not") from error
    else:
        raw = body.encode("utf-8", "surrogatepass")
    headers = event.get("headers") or {}
    return Request(
        method=str(http.get("method", "POST")).upper(),
        path=str(event.get("rawPath", "/")),
        body=raw,
        query_string=str(event.get("rawQueryString", "")),
        query={str(k): str(v) for k, v in (event.get("queryStringParameters") or {}).items()},
        headers={str(name).lower(): str(value) for name, value in headers.items()},
    )


def source_name(path: str) -> str:
    """Give the source a path names: its last part, as in `/bynder` and `/hooks/bynder`."""
    return path.rstrip("/").rpartition("/")[2]


def response(status: int, text: str, *, retry_after: int | None = None) -> dict[str, Any]:
    """Answer in plain text; a challenge must never be taken for HTML."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return {"statusCode": status, "headers": headers, "body": text}
