"""What a paper's page shows of a table: a sentence, the figure that matters, a strip of samples. The rest is folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.ranking import Ranking, rankings
from benchmark.collate.presenting.fields import FieldRow, Value
from benchmark.collate.presenting.sentence import sentence
from benchmark.collate.presenting.site.boxes import boxes
from benchmark.collate.presenting.site.dots import achieved_figures
from benchmark.collate.presenting.site.figures import data_of, named
from benchmark.collate.presenting.site.forest import forest
from benchmark.collate.presenting.site.plot import Plot
from benchmark.collate.presenting.site.slopes import slopes
from benchmark.collate.presenting.site.training import training
from benchmark.collate.presenting.table import View
from benchmark.suite.model import Table

Image = tuple[str, int, int]
"""File name, width and height."""


@dataclass(frozen=True)
class Sample:
    """One method's samples."""

    method: str
    cell: str  # id
    image: Image


@dataclass(frozen=True)
class Section:
    """One table of a paper's page."""

    view: View
    sentence: str
    figures: tuple[Plot, ...]  # the one that matters, metric by metric
    folded: tuple[Plot, ...]  # further curves and boxes, verdicts in tolerance bands, ranks
    orders: tuple[Ranking, ...]
    strips: tuple[tuple[str, tuple[Sample, ...]], ...]  # what the methods were trained on, and their samples
    verdicts: tuple[str, ...]  # those that there are

    @property
    def long(self) -> bool:
        """Whether it has so many rows that one may want to choose among them."""
        return len(self.view.rows) > MANY

    @property
    def drawn(self) -> bool:
        """Whether the paper prints a figure here, without numbers, and ours is drawn."""
        return bool(self.figures) and not any(self.view.printed)


MANY = 12


def section(table: Table, view: View, joined: Sequence[Joined], image: Callable[[str], Image | None]) -> Section:
    """All of one table; ``image`` writes a record's samples."""
    achieved = achieved_figures(table.key, joined)
    shown = achieved or boxes(table.key, joined) or training(table.key, joined)
    more = [] if achieved else shown[1:]
    bands = forest(table.key, [(table, joined)])
    squares = [s for _, row in view.rows for s in row]
    return Section(
        view,
        sentence(joined),
        tuple(shown[:1] if more else shown),
        (*more, *([bands] if bands else []), *slopes(table, joined)),
        tuple(o for o in rankings(table, joined) if o.tau is not None),
        _strips(joined, image),
        tuple(dict.fromkeys(s.verdict for s in squares if s.verdict)),
    )


def _strips(
    joined: Sequence[Joined], image: Callable[[str], Image | None]
) -> tuple[tuple[str, tuple[Sample, ...]], ...]:
    """For each data that runs were trained on the first samples of each method."""
    names = named([j.cell for j in joined])
    found: dict[str, dict[str, Sample]] = {}
    for j in joined:
        name = names[j.cell.id]
        if not j.records or name in found.get(data_of(j), {}):
            continue
        if made := next((made for r in j.records if r.samples and (made := image(r.samples))), None):
            found.setdefault(data_of(j), {})[name] = Sample(name, j.cell.id, made)
    return tuple((data, tuple(samples.values())) for data, samples in found.items())


@dataclass(frozen=True)
class Span:
    """One value of a row of fields, and how many methods beside one another have it."""

    value: Value | None
    over: int


def spans(row: FieldRow) -> list[Span]:
    """The row's values, those of neighbours taken together."""
    found: list[Span] = []
    for value in row.values:
        if found and found[-1].value == value:
            found[-1] = Span(value, found[-1].over + 1)
        else:
            found.append(Span(value, 1))
    return found
