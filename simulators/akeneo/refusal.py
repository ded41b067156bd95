"""What the PIM says when it does not do as asked."""

from dataclasses import dataclass, field
from typing import Any

API_DOCUMENTATION = "http://api.akeneo.com/api-reference.html#"
FORMAT_HINT = "Check the expected format on the API documentation."


class PropertyError(Exception):
    """A property cannot be set: the message before any hint or link is added.

    The PIM calls these "updater errors": the first one ends the work on the resource.
    """


class Refusal(Exception):  # noqa: N818  # the PIM's answer, not a fault of this program
    """An answer with an error status: `{"code", "message"}` and `errors` or `_links`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        link: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.link = link
        self.headers = headers or {}

    def details(self) -> dict[str, Any]:
        """Message, then errors or link: the part that is alike in single and list answers."""
        answer: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            answer["errors"] = self.errors
        if self.link is not None:
            answer["_links"] = {"documentation": {"href": self.link}}
        return answer

    def body(self) -> dict[str, Any]:
        """The whole body of a single answer."""
        return {"code": self.status, **self.details()}


def documented(message: str, anchor: str) -> Refusal:
    """An updater error as the REST API shows it: with the hint and a link to the operation."""
    return Refusal(422, f"{message} {FORMAT_HINT}", link=API_DOCUMENTATION + anchor)


def bad_json() -> Refusal:
    """The body is not JSON."""
    return Refusal(400, "Invalid json message received")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule. Two with the same path and template are told once."""

    path: str
    template: str
    message: str
    shown: dict[str, Any] = field(default_factory=dict)

    def error(self) -> dict[str, Any]:
        """The entry of `errors`."""
        return {
            "property": self.shown.get("property", self.path),
            "message": self.message,
            **{key: value for key, value in self.shown.items() if key != "property"},
        }


def violation(path: str, message: str, template: str = "") -> Violation:
    """A broken rule about a plain property."""
    return Violation(path=path, template=template or message, message=message)


def invalid(violations: list[Violation]) -> Refusal:
    """`Validation failed.` with every violation, repeated ones once."""
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for broken in violations:
        told.setdefault((broken.path, broken.template), broken.error())
    return Refusal(422, "Validation failed.", errors=list(told.values()))


Broken = tuple[str, str, dict[str, Any]]
"""Template, message, and more to show (the currency of a price) or `path`."""


def said(template: str, message: str, **more: Any) -> Broken:
    """One broken rule; those of one value with the same template and path are told once."""
    return template, message, more
