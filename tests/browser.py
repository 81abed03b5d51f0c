"""A headless browser for tests of pages: opens a file, runs scripts in it, presses keys.

Speaks the browser's own protocol through tornado, which comes with Jupyter, so that no driver is
needed. Tests that use it skip where there is no Chromium.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """An open page."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: WebSocketClientConnection) -> None:
        self.loop, self.socket, self.number = loop, socket, 0
        self.requests: list[str] = []
        self.errors: list[str] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        return self.loop.run_until_complete(self._answer(json.dumps(message), self.number))

    async def _answer(self, text: str, number: int) -> dict[str, Any]:
        await self.socket.write_message(text)
        while True:
            found = json.loads(await asyncio.wait_for(self.socket.read_message(), 60) or "{}")
            if found.get("method") == "Network.requestWillBeSent":
                self.requests.append(found["params"]["request"]["url"])
            if found.get("method") == "Runtime.exceptionThrown":
                self.errors.append(found["params"]["exceptionDetails"]["text"])
            if found.get("id") == number:
                assert "error" not in found, found
                return dict(found["result"])

    def run(self, script: str) -> Any:
        """The value of an expression; promises are waited for."""
        found = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key)

    def wait(self, condition: str) -> None:
        """Until an expression is true, at most half a minute."""
        for _ in range(300):
            if self.run(condition):
                return
            time.sleep(0.1)
        pytest.fail(f"never true: {condition}")

    def open(self, path: Path) -> None:
        """Open a file."""
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.readyState === 'complete'")

    def reload(self) -> None:
        """Load the page again, as its reader would."""
        self.run("window.before = true")
        self.send("Page.reload")
        self.wait("!window.before && document.readyState === 'complete'")


@contextmanager
def opened(path: Path, profile: Path) -> Iterator[Page]:
    """A page in a browser of its own. profile: folder for what the browser keeps."""
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    loop = asyncio.new_event_loop()
    try:
        port = _port(profile)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
            (target,) = [each for each in json.load(answer) if each["type"] == "page"]
        socket = loop.run_until_complete(_connect(target["webSocketDebuggerUrl"]))
        page = Page(loop, socket)
        for domain in ("Page", "Runtime", "Network"):
            page.send(f"{domain}.enable")
        page.open(path)
        yield page
        socket.close()
    finally:
        process.kill()
        process.wait()
        loop.close()


async def _connect(url: str) -> WebSocketClientConnection:
    return await websocket_connect(url, max_message_size=100_000_000)


def _port(profile: Path) -> int:
    """The port that the browser chose."""
    for _ in range(300):
        path = profile / "DevToolsActivePort"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        time.sleep(0.1)
    raise AssertionError("the browser did not start")
