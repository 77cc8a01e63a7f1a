"""Ray, for as long as a launch lasts: started on this machine, or joined."""

from __future__ import annotations

import atexit
import logging
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.schedule import nodes
from benchmark.schedule.cluster import Cluster, answers
from benchmark.schedule.stop import kept_signals

TOKEN = Path("~/.ray/auth_token")  # where Ray keeps the token of its clusters

# Before ray is imported. Ray's default niceness of 15 starved workers on a busy machine, and a run out
# of memory was retried past max_retries (both measured): it is this module that tries it again. A head that is
# away is noticed by ``cluster.py``, before Ray would end the process. What a killed worker has started is ended
# with it. Usage reports are off unless asked for.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_task_oom_retries": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    "RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper": "1",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def session(address: str | None, cpus: int | None) -> Iterator[tuple[Any, Cluster]]:
    """The ``ray`` module with a Ray behind it, and its cluster.

    Args:
        address: a cluster to join; None starts Ray on this machine and ends it afterwards.
        cpus: how many cores of this machine to use; None for all.

    Raises:
        GanbenchError: Ray cannot start or be joined.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if address and os.path.exists(os.path.expanduser(TOKEN)):
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # `ray start` asks for it; joining does not find it by itself
    if not address and not _can_keep_token():
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray

    with kept_signals():  # ray.init takes SIGTERM for itself, and how children end
        _start(ray, address, cpus)
    cluster = Cluster(ray)
    try:
        yield ray, cluster
    finally:
        if cluster.is_gone():  # taking leave of a head that is gone can crash Ray's thread; of another, it does
            atexit.unregister(ray.shutdown)
        else:
            ray.shutdown()


def _can_keep_token() -> bool:
    """Whether there is a home directory in which Ray finds, or can write, the token of what it starts here."""
    token = Path(os.path.expanduser(TOKEN))
    there = next(place for place in (token, *token.parents) if os.path.exists(place) or not place.name)
    return token.is_absolute() and os.access(there, os.R_OK if there == token else os.W_OK)


def _start(ray: Any, address: str | None, cpus: int | None) -> None:
    if address and re.fullmatch(r"[^/]+:[0-9]{1,5}", address) and not answers(address):  # Ray would try for minutes
        raise GanbenchError(
            f"no Ray head answers at {address}: start it there with 'ray start --head --port={address.rpartition(':')[2]}', or give --address the address that it printed when it started"
        )
    common = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:  # Ray ends the process without a word to Python if it loses the head just then
            print(
                f"joining the Ray cluster at {address}; should Ray end this command meanwhile, run the same command again",
                file=sys.stderr,
                flush=True,
            )
            ray.init(address=address, runtime_env=nodes.shipped(), **common)
        else:
            memory = 100 * 2**20  # records are small; the default would take a third of the machine's memory
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, object_store_memory=memory, **common)
    except UnicodeEncodeError:  # of the command line, which Ray keeps with its job
        raise GanbenchError(
            "Ray takes no name that is not UTF-8, and the command line has one: rename it, or use --executor inline", 2
        ) from None
    except Exception as error:  # Ray raises a bare one where it has not come up in time
        hint = (
            "; if its head was restarted just now, run the same command again; a cluster that asks for a token needs it in ~/.ray/auth_token and RAY_AUTH_MODE=token"
            if address
            else ""
        )
        raise GanbenchError(
            f"Ray could not {'join ' + address if address else 'start'}: {str(error).splitlines()[0]}{hint}"
        ) from None
