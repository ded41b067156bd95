"""One call: the row of the table that answers it, what is checked before, how it is answered."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from simulators.akeneo.phpjson import InvalidJsonError, decode, encode, is_scalar
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal, bad_json

COLLECTION = "application/vnd.akeneo.collection+json"
JSON = "application/json"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that passed the checks of its headers and its user's rights."""

    pim: Pim
    request: Request
    route: str
    """Method and path pattern, e.g. `PATCH /products/{code}`: the counters' key."""
    body: bytes
    user: str
    params: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The REST API's root URL as the client addressed it."""
        return str(self.request.base_url).rstrip("/") + "/api/rest/v1"

    def json(self) -> Any:
        """The decoded body; raises `Refusal` 400 when it is not a JSON object or list."""
        try:
            data = decode(self.body)
        except InvalidJsonError:
            raise bad_json() from None
        if data is None or is_scalar(data):
            raise bad_json()
        return data

    def object(self) -> dict[str, Any]:
        """The decoded body as an object; an empty list counts as an empty object."""
        data = self.json()
        if isinstance(data, dict):
            return data
        return {str(index): item for index, item in enumerate(data)}


Handler = Callable[[Call], Response]


def json_answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON body in PHP's spelling."""
    return Response(encode(data), status, headers, media_type=JSON)


def refusal_answer(refusal: Refusal) -> Response:
    """The body and headers of an error."""
    return json_answer(refusal.body(), refusal.status, refusal.headers)


def no_route(request: Request, status: int) -> Refusal:
    """Nothing answers this method on this path."""
    message = f'No route found for "{request.method} {request.url.path}"'
    return Refusal(status, message + (": Method Not Allowed" if status == 405 else ""))


def written_answer(call: Call, status: int, *path: str) -> Response:
    """201 or 204 without a body, with the Location of the resource."""
    location = "/".join((call.base, *(quote(part, safe="/") for part in path)))
    return Response(status_code=status, headers={"Location": location})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method on one path below `/api/rest/v1`."""

    method: str
    path: str
    handler: Handler
    content_type: str | None = None
    """What the body must be; None: there is no body to speak of."""
    resource: str | None = None
    """Key of `rights.RESOURCES`; None: no right of its own."""
    action: str = "list"
    public: bool = False
    needs: str | None = None
    """What the edition must have for this route to be there: a switch of `Edition`."""

    @property
    def name(self) -> str:
        """Method and path, for counters and faults."""
        return f"{self.method} {self.path}"


def get(
    path: str, handler: Handler, resource: str | None = None, *, needs: str | None = None
) -> Endpoint:
    """Reading one or a list."""
    return Endpoint(method="GET", path=path, handler=handler, resource=resource, needs=needs)


def patch(
    path: str,
    handler: Handler,
    resource: str,
    *,
    content_type: str = JSON,
    needs: str | None = None,
) -> Endpoint:
    """Writing one, or a JSON array of them."""
    return Endpoint(
        method="PATCH",
        path=path,
        handler=handler,
        content_type=content_type,
        resource=resource,
        action="edit",
        needs=needs,
    )


def patch_list(path: str, handler: Handler, resource: str) -> Endpoint:
    """Writing newline-delimited JSON."""
    return patch(path, handler, resource, content_type=COLLECTION)


def post(
    path: str,
    handler: Handler,
    resource: str | None,
    *,
    content_type: str = JSON,
    action: str = "edit",
    needs: str | None = None,
) -> Endpoint:
    """Creating one from JSON, or asking for something that does not fit into a URL."""
    return Endpoint(
        method="POST",
        path=path,
        handler=handler,
        content_type=content_type,
        resource=resource,
        action=action,
        needs=needs,
    )


def upload(
    path: str, handler: Handler, resource: str | None, *, needs: str | None = None
) -> Endpoint:
    """Sending a file."""
    return post(path, handler, resource, content_type=MULTIPART, needs=needs)


def delete(path: str, handler: Handler, resource: str, *, needs: str | None = None) -> Endpoint:
    """Taking one away."""
    return Endpoint(
        method="DELETE",
        path=path,
        handler=handler,
        resource=resource,
        action="remove",
        needs=needs,
    )


def check_headers(request: Request, endpoint: Endpoint) -> None:
    """Raise `Refusal` 406 or 415 for a wrong Accept (of GET) or Content-Type (of writes)."""
    if endpoint.method == "GET":
        accept = request.headers.get("accept", "")
        types = [part.split(";")[0].strip() for part in accept.split(",")]
        if accept and "*/*" not in types and JSON not in types and not _is_file(endpoint):
            raise Refusal(
                406, f'"{accept}" in "Accept" header is not valid. Only "{JSON}" is allowed.'
            )
    elif endpoint.content_type is not None:
        _check_content_type(request, (endpoint.content_type,))


def _is_file(endpoint: Endpoint) -> bool:
    return endpoint.path.endswith("/download") or "asset-media-files" in endpoint.path


def _check_content_type(request: Request, allowed: tuple[str, ...]) -> None:
    given = request.headers.get("content-type")
    names = " or ".join(f'"{name}"' for name in allowed)
    if given is None:
        raise Refusal(
            415, f'The "Content-Type" header is missing. {names} has to be specified as value.'
        )
    if given.split(";")[0].strip() not in allowed:
        verb = "is" if len(allowed) == 1 else "are"
        raise Refusal(
            415, f'"{given}" in "Content-Type" header is not valid. Only {names} {verb} allowed.'
        )


def check_token_content_type(request: Request) -> None:
    """Raise `Refusal` 415 unless the token request is JSON or a form."""
    _check_content_type(request, (JSON, "application/x-www-form-urlencoded"))


def basic_credentials(header: str | None) -> tuple[str, str] | None:
    """Client id and secret of a Basic Authorization header, or None."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, secret
