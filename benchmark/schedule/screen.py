"""Drawing progress: a live table where there is a terminal, plain lines where there is none.

Names come from suite files and errors from anywhere, so that everything is drawn as it is: no markup,
and nothing that steers a terminal. Nobody reading any more (a closed terminal, a full pipe) ends the
drawing and never the runs. Nothing is drawn from another thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from benchmark.door import through, within
from benchmark.errors import continued, plain
from benchmark.process.terminal import is_terminal
from benchmark.pulse import STARTING, TRAINING
from benchmark.schedule.progress import Progress, duration

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_EVERY_S = 60.0  # between two lines about one run, without a terminal
REDRAW_S = 0.5
SILENT_S = 30.0  # a run that was not heard of for so long says so: it measures, waits, or hangs
NARROWEST = 12  # of a run's name
WIDEST = 32  # of what it is at
ENDS = {"finished": "green", **dict.fromkeys(("partial", "diverged", "stopped", "blocked"), "yellow"), "FAILED": "red"}
"""What the last line of a run begins with, and its colour."""
COLUMNS = (("run", 0), ("now", 0), ("step", 64), ("it/s", 72), ("left", 45), ("measured", 90), ("on", 110))
"""Title, and the narrowest terminal that still shows it."""


def screen(progress: Progress, head: str, out: TextIO | None = None) -> Lines | Table:
    """What suits ``out`` (standard error by default); ``head`` stands above a table until the first report."""
    out = out or sys.stderr
    return Table(progress, head, out) if out is not None and is_terminal(out) else Lines(progress, out)


class Lines:
    """One line a minute about each run that lasts as long; none where there is nothing to write to."""

    def __init__(self, progress: Progress, out: TextIO | None) -> None:
        self._progress, self._out, self._said = progress, out, dict[str, float]()

    def update(self, key: str, head: str) -> None:
        """A run has reported."""
        now = time.monotonic()
        if now - self._said.setdefault(key, now) >= PLAIN_EVERY_S:
            self._said[key] = now
            eta = self._progress.eta_s()
            self.say(line(self._progress.row(key)) + (f"  (all: {duration(eta)} left)" if eta is not None else ""))
        for ended in self._said.keys() - self._progress.running.keys():
            del self._said[ended]

    def say(self, text: str) -> None:
        """One lasting line."""
        if self._out is not None and not self._out.closed:
            with suppress(OSError):
                print(continued(plain(text, lines=True)), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left to remove."""


class Table:
    """The runs under way, redrawn in place below the lasting lines."""

    def __init__(self, progress: Progress, head: str, out: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._progress, self._head, self._drawn, self._gone = progress, head, 0.0, False
        self._phases: dict[str, str] = {}  # as drawn
        self._console = Console(file=within(out), markup=False, highlight=False, emoji=False)
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, vertical_overflow="crop"
        )
        self._guarded(self._live.start)
        sys.stderr = through(sys.stderr)  # which the table takes for its time, to print above itself
        self._redraw()

    def update(self, key: str, head: str) -> None:
        """A run has reported; ``head`` stands above the table."""
        self._head = head
        about = self._progress.running[key].about
        if time.monotonic() - self._drawn >= REDRAW_S or self._phases.get(key) != about.get("phase", STARTING):
            self._redraw()  # of another phase at once: it may be long until anything else is heard

    def say(self, text: str) -> None:
        """One lasting line, above the table; how a run ended in a colour."""
        from rich.text import Text

        line = Text(continued(plain(text, lines=True)))
        head = text.partition(":")[0]
        if head in ENDS:
            line.stylize(ENDS[head], 0, len(head))
        self._guarded(lambda: self._console.print(line, soft_wrap=True))
        self._redraw()

    def close(self) -> None:
        """Remove the table, and give standard error back."""
        self._gone = False  # the end is tried again: standard error must be put back in any case
        self._guarded(self._live.stop)

    def _redraw(self) -> None:
        self._drawn = time.monotonic()
        found = self._progress.rows()
        rows, self._phases = list(found.values()), {key: row.get("phase", STARTING) for key, row in found.items()}
        eta = self._progress.eta_s()
        head = f"{self._head}{f'; all: {duration(eta)} left' if eta is not None else ''}"
        self._guarded(
            lambda: self._live.update(drawn(rows, head, self._console.width, self._console.height), refresh=True)
        )

    def _guarded(self, action: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            action()
        except OSError:
            self._gone = True


def drawn(rows: Sequence[dict[str, Any]], head: str, width: int, height: int) -> RenderableType:
    """Rows as a table that fits ``width`` by ``height`` characters; what does not fit is counted."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as Grid
    from rich.text import Text

    room = max(1, height - 4)
    shown = [_cells(row) for row in rows[: room if len(rows) <= room else room - 1]]
    titles = [title for title, least in COLUMNS if width >= least]
    wide = {t: max([len(t), *(len(cells[t]) for cells in shown)]) for t in titles}
    name = max(NARROWEST, width - sum(wide[t] + 3 for t in titles if t != "run"))
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for title in titles:
        left = title in ("run", "now", "on")
        grid.add_column(title, justify="left" if left else "right", no_wrap=True, overflow="ellipsis")
    for cells in shown:
        grid.add_row(*(Text(shorten(cells[t], name) if t == "run" else cells[t]) for t in titles))
    more = [Text(f"… and {len(rows) - len(shown)} more", style="dim")] if len(shown) < len(rows) else []
    return Group(Text(plain(head), no_wrap=True, overflow="ellipsis"), *([grid] if shown else []), *more)


def line(row: dict[str, Any]) -> str:
    """A row as one line."""
    cells = _cells(row)
    if not row.get("of"):
        return f"{cells['run']}  {cells['now']}"
    more = [
        cells["now"] if row.get("phase", TRAINING) != TRAINING or row.get("silent_s", 0.0) > SILENT_S else "",
        f"{cells['it/s']} it/s" if cells["it/s"] else "",
        f"{cells['left']} left" if cells["left"] else "",
        cells["measured"],
        f"on {cells['on']}" if cells["on"] else "",
    ]
    share = f"{100 * row['step'] / row['of']:.1f} %  step {row['step']:,} of {row['of']:,}"
    return "  ".join([cells["run"], share, *filter(None, more)])


def shorten(text: str, width: int) -> str:
    """The two ends of ``text``: the ends of names tell seeds apart, the beginnings papers."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _cells(row: dict[str, Any]) -> dict[str, str]:
    """What each column shows of a row."""
    done, todo, rate, eta, last = row.get("step", 0), row.get("of"), row.get("rate"), row.get("eta_s"), row.get("last")
    silent, phase = row.get("silent_s", 0.0), row.get("phase", TRAINING if todo else STARTING)
    return {
        "run": plain(row["name"]),
        "now": _cut(plain(phase)) + (f" (silent {duration(silent)})" if silent > SILENT_S else ""),
        "step": f"{done:,} / {todo:,}" if todo else "",
        "it/s": "" if rate is None else f"{rate:.3g}",
        "left": "" if eta is None else duration(eta),
        "measured": measured(last) if last else "",
        "on": plain(", ".join(filter(None, (row.get("node"), row.get("device"))))),
    }


def measured(last: dict[str, Any]) -> str:
    """``FID 34.2 at 5,000``: the FID of the newest measurement, or its protocol's first metric."""
    metrics = [m for m in last if m != "step"]
    if not metrics:
        return ""
    metric = "FID" if "FID" in metrics else metrics[0]
    value = last[metric]
    return plain(f"{metric} {'not finite' if value is None else f'{value:.4g}'} at {last['step']:,}")
