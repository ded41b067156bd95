"""Sending a case's requests over HTTP, with its placeholders filled in."""

import base64
import json
import re
from pathlib import PurePosixPath
from typing import Any

import httpx

from tests.pim_vectors.files import file_content
from tests.pim_vectors.preconditions import Scene

_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)(?::([^}]*))?\}\}")
_BASIC = re.compile(r"base64\((.*)\)")
_STORED_KEY = re.compile(r'@@[^@]*"originalFilename":"([^"]+)"[^@]*@@')
TOKEN_PATH = "/api/oauth/v1/token"


class Sender:
    """One case's client: remembers its tokens and the answers to its earlier requests."""

    def __init__(self, client: httpx.Client, scene: Scene) -> None:
        self.client = client
        self.scene = scene
        self.tokens: dict[str, dict[str, Any]] = {}
        self.bodies: list[Any] = []

    def send(self, request: dict[str, Any]) -> httpx.Response:
        """Send one recorded request."""
        headers = {name: self.fill(text) for name, text in request["headers"].items()}
        for name in ("Authorization", "PHP_AUTH_USER"):
            headers[name] = _BASIC.sub(_encoded, headers.get(name, ""))
        content, files = self._content(request, headers)
        if files is not None:
            headers.pop("Content-Type", None)
        response = self.client.request(
            request["method"],
            self._path(request["path"]),
            headers={name: text for name, text in headers.items() if text},
            content=content,
            data=self._fields(request) if "multipart" in request else None,
            files=files,
        )
        self.bodies.append(_json(response))
        return response

    def fill(self, text: str) -> str:
        """The text with what its placeholders stand for."""
        return _PLACEHOLDER.sub(lambda match: self._value(match.group(1), match.group(2)), text)

    def _value(self, name: str, of: str | None) -> str:
        match name:
            case "access_token":
                return str(self._token(of or "admin")["access_token"])
            case "refresh_token":
                return str(self._token(of or "admin")["refresh_token"])
            case "media_file_key":
                return self.scene.media_key(of or "")
            case "password":
                return self.scene.passwords[of or "admin"]
            case "uuid_of":
                return self._uuid_of(of or "")
            case "uuid_of_uppercase":
                return self._uuid_of(of or "").upper()
            case _:
                return self.scene.credentials[name]

    def _uuid_of(self, identifier: str) -> str:
        product = self.scene.pim.product_by_identifier(identifier)
        return product.uuid if product is not None else f"no product {identifier}"

    def _token(self, user: str) -> dict[str, Any]:
        if user not in self.tokens:
            connection = next(c for c in self.scene.connections if c.username == user)
            answer = self.client.post(
                TOKEN_PATH,
                auth=(connection.client_id, connection.secret),
                json={
                    "grant_type": "password",
                    "username": user,
                    "password": connection.password,
                },
            )
            self.tokens[user] = answer.json()
        return self.tokens[user]

    def _path(self, path: str) -> str:
        def key_of(match: re.Match[str]) -> str:
            files = self.scene.pim.media.files.values()
            return next(file.key for file in files if file.filename == match.group(1))

        return "/" + self.fill(_STORED_KEY.sub(key_of, path)).lstrip("/")

    def _content(
        self, request: dict[str, Any], headers: dict[str, str]
    ) -> tuple[bytes | None, dict[str, tuple[str | None, bytes]] | None]:
        if "multipart" in request:
            files = request["multipart"].get("files", {})
            names = {name: PurePosixPath(file["$file"]).name for name, file in files.items()}
            return None, {name: (file, file_content(file)) for name, file in names.items()}
        if "body_base64" in request:
            return base64.b64decode(request["body_base64"]), None
        if "body_parts" in request:
            parts = (
                part["text"] if "text" in part else part["repeat"] * part["times"]
                for part in request["body_parts"]
            )
            return self.fill("".join(parts)).encode(), None
        if "form_or_json_params" in request:
            parameters = request["form_or_json_params"]
            if "multipart" in headers.get("Content-Type", ""):
                return None, {name: (None, text.encode()) for name, text in parameters.items()}
            return self._parameters(parameters, headers), None
        body = request.get("body")
        return (self.fill(body).encode() if body is not None else None), None

    def _parameters(self, parameters: dict[str, Any], headers: dict[str, str]) -> bytes:
        of_user = "{{password:" + str(parameters.get("username")) + "}}"
        filled = {
            name: self._earlier(data)
            if isinstance(data, dict)
            else self.fill(data.replace("{{password}}", of_user))
            for name, data in parameters.items()
        }
        if "form" in headers.get("Content-Type", ""):
            return str(httpx.QueryParams(filled)).encode()
        return json.dumps(filled).encode()

    def _earlier(self, pointer: dict[str, Any]) -> Any:
        data = self.bodies[pointer["$body"]]
        for key in pointer["path"]:
            data = data[key]
        return data

    def _fields(self, request: dict[str, Any]) -> dict[str, str]:
        fields = request["multipart"].get("fields", {})
        return {name: self.fill(text) for name, text in fields.items()}


def _encoded(match: re.Match[str]) -> str:
    return base64.b64encode(match.group(1).encode()).decode()


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
