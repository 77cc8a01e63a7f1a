"""Making a plan's runs: from the frozen plan to records on disk, whatever happens meanwhile."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import failures, records
from benchmark.data.cards import cache_folder, data_root
from benchmark.errors import GanbenchError
from benchmark.metrics.names import IMAGE
from benchmark.plan.plan import Plan, Run, make_record
from benchmark.schedule.inline import run_inline
from benchmark.schedule.job import Event, Job
from benchmark.schedule.progress import Progress, duration
from benchmark.schedule.stop import Stop

STATUS_EVERY_S = 1.0


@dataclass(frozen=True)
class Options:
    """How, not what: nothing here is part of a run's key, and on a CPU only ``threads`` and ``channels_last`` can change a bit."""

    executor: str = "ray"  # "ray" or "inline"
    address: str | None = None
    cpus: int | None = None
    device: str = "auto"  # "auto", "cpu" or "cuda"
    gpu_share: float | None = None  # for every run; None: by its estimated memory
    max_parallel: int | None = None  # runs at a time
    stop_at: float | None = None  # of time.monotonic(): then all runs are asked to write a checkpoint and stop
    threads: int = 1
    channels_last: bool = False
    until_epoch: int | None = None
    checkpoints: Path | None = None  # default: results/runs
    checkpoint_s: float = 60.0
    hung_s: float = 3600.0  # without a sign of life, after which a run is started again from its checkpoint


@dataclass
class Summary:
    """What became of a plan."""

    counts: Counter[str] = field(default_factory=Counter)  # done, partial, diverged, failed, interrupted, blocked
    failures: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 all asked for is done; 1 something failed or is missing; 130 interrupted."""
        if self.counts["interrupted"]:
            return 130
        return 1 if self.counts["failed"] or self.counts["blocked"] else 0


def run_plan(plan: Plan, results: Path, options: Options) -> Summary:
    """Make every run that is to do; write each record the moment its run ends.

    Raises:
        GanbenchError: another driver works on the same results, or no node can take a run.
    """
    todo = {run.evaluation: run for run in plan.of("to do")}
    summary = Summary()
    for run in plan.of("blocked"):
        summary.counts["blocked"] += 1
        summary.failures.append(f"{run.name}: blocked: {run.reason}")
    if not todo:
        return summary
    jobs = [_job(run, results, options) for run in todo.values()]
    progress = Progress(total_size=sum(run.size for run in todo.values()))
    with _only_driver(results), Stop(options.stop_at) as stop:
        board = _StatusFile(results, plan)
        for path in (path for run in todo.values() for path in run.damaged):
            if aside := records.set_aside(path):
                progress.say(f"{path} is damaged: moved to {aside.name}, and its run is made again")
        try:
            for event in _events(jobs, stop, options):
                _handle(event, todo[event.job.evaluation], results, progress, summary, board)
        except KeyboardInterrupt:
            summary.counts["interrupted"] += 1
        finally:
            progress.close()
            board.write(force=True)
    return summary


def _events(jobs: list[Job], stop: Stop, options: Options) -> Iterator[Event]:
    if options.executor == "inline":
        return run_inline(jobs, stop)
    from benchmark.schedule.ray_executor import run_on_ray

    return run_on_ray(
        jobs, stop, address=options.address, cpus=options.cpus, gpu_share=options.gpu_share, max_parallel=options.max_parallel, hung_s=options.hung_s
    )


def _job(run: Run, results: Path, options: Options) -> Job:
    folder = (options.checkpoints or results / "runs").resolve() / run.key
    return Job(
        key=run.key,
        evaluation=run.evaluation,
        seed=run.seed,
        name=run.name,
        recipe=run.recipe.to_json(),
        protocol=run.protocol.to_json(),
        folder=str(folder),
        data_root=str(data_root().resolve()),
        weights=os.environ.get("GANBENCH_WEIGHTS", ""),
        cache=str(cache_folder().resolve()),
        device=options.device,
        threads=options.threads,
        channels_last=options.channels_last,
        until_epoch=options.until_epoch,
        checkpoint_s=options.checkpoint_s,
        images=run.images,
        size=run.size,
        priority=run.priority,
    )


def _handle(event: Event, run: Run, results: Path, progress: Progress, summary: Summary, board: _StatusFile) -> None:
    if event.kind == "progress":
        progress.update(event.job.evaluation, run.name, run.size, event.done, event.todo)
        board.states[run.evaluation] = {"state": "running", "step": event.done, "of": event.todo}
        board.write()
        return
    if event.kind == "note":
        progress.say(event.error)
        return
    state, line = event.kind, ""
    if event.kind == "done":
        record = None
        try:
            record = make_record(run, event.result)
            path = records.write(results, f"{run.cells[0].paper}/{run.cells[0].slug}", record)
            failures.forget(results, run.evaluation, run.seed)
            state = "done" if record.status == "finished" else record.status
            spent = duration(record.train_s + record.eval_s)
            trouble = f"; {event.result['trouble']}" if event.result["trouble"] else ""
            line = f"{record.status}: {run.name} at step {record.steps:,} ({spent}){_beside_floor(record)}; {path}{trouble}"
        except GanbenchError as error:
            state, event = "failed", Event("failed", event.job, error=f"{error}{_rescue(record, results)}")
    if event.kind == "failed":
        failures.keep(results, run.evaluation, run.seed, event.error)
        line = f"FAILED: {run.name}: {event.error}{_keep_trace(event)}"
        summary.failures.append(line.removeprefix("FAILED: "))
    elif event.kind == "blocked":
        line = f"blocked: {run.name}: {event.error}"
        summary.failures.append(f"{run.name}: {event.kind}: {event.error}")
    elif event.kind == "interrupted":
        line = f"stopped: {run.name}; its checkpoint is kept" if event.job.evaluation in progress.running else ""
    summary.counts[state] += 1
    board.states[run.evaluation] = {"state": state}
    board.write()
    if line:
        progress.end(event.job.evaluation, run.size, line)


def _beside_floor(record: records.Record) -> str:
    """A proxy's numbers, each with what real images get: without that they say nothing."""
    if record.floor is None or record.final is None:
        return ""
    measured = {m: v["value"] for m in record.protocol.metrics if (v := record.final.get(m)) and v.get("value") is not None}
    floors = record.floor["metrics"]
    beside = {m: f" [floor {floors[m]['value']:.4g}]" if m in floors else " [no floor]" if m in IMAGE else "" for m in measured}
    said = (f"{m} {value:.4g}{beside[m]}" for m, value in measured.items())
    return f"; {', '.join(said)}"


def _rescue(record: records.Record | None, results: Path) -> str:
    """A finished record that its place will not take, in the system's temporary folder; where it is, and what to do."""
    if record is None:
        return ""
    try:
        folder = Path(tempfile.mkdtemp(prefix="ganbench-"))
        records.write(folder, "rescued", record)
    except (OSError, GanbenchError):
        return ""
    return f". The record is in {folder}; when there is room, run: ganbench merge {folder} --results {results}"


def _keep_trace(event: Event) -> str:
    """The failure beside the checkpoints, never among the records; where it is, for the line that reports it."""
    if not event.trace:
        return ""
    path = Path(event.job.folder) / "failure.txt"
    with suppress(OSError):  # the line itself is printed all the same
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(event.trace, encoding="utf-8")
    return f" (details: {path})"


@contextmanager
def _only_driver(results: Path) -> Iterator[None]:
    """Hold the results folder's lock; it is freed when the process ends, however it ends."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        lock = (results / ".lock").open("a")
    except OSError as error:
        raise GanbenchError(f"cannot write to {results}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GanbenchError(f"another 'ganbench run' works on {results}; wait for it, or give --results another folder") from None
        yield


class _StatusFile:
    """``results/runs/status.json``: what ``ganbench status`` reads."""

    def __init__(self, results: Path, plan: Plan) -> None:
        self.path = results / "runs" / "status.json"
        self.names = {run.evaluation: run.name for run in plan.runs if run.evaluation}
        self.states: dict[str, dict] = {run.evaluation: {"state": run.state} for run in plan.runs if run.evaluation}
        self._last = 0.0

    def write(self, force: bool = False) -> None:
        """At most once a second, unless forced; a full disk costs the status and nothing else."""
        if not force and time.monotonic() - self._last < STATUS_EVERY_S:
            return
        self._last = time.monotonic()
        content = [{"run": key, "name": self.names[key], **state} for key, state in self.states.items()]
        temporary = self.path.with_suffix(".tmp")
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"pid": os.getpid(), "time": time.time(), "runs": content}), encoding="utf-8")
            os.replace(temporary, self.path)
