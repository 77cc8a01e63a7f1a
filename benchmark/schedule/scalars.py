"""``--tensorboard DIR``: what runs measure, as TensorBoard reads it; written by the driver, from reports and
records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.errors import GanbenchError
from benchmark.plan.plan import Run
from benchmark.suite.slug import on_disk, safe_name


class Scalars:
    """A folder a run, a point a metric and measurement; what an interrupted driver wrote is kept, and may be written
    again.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise GanbenchError("--tensorboard needs a package; run: pip install 'ganbench[tensorboard]'", 2) from None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GanbenchError(f"cannot write to {folder}: {error.strerror}") from None
        self._folder, self._make = folder, SummaryWriter
        self._open: dict[str, tuple[Any, set[int]]] = {}  # evaluation -> writer, steps written

    def measured(self, run: Run, entry: dict[str, Any]) -> None:
        """One measurement: ``step``, and each metric's value; one that is there already is passed over."""
        if run.evaluation not in self._open:
            name = safe_name(f"{run.cells[0].slug} s{run.seed} {run.evaluation[:8]}")
            if on_disk(name) != name:  # TensorBoard has names as text in two encodings: UTF-8 and the locale's
                name = name.encode("ascii", "replace").decode().replace("?", "_")
            self._open[run.evaluation] = self._make(str(self._folder / run.cells[0].paper / name)), set()
        writer, written = self._open[run.evaluation]
        if entry["step"] in written:
            return
        written.add(entry["step"])
        for metric, value in entry.items():
            value = value.get("value") if isinstance(value, dict) else value
            if value is not None and metric not in ("step", "epoch"):
                writer.add_scalar(metric, value, entry["step"])

    def end(self, run: Run, history: list[dict[str, Any]]) -> None:
        """The run has ended; ``history`` has what no report told."""
        for entry in history:
            self.measured(run, entry)
        if run.evaluation in self._open:
            self._open.pop(run.evaluation)[0].close()
