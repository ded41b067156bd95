"""Is the answer the recorded one?"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx

RECORDED_HOST = "http://localhost"
ANYTHING = ("this is a media identifier", "this is a date formatted to ISO-8601", "?")
"""What the recording puts in place of what differs from run to run."""
TIMES = ("created", "updated")

Fill = Callable[[str], str]


def differences(expect: dict[str, Any], response: httpx.Response, fill: Fill) -> Iterator[str]:
    """What differs in status, headers and body, in words; nothing when all is as recorded."""
    if expect["status"] is not None and response.status_code != expect["status"]:
        yield f"status {response.status_code}, not {expect['status']}: {response.text[:300]}"
        return
    yield from _headers(expect, response, fill)
    yield from _body(expect, response, fill)
    for assertion in expect.get("body_assertions", []):
        yield from _assertion(assertion, response)


def _host(response: httpx.Response) -> str:
    url = response.request.url
    return f"{url.scheme}://{url.netloc.decode()}"


def _headers(expect: dict[str, Any], response: httpx.Response, fill: Fill) -> Iterator[str]:
    for name, recorded in (expect.get("headers") or {}).items():
        wanted = fill(recorded).replace(RECORDED_HOST, _host(response))
        if response.headers.get(name) != wanted:
            yield f"header {name} is {response.headers.get(name)!r}, not {wanted!r}"
    for name in expect.get("headers_present") or []:
        if name not in response.headers:
            yield f"header {name} is missing"


def _body(expect: dict[str, Any], response: httpx.Response, fill: Fill) -> Iterator[str]:
    here, recorded_host = (host.replace("/", "\\/") for host in (_host(response), RECORDED_HOST))
    text = response.text.replace(here, recorded_host)
    if "body_lines" in expect:
        wanted = json.loads(fill(json.dumps(expect["body_lines"])))
        given = [json.loads(line) for line in text.split("\n")] if text else []
        if not same(wanted, given):
            yield f"lines {given}, not {wanted}"
    elif "body" in expect:
        wanted = json.loads(fill(json.dumps(expect["body"])))
        whole = json.loads(text) if text else ""
        if expect.get("items_sorted_by_uuid"):
            wanted, whole = _sorted_by_uuid(wanted), _sorted_by_uuid(whole)
        if not same(wanted, whole):
            yield f"body {text}, not {wanted}"
    recorded = expect.get("body_text")
    if recorded is not None and "?" not in recorded and text != fill(recorded):
        yield f"text {text!r}, not {fill(recorded)!r}"


def _sorted_by_uuid(body: Any) -> Any:
    items = sorted(body["_embedded"]["items"], key=lambda item: str(item["uuid"]))
    return body | {"_embedded": {"items": items}}


def same(wanted: Any, given: Any) -> bool:
    """Equal JSON, where an empty list is an empty object and placeholders fit anything."""
    if isinstance(wanted, str) and wanted in ANYTHING:
        return True
    if not wanted and isinstance(wanted, (list, dict)):
        return isinstance(given, (list, dict)) and not given
    if isinstance(wanted, dict) and isinstance(given, dict):
        return wanted.keys() == given.keys() and all(
            key in TIMES or same(wanted[key], given[key]) for key in wanted
        )
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(same, wanted, given))
    return type(wanted) is type(given) and bool(wanted == given)


def _assertion(assertion: dict[str, Any], response: httpx.Response) -> Iterator[str]:
    data = response.json()
    wanted = assertion["expected"]
    if isinstance(wanted, list) and len(wanted) == 1:
        wanted = wanted[0]
    try:
        for key in assertion["path"]:
            data = data[key]
    except (KeyError, IndexError):
        yield f"body has no {assertion['path']}"
        return
    if not _holds(assertion["assert"], wanted, data):
        yield f"{assertion['path']} is {data!r}: {assertion['assert']} {wanted!r} fails"


def _holds(how: str, wanted: Any, data: Any) -> bool:
    match how:
        case "assertSame" | "assertEquals":
            return same(wanted, data)
        case "assertCount":
            return bool(len(data) == wanted)
        case "assertArrayHasKey":
            return wanted in data
        case "assertArrayNotHasKey":
            return wanted not in data
    raise ValueError(f"the assertion {how} is not understood")
