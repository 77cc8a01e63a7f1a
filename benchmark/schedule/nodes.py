"""The nodes of a cluster: the code that they get, and what each must have before anything runs there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmark.canonical import content_hash
from benchmark.data.home import full_path
from benchmark.errors import GanbenchError
from benchmark.process.home import PACKAGE, WORKING
from benchmark.recipe import Protocol, Recipe
from benchmark.schedule.job import Job, set_folders
from benchmark.schedule.mirror import check_room, mirror_of, workplace
from benchmark.weights.needed import needed

JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Environment variable in which a process that `ray job submit` started finds the job's runtime environment."""

ANSWER_S = 120.0  # a node that says nothing for so long is named


def shipped() -> dict[str, Any]:
    """Ray's runtime environment: this package, with its data files, and what takes the working directory off the
    workers' path.

    Under ``ray job submit`` the job has an environment already, and Ray refuses what is in both.
    """
    package = Path(PACKAGE)
    of_job = json.loads(os.environ.get(JOB) or "{}").get("runtime_env") or {}
    parts: dict[str, Any] = {"worker_process_setup_hook": "benchmark.process.home.leave_job_directory"}
    if WORKING not in package.parts:
        parts["py_modules"] = [str(package)]
    return {name: part for name, part in parts.items() if name not in of_job}


def refuse_scratch(results: Path) -> None:
    """Raises GanbenchError where ``results`` lie in the copy of a working directory that Ray deletes after its job."""
    if WORKING in Path(full := full_path(results)).parts:
        raise GanbenchError(
            f"{full} is a copy that Ray deletes when the job ends; give --results the full path of a folder that stays",
            2,
        )


def check(ray: Any, jobs: Sequence[Job], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Ask every node that could take a run whether it has what the runs need.

    Args:
        meanwhile: called once a second until all have answered; may raise.

    Raises:
        GanbenchError: naming each node that lacks data, weights or a place for checkpoints, has other data, or does not
            answer.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    wanted = distinct(jobs)
    expected = [_content(job) for job in wanted]
    there = {n["NodeID"]: _name(n) for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU", 0) > 0}
    task = ray.remote(num_cpus=0, max_retries=0)(lacking)
    asked = {
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(
            wanted, expected
        ): node
        for node in there
    }
    ready, silent, end = [], list(asked), time.monotonic() + ANSWER_S
    while silent and time.monotonic() < end:
        answered, silent = ray.wait(silent, num_returns=len(silent), timeout=1.0)
        ready += answered
        meanwhile()
    problems = [f"node {there[asked[ref]]} has not answered for {ANSWER_S:.0f} s" for ref in silent]
    for ref in ready:
        try:
            found = ray.get(ref)
        except ray.exceptions.RayTaskError as error:
            found = [str(error.cause).splitlines()[0]]
        except ray.exceptions.RayError:
            found = ["lost while it was asked; run the same command again"]
        problems += [f"node {there[asked[ref]]}: {problem}" for problem in found]
    if problems:
        raise GanbenchError(
            "\n  ".join(
                [
                    "not every node has what the runs need (a node's own GANBENCH_DATA, GANBENCH_CACHE and "
                    "GANBENCH_WEIGHTS are those that its 'ray start' was given)",
                    *problems,
                ]
            )
        )


def distinct(jobs: Sequence[Job]) -> list[Job]:
    """One of those that need the same of a node: data, weights, and what the protocol measures with."""
    data = ("dataset", "split", "resolution", "channels")
    found = {
        content_hash([*(job.recipe[k] for k in data), job.protocol, needed(Recipe.from_json(job.recipe))]): job
        for job in jobs
    }
    return list(found.values())


def lacking(jobs: Sequence[Job], expected: Sequence[str]) -> list[str]:
    """What this node lacks for ``jobs``, whose data have the ``expected`` content: one line a problem."""
    from benchmark.plan.blocks import what_blocks
    from benchmark.plan.missing import weights_of
    from benchmark.weights.read import verified

    problems: dict[str, None] = {}
    for job, content in zip(jobs, expected):
        set_folders(job)
        recipe, protocol = Recipe.from_json(job.recipe), Protocol.from_json(job.protocol)
        try:
            mirror_of(job.folder)
            why = what_blocks(recipe, protocol) or check_room(workplace(job.folder).parent)
            if not why:
                for weights in weights_of(recipe, protocol):
                    verified(weights)
            if not why and _content(job) != content:
                why = (
                    f"dataset {recipe.dataset}: {recipe.split} has other images than on the node that the runs "
                    "were planned on"
                )
        except GanbenchError as error:
            why = str(error)
        if why:
            problems[why] = None
    return list(problems)


def _content(job: Job) -> str:
    from benchmark.data.cards import card

    recipe = Recipe.from_json(job.recipe)
    return card(recipe.dataset).content(recipe.split, recipe.resolution, recipe.channels)


def _name(node: dict[str, Any]) -> str:
    """As people know it: the node's name where it was given one, the host's, its address."""
    name, *more = dict.fromkeys(
        n for key in ("NodeName", "NodeManagerHostname", "NodeManagerAddress") if (n := node.get(key))
    )
    return f"{name} ({', '.join(more)})" if more else name
