"""Who can reach the Ray of this machine alone: nobody on the network, and of those who are on the machine, only who has
its token.
"""

from __future__ import annotations

import functools
import importlib
import ipaddress
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.process.installed import installed

LOOPBACK = "127.0.0.1"
MODE, TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
OLDEST = (2, 52)  # that asks for a token

_token = functools.cache(lambda: secrets.token_hex(32))
"""Of this process: Ray keeps the first that it reads."""


@contextmanager
def own_token() -> Iterator[None]:
    """Meanwhile, Ray asks for a token that only this user's processes can read, in their environment: the file in which
    Ray would keep one can be read by everybody who can enter the home directory.

    Raises:
        GanbenchError: Ray is too old to ask for one, and ``RAY_AUTH_MODE`` does not say that none is wanted.
    """
    if os.environ.get(MODE, "token").lower() != "token":
        yield
        return
    version = installed("ray")
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        raise GanbenchError(
            f"Ray {version} asks for no token, and whoever is on this machine could run code in it: install "
            f"ray>={'.'.join(map(str, OLDEST))}, or give --executor inline"
        )
    before = {name: os.environ.get(name) for name in (MODE, TOKEN)}
    os.environ[MODE] = "token"
    os.environ.setdefault(TOKEN, _token())
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ |= {} if value is None else {name: value}


def read_again() -> None:
    """Have a Ray that was imported before take what the environment says of tokens now."""
    with suppress(AttributeError, ImportError):  # of another version
        raylet: Any = importlib.import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def refuse_unless_alone(ray: Any, address: str) -> None:
    """Raises GanbenchError, and ends Ray, where other machines can reach what has started."""
    if ipaddress.ip_address(address).is_loopback:
        return
    ray.shutdown()
    raise GanbenchError(
        f"Ray {ray.__version__} listens at {address}, where other machines can reach it: install another version (see "
        "constraints.txt), or give --executor inline"
    )
