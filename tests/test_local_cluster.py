"""A Ray that `run` starts on this machine: nobody on the network reaches it, others on the machine lack its token, and
nothing of it is left.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.errors import GanbenchError
from benchmark.schedule import locked
from tests.conftest import ROOT

ALONE = """
import json, os, sys
from pathlib import Path
from benchmark.schedule.session import session

def mode():
    from ray._raylet import AuthenticationMode, get_authentication_mode
    return get_authentication_mode() == AuthenticationMode.TOKEN, os.environ["RAY_AUTH_TOKEN"], os.getcwd()

def listening():
    tables = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {words[9]: words[1].split(":")[0] for words in tables if words[3] == "0A"}

def of(token):
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = process.name == str(os.getpid()) or token in (process / "environ").read_bytes()
            for fd in (process / "fd").iterdir() if ours else ():
                if (link := os.readlink(fd)).startswith("socket:["):
                    yield link[8:-1]
        except OSError:
            continue

with session(None, 1) as (ray, cluster):
    said, token, _ = ray.get(ray.remote(mode).remote())
    sockets = listening()
    print(json.dumps({
        "mode": said, "token": token, "addresses": [sockets[s] for s in set(of(token.encode())) if s in sockets],
        "folders": [(str(p), oct(p.stat().st_mode & 0o777)) for p in Path(sys.argv[1]).iterdir()],
    }))
assert "RAY_AUTH_TOKEN" not in os.environ
"""
LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
"""127.0.0.1, that as IPv6 has it, and ::1; in the kernel's writing."""


@pytest.mark.slow
def test_it_listens_to_this_machine_alone_asks_for_a_token_and_leaves_nothing(short: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(short / "tmp")],
        env={k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        | {"TMPDIR": str(short / "tmp"), "HOME": str(short / "home")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["addresses"]) >= 4 and set(found["addresses"]) <= set(LOOPBACK)
    assert found["mode"] is True and len(found["token"]) == 64
    assert [mode for _, mode in found["folders"]] == ["0o700"], "what everybody may write in is where nobody can go"
    assert not list((short / "tmp").iterdir()) and not list((short / "home").rglob("auth_token"))


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="g", dir="/tmp") as folder:
        for name in ("tmp", "home"):
            (Path(folder) / name).mkdir()
        yield Path(folder)


@pytest.mark.parametrize("version", ["2.40.0", "2.51.1", "1.13"])
def test_a_ray_that_asks_for_no_token_is_not_started(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(locked.MODE, raising=False)
    monkeypatch.setattr(locked, "installed", lambda _: version)
    with pytest.raises(GanbenchError, match=r"asks for no token.*install ray>=2\.52"), locked.own_token():
        pass
    monkeypatch.setenv(locked.MODE, "disabled")  # whoever says so themselves
    with locked.own_token():
        assert locked.TOKEN not in os.environ


def test_the_token_is_of_this_process_and_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (locked.MODE, locked.TOKEN):
        monkeypatch.delenv(name, raising=False)
    found = []
    for _ in range(2):
        with locked.own_token():
            found.append((os.environ[locked.MODE], os.environ[locked.TOKEN]))
        assert locked.MODE not in os.environ and locked.TOKEN not in os.environ
    assert found[0] == found[1] == ("token", found[0][1]) and len(found[0][1]) == 64
    monkeypatch.setenv(locked.TOKEN, "mine")
    with locked.own_token():
        assert os.environ[locked.TOKEN] == "mine"


@pytest.mark.parametrize("address", ["192.0.2.2", "10.0.0.1", "::", "0.0.0.0", "2001:db8::1"])
def test_one_that_others_can_reach_is_ended(address: str) -> None:
    ended: list[bool] = []
    ray = SimpleNamespace(__version__="9", shutdown=lambda: ended.append(True))
    with pytest.raises(GanbenchError, match="where other machines can reach it"):
        locked.refuse_unless_alone(ray, address)
    assert ended
    for own in ("127.0.0.1", "::1"):
        locked.refuse_unless_alone(ray, own)


def test_the_folder_of_sockets_is_this_users_alone(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.schedule import surroundings

    monkeypatch.setenv("RAY_TMPDIR", str(short / "tmp"))
    with surroundings.folder() as folder:
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700 and folder.parents[1] == short / "tmp"
    assert not list((short / "tmp").iterdir())
