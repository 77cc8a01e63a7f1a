"""Ray, for as long as a launch lasts: started on this machine, or joined."""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.process.leave import at_once
from benchmark.schedule import nodes, surroundings
from benchmark.schedule.cluster import Cluster, answers
from benchmark.schedule.locked import LOOPBACK, own_token, read_again, refuse_unless_alone
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

QUIET = {"log_to_driver": False, "logging_level": logging.ERROR}
UNWRITABLE = "Ray takes no name that is not UTF-8, and the command line has one: rename it, or use --executor inline"


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
    with ExitStack() as stack:
        if not address:
            stack.enter_context(own_token())
        import ray

        read_again()
        # ray.init takes SIGTERM for itself, and how children end
        with at_once(), kept_signals(), surroundings.cleaned():
            if address:
                _join(ray, address)
            else:
                _start(ray, cpus, stack)
        cluster = Cluster(ray)
        try:
            yield ray, cluster
        finally:
            if cluster.is_gone():  # taking leave of a head that is gone can crash Ray's thread; of another, it does
                atexit.unregister(ray.shutdown)
            else:
                with at_once():
                    ray.shutdown()
            cluster.close()


def _start(ray: Any, cpus: int | None, stack: ExitStack) -> None:
    place = stack.enter_context(surroundings.folder())
    code = surroundings.code(place)
    memory = 100 * 2**20  # records are small; the default would take a third of the machine's memory
    try:
        with surroundings.alone(ray):
            context = ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=memory,
                job_config=surroundings.job(ray, code),
                _node_ip_address=LOOPBACK,
                _temp_dir=str(place),
                **surroundings.memory(place),
                **QUIET,
            )
    except UnicodeEncodeError:  # of the command line, which Ray keeps with its job
        raise GanbenchError(UNWRITABLE, 2) from None
    except Exception as error:  # Ray raises a bare one where it has not come up in time
        raise GanbenchError(
            f"Ray could not start: {_first_line(error)}; {_kept_logs(place)}--executor inline runs without Ray"
        ) from None
    refuse_unless_alone(ray, context.address_info["node_ip_address"])


def _kept_logs(place: Path) -> str:
    """Where the logs of a Ray that has not started are, now that its folder goes; "" where there are none."""
    kept = ""
    with suppress(OSError):
        if (logs := place / "session_latest" / "logs").is_dir():
            kept = tempfile.mkdtemp(prefix="ganbench-ray-")
            shutil.copytree(logs, kept, dirs_exist_ok=True)
    return f"{kept} has what its processes say; " if kept else ""


def _join(ray: Any, address: str) -> None:
    if re.fullmatch(r"[^/]+:[0-9]{1,5}", address) and not answers(address):  # Ray would try for minutes
        raise GanbenchError(
            f"no Ray head answers at {address}: start it there with 'ray start --head "
            f"--port={address.rpartition(':')[2]}', or give --address the address that it printed when it "
            "started"
        )
    print(  # Ray ends the process without a word to Python if it loses the head just then
        f"joining the Ray cluster at {address}; should Ray end this command meanwhile, run the same command again",
        file=sys.stderr,
        flush=True,
    )
    try:
        ray.init(address=address, runtime_env=nodes.shipped(), job_config=surroundings.job(ray), **QUIET)
    except UnicodeEncodeError:
        raise GanbenchError(UNWRITABLE, 2) from None
    except Exception as error:
        raise GanbenchError(
            f"Ray could not join {address}: {_first_line(error)}; if its head was restarted just now, run "
            "the same command again; a cluster that asks for a token needs it in ~/.ray/auth_token and "
            "RAY_AUTH_MODE=token"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
