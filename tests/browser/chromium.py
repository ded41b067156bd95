"""A headless Chromium, steered over a pipe by its own protocol.

https://chromedevtools.github.io/devtools-protocol/; `--remote-debugging-pipe` reads commands from
file descriptor 3 and writes to 4, each a JSON object that ends with a NUL: no port is opened.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
RETRY_POLICY_SECONDS = 30.0


def executable() -> str | None:
    """Find the browser; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One tab."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._number = 0
        self._read = b""
        self._session = ""
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; events in between are passed over."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait_for(
            f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url)})"
        )

    def ask(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        said = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until JavaScript says true."""
        deadline = time.monotonic() + RETRY_POLICY_SECONDS
        while not self.ask(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.05)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def press_enter(self) -> None:
        """Press and release the key."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self.call("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def press(self, key: str, *, code: str = "", ctrl: bool = False) -> None:
        """Press and release any key, such as Tab."""
        numbers = {"Tab": 9, " ": 32}
        known = {"key": key, "code": code or key, "windowsVirtualKeyCode": numbers.get(key, 0)}
        modifiers = {"modifiers": 2} if ctrl else {}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **known, **modifiers)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known, **modifiers)

    def follow(self, text: str) -> None:
        """Click the link or button that says this, and wait for the page behind it."""
        self.ask("window.left = false")
        self.ask(
            "[...document.querySelectorAll('a, button')]"
            f".find(each => each.innerText.trim() === {json.dumps(text)}).click()"
        )
        self.wait_for("window.left === undefined && document.readyState === 'complete'")

    def show_as(self, width: int, *, dark: bool) -> None:
        """Be a screen of this width in CSS pixels, by day or by night."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def whole_picture(self, path: Path, width: int) -> None:
        """Take a picture of the page from top to bottom, at most 4,000 pixels of it."""
        height = min(int(self.ask("document.documentElement.scrollHeight")), 4_000)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.picture(path)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select([self._answers], [], [], RETRY_POLICY_SECONDS)
            chunk = os.read(self._answers, 65536) if ready else b""
            assert chunk, "the browser does not answer"
            self._read += chunk
        message, _, self._read = self._read.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser with an empty profile for the length of a `with` block."""
    command = executable()
    assert command
    their_input, commands = os.pipe()
    answers, their_output = os.pipe()
    process = subprocess.Popen(  # noqa: S603  the browser that was found
        [command, *FLAGS, f"--user-data-dir={profile}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_as_3_and_4(their_input, their_output),  # noqa: PLW1509
        close_fds=False,
    )
    os.close(their_input)
    os.close(their_output)
    try:
        yield Page(commands, answers)
    finally:
        process.terminate()
        process.wait(RETRY_POLICY_SECONDS)
        os.close(commands)
        os.close(answers)


def _as_3_and_4(read: int, write: int) -> Callable[[], None]:
    def change() -> None:
        read_high, write_high = (fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (read, write))
        os.dup2(read_high, 3)
        os.dup2(write_high, 4)

    return change
