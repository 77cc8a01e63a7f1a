"""One file from a server that nobody vouches for: bounded in size and time, and every failure one line."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from benchmark.errors import GanbenchError
from benchmark.files import let_go

TIMEOUT_S = 30.0  # without a byte
WINDOW_S = 60.0  # in which the answer begins, and then each …
LEAST = 600_000  # … brings so many bytes
LOOK_S = 0.2
BLOCK = 2**16
MORE = 2**20  # bytes than a file has, for its compression
LONGEST = 200  # characters of what a server says


def download(url: str, target: Path, size: int) -> Path:
    """Get what is at ``url``.

    Raises:
        GanbenchError: it cannot be had, has more than ``size`` bytes, or comes too slowly; nothing is left of it.
    """
    try:
        with _watched() as watch:
            try:
                _get(url, target, size, watch)
            except (OSError, HTTPException, ValueError) as error:
                raise GanbenchError(watch.slow or _reason(error)) from None
    except BaseException:
        let_go(target)
        raise
    return target


def _get(url: str, target: Path, size: int, watch: _Watch) -> None:
    opener = build_opener(_Http(watch), _Https(watch), _Redirects())
    with opener.open(url, timeout=TIMEOUT_S) as response, target.open("wb") as stream:
        watch.answered()
        read = getattr(response, "read1", response.read)
        while block := read(BLOCK):
            watch.bytes += len(block)
            if watch.bytes > size + MORE:
                raise GanbenchError("more bytes than the file has")
            stream.write(block)
        announced = response.headers.get("Content-Length", "")
        if watch.slow or (announced.isdecimal() and int(announced[:20]) > watch.bytes):
            raise OSError(f"it ended after {watch.bytes:,} of {announced[:20]} bytes")


class _Watch:
    """Ends connections that bring too little: the timeout of a socket begins anew with every byte."""

    def __init__(self) -> None:
        self.bytes, self.slow = 0, ""  # what has come; why it was ended
        self._lines: list[socket.socket] = []
        self._seen, self._since, self.over = -LEAST, time.monotonic(), threading.Event()

    def connect(self, *words: Any, **more: Any) -> socket.socket:
        """As ``socket.create_connection``."""
        line = socket.create_connection(*words, **more)
        self._lines.append(line.dup())  # TLS takes the socket itself
        if self.slow:
            self._end()
        return line

    def answered(self) -> None:
        """The answer has begun."""
        self._seen, self._since = 0, time.monotonic()

    def look(self) -> None:
        """In a thread, until it is over."""
        while not self.over.wait(LOOK_S):
            if time.monotonic() - self._since < WINDOW_S:
                continue
            if self._seen < 0 or self.bytes - self._seen < LEAST:
                self.slow = (
                    f"no answer within {WINDOW_S:g} s"
                    if self._seen < 0
                    else f"too slow: less than {LEAST:,} bytes in {WINDOW_S:g} s"
                )
                self._end()
            self._seen, self._since = self.bytes if self._seen >= 0 else self._seen, time.monotonic()

    def _end(self) -> None:
        for line in list(self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give back what was kept of connections."""
        for line in self._lines:
            line.close()


@contextmanager
def _watched() -> Iterator[_Watch]:
    watch = _Watch()
    thread = threading.Thread(target=watch.look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()
        watch.close()


class _Http(HTTPHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, request: Request) -> HTTPResponse:
        """As the parent's, over a connection that is watched."""
        return self.do_open(partial(_connection, HTTPConnection, self._watch), request)


class _Https(HTTPSHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def https_open(self, request: Request) -> HTTPResponse:
        """As the parent's, over a connection that is watched."""
        return self.do_open(partial(_connection, HTTPSConnection, self._watch), request)


def _connection(kind: type[HTTPConnection], watch: _Watch, host: str, **more: Any) -> HTTPConnection:
    found = kind(host, **more)
    found._create_connection = watch.connect  # type: ignore[attr-defined]  # what ``connect`` calls
    return found


class _Redirects(HTTPRedirectHandler):
    """To another place on the web, no less safe than the one before; its own body, which may have no end, is left."""

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        """As the parent's."""
        fp.read = lambda *_: b""  # type: ignore[method-assign]  # which the parent calls
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """As the parent's; raises GanbenchError where another scheme is asked for, or the way leads from https to
        http.
        """
        scheme = urlsplit(newurl).scheme.lower()
        if scheme != "https" and (scheme != "http" or req.type == "https"):
            raise GanbenchError(f"it redirects from {req.type}: to {_short(scheme)}:, which is refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _reason(error: Exception) -> str:
    """What went wrong, in a line; a server's own words are cut."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code}: {_short(str(error.reason))}"
    if isinstance(error, URLError):
        return _reason(error.reason) if isinstance(error.reason, Exception) else _short(str(error.reason))
    if isinstance(error, TimeoutError):
        return f"nothing came for {TIMEOUT_S:g} s"
    if isinstance(error, OSError):
        return _short(error.strerror or str(error) or type(error).__name__)
    return f"no proper HTTP: {type(error).__name__}: {_short(str(error))}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
