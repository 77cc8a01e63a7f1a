"""`data fetch` from a server that does anything but what HTTP says; the next source gives the right bytes, or not."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import io
import os
import random
import socket
import socketserver
import struct
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark.data import cards as card_room
from benchmark.data import download
from benchmark.data.fetch import fetch
from benchmark.errors import GanbenchError

CONTENT = bytes(range(256)) * 8
DEADLINE_S = 6.0
EVIL = "\x1b]0;owned\x07\x9b2J\u202e\r"

Act = Callable[[socket.socket], None]

scripts: dict[str, Act] = {}
"""What the server does for each path."""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Reads a request, and does what there is for its path; the client may go at any time."""
        with contextlib.suppress(OSError):
            self.request.settimeout(DEADLINE_S)
            asked = b""
            while b"\r\n\r\n" not in asked and (more := self.request.recv(4096)):
                asked += more
            path = asked.split(b" ")[1].decode("latin-1") if asked.count(b" ") > 1 else ""
            scripts.get(path.split("?")[0], _say(b"HTTP/1.1 404 Not Found\r\n\r\n"))(self.request)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


_servers: dict[int, int] = {}


def port() -> int:
    """Of this process's server: threads do not outlive a fork."""
    if os.getpid() not in _servers:
        server = _Server(("127.0.0.1", 0), _Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _servers[os.getpid()] = server.server_address[1]
    return _servers[os.getpid()]


def prepare(folder: Path) -> dict[str, Any]:
    """Right answers; and limits of time that a case has room for."""
    download.TIMEOUT_S, download.WINDOW_S, download.LOOK_S = 1.5, 2.0, 0.02
    tar, zipped, png = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        info = tarfile.TarInfo("inner/tiny.bin")
        info.size = len(CONTENT)
        archive.addfile(info, io.BytesIO(CONTENT))
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(png, "PNG")
    with zipfile.ZipFile(zipped, "w") as archive_of_images:
        archive_of_images.writestr("0.png", png.getvalue())
    bodies = {"url": gzip.compress(CONTENT), "tar": tar.getvalue(), "images": zipped.getvalue()}
    real = card_room.cards()
    return {"bodies": bodies, "real": real}


def case(good: Any, rng: random.Random, folder: Path) -> str:
    """One fetch from one to three bad servers, and perhaps a good one."""
    kind = rng.choice(("url", "url", "tar", "images"))
    right = good["bodies"][kind]
    there, base = f"/{rng.randrange(2**60)}", f"http://127.0.0.1:{port()}"
    names = {"url": "tiny.bin.gz", "tar": "tiny.tar.gz", "images": "tiny.zip"}
    urls, tried = [], []
    for n in range(rng.randint(1, 3)):
        what, act = _bad(rng, right, f"{there}/{n}")
        path = f"{there}/{n}/{names[kind]}"
        scripts[path] = act
        urls.append(base + path)
        tried.append(what)
    ends_well = rng.random() < 0.5
    if ends_well:
        path = f"{there}/good/{names[kind]}"
        scripts[path] = _say(_answer(right))
        urls.append(base + path)
    _cards(good["real"], kind, urls, len(right))
    os.environ["GANBENCH_DATA"] = str(folder / "data")
    began = time.monotonic()
    try:
        fetch("tiny" if kind != "images" else "obama", say=lambda _: None)
        answer = "fetched"
    except GanbenchError as error:
        said = str(error)
        assert len(said) < 4_000 and all(line.isprintable() for line in said.split("\n")), said[:5_000]
        assert not ends_well, f"the good source was not tried: {said}"
        answer = f"refused: {tried[0]}"
    finally:
        for path in [path for path in scripts if path.startswith(there)]:
            del scripts[path]
    left = [path for path in folder.rglob("*") if ".fetch-" in path.name or path.suffix == ".tmp"]
    assert not left, f"left behind: {left}"
    assert time.monotonic() - began < 4 * DEADLINE_S, "held up"
    return answer


def _cards(real: Any, kind: str, urls: list[str], size: int) -> None:
    if kind == "images":
        splits = {"train": {**real["obama"].splits["train"], "count": 1, "size": [8, 8]}}
        sources = tuple({"url": url} for url in urls)
        known = {"obama": dataclasses.replace(real["obama"], splits=splits, sources=sources, resolutions=(4, 256))}
    else:
        digest = hashlib.sha256(CONTENT).hexdigest()
        splits = {"train": {"count": 1, "images": {"file": "tiny.bin", "bytes": len(CONTENT), "sha256": digest}}}
        one = {
            "url": lambda url: {"url": url},
            "tar": lambda url: {"tar": url, "bytes": size, "member": "inner/{file}"},
        }
        known = {
            "tiny": dataclasses.replace(
                real["mnist"], name="tiny", splits=splits, sources=tuple(one[kind](url) for url in urls)
            )
        }
    card_room.cards = lambda: known


def _bad(rng: random.Random, right: bytes, here: str) -> tuple[str, Act]:
    kinds = (_status, _headers, _redirect, _body, _chunks, _manners, _mutated, _archive)
    kind = rng.choice(kinds)
    return kind.__name__.lstrip("_"), kind(rng, right, here)


def _say(data: bytes, then: str = "close") -> Act:
    def act(line: socket.socket) -> None:
        """All at once."""
        line.sendall(data)
        if then == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        elif then == "stay":
            time.sleep(2.0)

    return act


def _answer(body: bytes, status: bytes = b"HTTP/1.1 200 OK", more: bytes = b"") -> bytes:
    return b"%s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), more, body)


def _junk(rng: random.Random, most: int = 200) -> bytes:
    return rng.randbytes(rng.randint(0, most))


def _status(rng: random.Random, right: bytes, here: str) -> Act:
    lines = (
        _junk(rng),
        b"HTTP/9.9 200 OK",
        b"HTTP/1.1",
        b"HTTP/1.1 ",
        b"HTTP/1.1 2e2 OK",
        b"HTTP/1.1 -200 OK",
        b"HTTP/1.1 %d %s" % (rng.randint(0, 1200), EVIL.encode()),
        b"HTTP/1.1 404 " + b"x" * rng.choice((100, 60_000, 70_000, 1_000_000)),
        b"ICY 200 OK",
        "HTTP/1.1 ²⁰⁰ OK".encode(),
        b"HTTP/1.1 500 \x00\xff\xfe",
        b"",
        b"HTTP/1.1 " + b"9" * 5_000,
        b"\x16\x03\x01\x02\x00",
    )
    answer = _answer(right, rng.choice(lines))
    return _say(answer if rng.random() < 0.8 else b"HTTP/1.1 100 Continue\r\n\r\n" * rng.choice((1, 100_000)) + answer)


def _headers(rng: random.Random, right: bytes, here: str) -> Act:
    lengths = (b"-1", b"1e3", b"9" * 5_000, b"", "٣".encode(), b"0x10", b"%d" % 2**63, b"1, 2", b"0", b"7")
    kinds = (
        b"X: " + b"y" * rng.choice((1_000, 70_000, 1_000_000)) + b"\r\n",
        b"".join(b"X%d: y\r\n" % i for i in range(rng.choice((50, 150, 10_000)))),
        b"no colon\r\n",
        b": empty\r\n",
        b"X: a\r\n folded\r\n\tmore\r\n",
        b"X: \x00\x1b\x80\r\n",
        _junk(rng) + b"\r\n",
        b"Content-Length: " + rng.choice(lengths) + b"\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Type: multipart/mixed; boundary=" + EVIL.encode() + b"\r\n",
        b"Set-Cookie: " + EVIL.encode() + b"\r\n",
        b"WWW-Authenticate: Basic realm=" + EVIL.encode() + b"\r\n",
    )
    status = rng.choice((b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 401 No", b"HTTP/1.1 206 Part"))
    return _say(status + b"\r\n" + b"".join(rng.sample(kinds, rng.randint(1, 4))) + b"\r\n" + right)


def _redirect(rng: random.Random, right: bytes, here: str) -> Act:
    back = f"http://127.0.0.1:{port()}{here}/"
    places = (
        "ftp://127.0.0.1:1/x",
        "file:///etc/passwd",
        "FILE:///etc/hostname",
        "data:text/plain,x",
        "javascript:alert(1)",
        "gopher://x/",
        back,
        f"{back}{'x' * 100_000}",
        "http://",
        "http://[",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.1:1/",
        "http://127.0.0.1:x/",
        f"http://127.0.0.1:1/{EVIL}",
        "http://a\x00b/",
        "http://" + "a" * 300 + "/",
        "http://ü..x/",
        "http://user:pw@127.0.0.1:1/",
        "//",
        "",
        "?" + "x" * 10,
        "http:///etc/passwd",
        "\\\\host\\x",
        _junk(rng).decode("latin-1").replace("\n", ""),
    )
    code = rng.choice((301, 302, 303, 307, 308, 300, 304, 305))
    place = rng.choice(places).encode("utf-8", "replace")
    answer = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\n\r\n" % (code, place)
    return _endless(answer, 2**20, rng.choice((0.0, 0.5))) if rng.random() < 0.3 else _say(answer)


def _endless(head: bytes, block: int, for_s: float) -> Act:
    def act(line: socket.socket) -> None:
        """Sends as much as is taken."""
        line.sendall(head)
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            line.sendall(bytes(block))

    return act


def _body(rng: random.Random, right: bytes, here: str) -> Act:
    cut = right[: rng.randrange(len(right))]
    long = right + _junk(rng, 5_000)
    bomb = gzip.compress(bytes(2**22))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(right)
    kinds: tuple[Act, ...] = (
        _say(head + cut),
        _say(_answer(cut)),
        _say(head + cut, "reset"),
        _say(head + cut, "stay"),
        _say(head + long),
        _say(b"HTTP/1.1 200 OK\r\n\r\n" + long),
        _say(_answer(bomb)),
        _say(_answer(b"")),
        _say(_answer(_junk(rng, 10_000))),
        _endless(b"HTTP/1.1 200 OK\r\n\r\n", 2**18, 1.0),
    )
    return rng.choice(kinds)


def _chunks(rng: random.Random, right: bytes, here: str) -> Act:
    sizes = (
        b"-5",
        b"zz",
        b"",
        b"f" * 30,
        b"0" * 70_000,
        b"5;" + b"x" * 70_000,
        b"%x" % (len(right) + 7),
        b"0x5",
        b"1_0",
    )
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = b"%x\r\n%s\r\n0\r\n" % (len(right), right)
    kinds: tuple[Act, ...] = (
        _say(head + rng.choice(sizes) + b"\r\n" + right),
        _say(head + whole + b"X: y\r\n" * rng.choice((0, 10_000)) + b"\r\n"),
        _say(head + b"".join(b"1\r\n%c\r\n" % b for b in right[:500])),
        _endless(head + b"%x\r\n%s\r\n0\r\n" % (len(right), right), 1_000, 0.5),
        _say(head + b"fffffff\r\n" + right, "stay"),
    )
    return rng.choice(kinds)


def _manners(rng: random.Random, right: bytes, here: str) -> Act:
    """Says nothing, or little by little, or goes."""
    answer, pause = _answer(right), rng.choice((0.02, 0.1, 0.3))

    def drip(line: socket.socket) -> None:
        """Byte by byte."""
        end = time.monotonic() + 3.0
        for byte in answer[rng.choice((0, 0, 30)) :] + bytes(10_000):
            line.sendall(bytes([byte]))
            time.sleep(pause)
            if time.monotonic() > end:
                return

    def continues(line: socket.socket) -> None:
        """Answers that are none, without end."""
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    kinds: tuple[Act, ...] = (
        _say(b""),
        _say(b"", "reset"),
        _say(b"", "stay"),
        _say(b"HTTP/1.1 200", "stay"),
        drip,
        continues,
    )
    return rng.choice(kinds)


def _mutated(rng: random.Random, right: bytes, here: str) -> Act:
    data = bytearray(_answer(right, more=b"Content-Type: application/zip\r\nServer: x\r\n"))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        if (how := rng.random()) < 0.4:
            data[at] = rng.randrange(256)
        elif how < 0.7:
            del data[at : at + rng.randint(1, 20)]
        else:
            data[at:at] = _junk(rng, 30)
        data = data or bytearray(b"x")
    return _say(bytes(data))


def _archive(rng: random.Random, right: bytes, here: str) -> Act:
    """A tar that tells lies, as it is or packed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=rng.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))) as tar:
        for _ in range(rng.randint(0, 3)):
            info = tarfile.TarInfo(rng.choice(("inner/tiny.bin", "../x", "/etc/x", "x" * 300, EVIL)))
            info.type = rng.choice(
                (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE)
            )
            info.linkname = rng.choice(("inner/tiny.bin", "/etc/passwd", ""))
            body = rng.choice((CONTENT, CONTENT[:-1], bytes(5_000))) if info.isreg() else b""
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    data = bytearray(out.getvalue())
    for at in range(0, len(data) - 512, 512):  # sizes and types, with a right checksum
        if rng.random() < 0.3 and data[at + 257 : at + 262] == b"ustar":
            data[at + 124 : at + 136] = rng.choice(
                (b"77777777777\0", b"\x80" + bytes(3) + b"\xff" * 8, b"-0000000001\0")
            )
            data[at + 156] = rng.choice(b"0xgLK5S")
            data[at + 148 : at + 156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return _say(_answer(gzip.compress(bytes(data)) if rng.random() < 0.7 else bytes(data)))
