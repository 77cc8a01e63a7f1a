"""All that follows the runs from the driver: the screen, the status file, TensorBoard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.files import why
from benchmark.plan.plan import Plan, Run
from benchmark.schedule.job import Event
from benchmark.schedule.progress import Progress
from benchmark.schedule.scalars import Scalars
from benchmark.schedule.screen import screen
from benchmark.schedule.state import StatusFile

UNMADE = ("failed", "blocked", "interrupted")


class Watch:
    """Told of every event by the driver; nothing here can fail a run."""

    def __init__(self, plan: Plan, results: Path, tensorboard: Path | None) -> None:
        self.scalars = Scalars(tensorboard) if tensorboard else None
        self.progress = Progress(total_size=sum(run.size for run in plan.of("to do")))
        self.status = StatusFile(results, plan)
        self._lost: set[str] = set()
        self.screen = screen(self.progress, self._head())

    def report(self, event: Event, run: Run) -> None:
        """A run has started, or has told how far it is."""
        self.progress.update(run.evaluation, run.name, run.size, event.done, event.todo, event.about)
        self.status.move(run.evaluation, "running")
        self.screen.update(run.evaluation, self._head())
        self._write_status()
        if event.about and (last := event.about.get("last")) is not None:
            self._plot(lambda scalars: scalars.measured(run, last))

    def end(self, run: Run, state: str, line: str, history: list[dict[str, Any]]) -> None:
        """A run has ended in ``state``; ``line`` says how, ``history`` what it measured."""
        self.status.move(run.evaluation, state)
        if state == "failed":
            self.status.fail(run.name, line)
        self.progress.end(run.evaluation, run.size, state not in UNMADE)
        if line:
            self.screen.say(line)
        self._write_status()
        self._plot(lambda scalars: scalars.end(run, history))

    def close(self) -> None:
        """The driver ends."""
        self.progress.running.clear()
        self._write_status(force=True)
        self.screen.close()

    def lost(self, what: Path, error: OSError) -> None:
        """Something beside the records cannot be written; said once of each kind, since the runs go on without it."""
        if what.name not in self._lost:
            self._lost.add(what.name)
            self.screen.say(f"{what} cannot be written: {why(error)}; the runs go on without it")

    def _write_status(self, force: bool = False) -> None:
        try:
            self.status.write(self.progress, force)
        except OSError as error:
            self.lost(self.status.path, error)

    def _plot(self, action: Callable[[Scalars], None]) -> None:
        if self.scalars is None:
            return
        try:
            action(self.scalars)
        except (OSError, ValueError) as error:  # the latter: a folder's name that is not UTF-8
            self.scalars = None
            why = getattr(error, "strerror", None) or error
            self.screen.say(f"TensorBoard's files cannot be written any more: {why}")

    def _head(self) -> str:
        counts = self.status.counts
        return ", ".join(
            f"{counts[state]} {state}"
            for state in ("running", "to do", "done", "failed")
            if counts[state] or state == "running"
        )
