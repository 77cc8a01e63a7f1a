"""Headless Chromium over its DevTools pipe: pages from disk, real clicks and keys, and everything that goes wrong in
the console.

No driver package: Chromium reads commands from file descriptor 3 and answers on 4, one JSON object each, ended by a
zero byte.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-sandbox",
)


def found() -> str | None:
    """The browser's path, or None. GANBENCH_CHROMIUM names one elsewhere."""
    return os.environ.get("GANBENCH_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page. ``errors`` gathers exceptions, console errors and refused loads; ``requests`` every address that was
    asked for.
    """

    def __init__(self, profile: Path, width: int = 1280, height: int = 900) -> None:
        (there_read, self._write), (self._read, there_write) = os.pipe(), os.pipe()
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (there_read, there_write)]  # out of the way of 3 and 4
        shell = f'exec "$0" "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
        command = ["bash", "-c", shell, found(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for end in (there_read, there_write, *theirs):
            os.close(end)
        self._next, self._buffer, self._session = 0, b"", ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._events: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.size(width, height)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        self.send("Browser.close")
        self._process.wait(timeout=20)
        os.close(self._read)
        os.close(self._write)

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command; returns its result. Raises RuntimeError on Chromium's refusal, EOFError if it has gone."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters} | (
            {"sessionId": self._session} if self._session else {}
        )
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not (more := os.read(self._read, 1 << 20)):
                raise EOFError("Chromium has gone")
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, what: dict[str, Any]) -> None:
        self._events.append(event)
        if event == "Runtime.exceptionThrown":
            self.errors.append(str(what["exceptionDetails"].get("exception", {}).get("description", what)))
        elif event == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.errors.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")
        elif event == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.errors.append(f"console: {what['args']}")
        elif event == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif event == "Network.loadingFailed":
            self.errors.append(f"not loaded: {what.get('errorText')} {what.get('blockedReason', '')}")

    def open(self, page: Path, fragment: str = "") -> float:
        """Go to a file; returns the seconds from the start of the navigation until its load event and two painted
        frames.
        """
        self._load("about:blank")  # a change of the fragment alone would load nothing
        self._load(page.resolve().as_uri() + (f"#{fragment}" if fragment else ""))
        return self.js(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => "
            "done(performance.now() / 1000))))"
        )

    def _load(self, url: str) -> None:
        self._events.clear()
        self.send("Page.navigate", url=url)
        while "Page.loadEventFired" not in self._events:
            self._receive()

    def js(self, expression: str) -> Any:
        """The value of a JavaScript expression (a promise is waited for)."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """A click of the mouse in the middle of an element, scrolled into view; something else lying on top gets it
        instead.
        """
        at = (
            f"(e => {{ e.scrollIntoView({{block: 'center', inline: 'center'}}); const r = "
            "e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; "
            f"}})(document.querySelector({json.dumps(selector)}))"
        )
        x, y = self.js(at)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="none" if kind == "mouseMoved" else "left",
                clickCount=0 if kind == "mouseMoved" else 1,
            )

    def key(self, name: str, code: int, text: str = "") -> None:
        """One key, pressed and released."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=name,
                windowsVirtualKeyCode=code,
                **({"text": text} if text and kind == "keyDown" else {}),
            )

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.send("Input.insertText", text=text)

    def size(self, width: int, height: int, mobile: bool = False) -> None:
        """The window, or a phone's screen."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if mobile else 1,
            mobile=mobile,
        )

    def dark(self, on: bool) -> None:
        """What ``prefers-color-scheme`` says."""
        self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if on else "light"}],
        )

    def until(self, expression: str, seconds: float = 10.0) -> Any:
        """Wait for an expression to become true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if value := self.js(expression):
                    return value
            except RuntimeError:
                pass  # between two pages there is nothing to ask
            time.sleep(0.02)
        raise AssertionError(f"it did not happen in time: {expression}")

    def picture(self, path: Path, whole: bool = False) -> None:
        """A screenshot."""
        path.write_bytes(
            base64.b64decode(self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])
        )
