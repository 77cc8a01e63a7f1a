"""What becomes of a run that ends: a record, a failure, a line for a person."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from benchmark.errors import GanbenchError, plain, sure
from benchmark.metrics.names import IMAGE
from benchmark.plan.make_record import make_record
from benchmark.plan.plan import Run
from benchmark.process import shell
from benchmark.records import failures, store
from benchmark.records.anew import replace
from benchmark.records.record import Record
from benchmark.schedule import runlog
from benchmark.schedule.again import again
from benchmark.schedule.job import Event
from benchmark.schedule.mirror import workplace
from benchmark.schedule.progress import duration
from benchmark.schedule.runlog import logged
from benchmark.schedule.summary import Summary
from benchmark.schedule.watch import Watch

log = logging.getLogger(__name__)


def tell(event: Event, run: Run, results: Path, watch: Watch, summary: Summary, command: tuple[str, ...]) -> None:
    """Keep what an event brings (a record, a failure), count it, and have the watch show it.

    Args:
        command: the words of the command line, for the line that makes a failed run again.
    """
    if event.kind == "progress":
        watch.report(event, run)
        return
    if event.kind == "note":
        watch.screen.say(event.error)
        return
    state, line, history = event.kind, "", []
    if event.kind == "done":
        record = None
        try:
            result = sure(event.result)
            record = make_record(run, result)
            (replace if run.again else store.write)(results, f"{run.cells[0].paper}/{run.cells[0].slug}", record)
            failures.forget(results, run.evaluation, run.seed)
            state, history = "done" if record.status == "finished" else record.status, record.history
            line = finished(record, run.name) + (f"; {result['trouble']}" if result["trouble"] else "")
        except GanbenchError as error:
            state, event = "failed", Event("failed", event.job, error=f"{error}{_rescue(record, results, run)}")
    if event.kind == "failed":
        try:
            failures.keep(results, run.evaluation, run.seed, event.error)
        except OSError as error:
            watch.lost(results / "failures", error)
        line = f"FAILED: {run.name}: {event.error}{_keep_trace(event, watch)}"
        summary.failures.append(
            plain(f"{line.removeprefix('FAILED: ')}\n      again: {again(command, run, results)}", lines=True)
        )
    elif event.kind == "blocked":
        line = f"blocked: {run.name}: {event.error}"
        summary.failures.append(f"{run.name}: {event.kind}: {event.error}")
    elif event.kind == "interrupted":
        running = watch.progress.running.get(run.evaluation)
        line = f"stopped: {run.name}; its checkpoint is kept" if running and running.todo else ""
    summary.counts[state] += 1
    watch.end(run, state, line, history)


def finished(record: Record, name: str) -> str:
    """A run with a result as one short line: how it ended, which, how long it took, its headline metric."""
    where = "" if record.status == "finished" else f" at step {record.steps:,}"
    return "  ".join([f"{record.status}: {name}{where}", duration(record.train_s + record.eval_s), *_headline(record)])


def _headline(record: Record) -> list[str]:
    """The FID, or the protocol's first metric; a proxy's beside what real images get, without which it says nothing."""
    metrics = record.protocol.metrics
    metric = "FID" if "FID" in metrics else next(iter(metrics), "")
    value = ((record.final or {}).get(metric) or {}).get("value")
    if value is None:
        return []
    floor = ((record.floor or {}).get("metrics") or {}).get(metric)
    none = " [no floor]" if record.floor and metric in IMAGE else ""
    return [f"{metric} {value:.4g}" + (f" [floor {floor['value']:.4g}]" if floor else none)]


def _rescue(record: Record | None, results: Path, run: Run) -> str:
    """A finished record that its place will not take, in the system's temporary folder; where it is, and what to do."""
    if record is None:
        return ""
    old, folder = ". The old record is still there" if run.again else "", None
    try:
        folder = Path(tempfile.mkdtemp(prefix="ganbench-"))
        store.write(folder, "rescued", record)
    except (OSError, GanbenchError) as error:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        return (
            f"{old}. Nor can it be kept elsewhere ({error}): make room, or set TMPDIR, and run the same command again"
        )
    taken = shell.command("merge", *["--again"] * run.again, folder, *shell.option("--results", results))
    return f"{old}. The record is in {folder}; when there is room, run: {taken}"


def _keep_trace(event: Event, watch: Watch) -> str:
    """The failure in the run's log, never among the records; where it is, for the line that reports it."""
    folder = workplace(event.job.folder)
    with suppress(OSError):  # the line itself is printed all the same
        folder.mkdir(parents=True, exist_ok=True)
    with logged(folder) as log_file:
        log.info("reported as failed: %s\n%s", event.error, event.trace)
    if log_file.lost:
        watch.lost(folder / runlog.NAME, log_file.lost)
    return f" (details: {folder / runlog.NAME})" if event.trace and not log_file.lost else ""
