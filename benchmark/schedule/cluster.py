"""The Ray cluster under a driver: whether its head is there, and whether a node is left for every run.

Ray's own client ends the process, without a word to Python, when it speaks to a head that was restarted, or when the
head has been away for a minute. So it is not asked: plain connections see the head go. Each is kept until the next one
stands, since a head may be away for less time than lies between two; it ends with the process at its other end.
"""

from __future__ import annotations

import math
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.process import home

PROBE_S = 1.0  # between connections to the head
AWAY_S = 30.0  # the head may be unreachable for so long: less than after which Ray ends workers and the driver
# a head that answers may leave open for so long whether it is the same: asking takes a while on a busy machine
ASKED_S = 120.0
NODES_S = 10.0  # between looks at the nodes
NO_NODE_S = 300.0  # a lost node may come back within so long
ASK = (
    "import sys, ray; ray.init(address=sys.argv[1], log_to_driver=False, logging_level='ERROR'); "
    "print(*(n['NodeID'] for n in ray.nodes() if n['Alive']))"
)


class ClusterLost(GanbenchError):
    """The cluster that the runs were on is gone. Ray's client may not speak to what is there now, not even to take
    leave.
    """

    at_once = True

    def __init__(self, what: str, first: str = "") -> None:
        """``first``: what else to do, before the same command."""
        super().__init__(f"{what}; no record is lost: {first}run the same command again to go on")


class Cluster:
    """What the driver knows of its cluster; of its nodes, what the ``board`` finds, once there is one."""

    board: Any = None

    def __init__(self, ray: Any) -> None:
        context = ray.get_runtime_context()
        self._asked: Any = None
        self._ray, self._address, self._me = ray, context.gcs_address, context.get_node_id()
        self._probed = self._answered = self._looked = time.monotonic()
        self._away, self._gone, self._line = False, False, connection(self._address)
        self.found = ray.nodes()  # in Ray's words
        self._nodes = self._alive()
        self._short_since: dict[str, float] = {}

    def nodes(self) -> list[dict[str, float]]:
        """The resources of the nodes that were alive at the last look."""
        return self._nodes

    def check_head(self) -> None:
        """Raises ClusterLost if the head has been away for long, or came back as another."""
        now = time.monotonic()
        if now - self._probed < PROBE_S:
            return
        self._probed = now
        before, self._line = self._line, connection(self._address)
        if before is not None:
            self._away = self._away or not is_open(before)
            before.close()
        self._away = self._away or self._line is None
        same = self._line and (not self._away or self._is_the_same())
        if same:
            self._away, self._answered = False, time.monotonic()
        elif same is False:
            self._gone = True
            raise ClusterLost(
                f"the Ray head at {self._address} was restarted and knows nothing of these runs",
                "start its other nodes again, if it had any, then ",
            )
        elif now - self._answered > (ASKED_S if self._line else AWAY_S):
            self._gone = True
            raise ClusterLost(f"the Ray head at {self._address} has not answered for {now - self._answered:.0f} s")

    def is_gone(self) -> bool:
        """Look now: whether the head is away, or is another. Ray may not be spoken to then, not even to take leave."""
        if not self._gone:
            self._probed = -math.inf
            with suppress(ClusterLost):
                self.check_head()
        return self._gone or self._away

    def close(self) -> None:
        """End the connection to the head."""
        if self._line is not None:
            self._line.close()

    def looked(self) -> bool:
        """Look at the nodes, every ``NODES_S`` seconds, waiting for nothing; whether there has been a look."""
        now = time.monotonic()
        if self._asked is None and not self._away and now - self._looked >= NODES_S:
            self._asked = self.board.nodes.remote()
        if self._asked is None or not self._ray.wait([self._asked], timeout=0)[0]:
            return False
        answer, self._asked, self._looked = self._asked, None, now
        try:
            self.found = self._ray.get(answer)
        except self._ray.exceptions.RayError:  # the board was lost, or its head
            return False
        self._nodes = self._alive()
        return True

    def short_of(self, short: Collection[str]) -> tuple[list[str], list[str]]:
        """Of the keys that no node can take: those of which that is so since this look, and those of which it was for
        ``NO_NODE_S``.
        """
        now = time.monotonic()
        new = [key for key in short if key not in self._short_since]
        self._short_since = {key: self._short_since.get(key, now) for key in short}
        given_up = [key for key in short if now - self._short_since[key] > NO_NODE_S]
        for key in given_up:
            del self._short_since[key]
        return new, given_up

    def _alive(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self.found if node["Alive"]]

    def _is_the_same(self) -> bool | None:
        """Whether the head that is there knows this driver's node: asked from another process, which may be ended for
        asking. None: no answer yet.
        """
        try:
            answer = subprocess.run(
                home.python("-c", ASK, self._address),
                env=home.environment(),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=AWAY_S,
            )
        except subprocess.TimeoutExpired:
            return None
        return answer.returncode == 0 and self._me in answer.stdout.split()


def connection(address: str) -> socket.socket | None:
    """To what listens at ``host:port``; None where nothing does."""
    host, port = address.rsplit(":", 1)
    try:
        return socket.create_connection((host.strip("[]"), int(port)), timeout=2)
    except (OSError, UnicodeError, OverflowError):  # the latter two: no name, no port
        return None


def answers(address: str) -> bool:
    """Whether something listens at ``host:port``."""
    with connection(address) or nullcontext() as line:
        return line is not None


def is_open(line: socket.socket) -> bool:
    """Whether the other end has not closed a connection; what it has sent is thrown away. Ray closes one
    that says nothing for two minutes.
    """
    line.setblocking(False)
    try:
        while line.recv(4096):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def fits(nodes: Sequence[Mapping[str, float]], need: Mapping[str, float]) -> bool:
    """Whether one node has all that is needed, if nothing else ran on it."""
    return any(all(node.get(k, 0) >= v for k, v in need.items()) for node in nodes)


def asks(need: Mapping[str, float]) -> str:
    """``1 CPU, 0.5 GPU``."""
    return ", ".join(f"{v:g} {k}" for k, v in need.items())
