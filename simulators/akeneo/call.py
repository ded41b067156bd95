"""One call as the handlers see it, and the answers they give."""

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


def written_answer(call: Call, status: int, *path: str) -> Response:
    """201 or 204 without a body, with the Location of the resource."""
    location = "/".join((call.base, *(quote(part, safe="/") for part in path)))
    return Response(status_code=status, headers={"Location": location})
