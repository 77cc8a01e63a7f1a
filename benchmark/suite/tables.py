"""Tables as a suite writes them: rows and columns to cells, recipes and protocols resolved under a profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import nearest
from benchmark.outside.code import plain_name
from benchmark.suite import published
from benchmark.suite.cells import check_dataset, check_measurements, refuse_twins, remarked, restated, sized
from benchmark.suite.draft import COORDINATES, Draft, changed
from benchmark.suite.fields import CHOICES
from benchmark.suite.model import Alive, Cell, Place, Table, Tolerance
from benchmark.suite.nodes import Node
from benchmark.suite.recipes import finish, finish_protocol, read_protocol
from benchmark.suite.rows import (
    ROW_KEYS,
    TABLE_KEYS,
    Column,
    Profile,
    Row,
    read_column,
    read_converged,
    read_metrics,
    read_origins,
    read_references,
    read_rows,
    read_unranked,
)

MOST_CELLS = 2_000  # of a suite; the largest paper has 129
MOST_NOTED = 20_000_000  # characters of notes and sources, those of each cell counted


@dataclass
class TableReader:
    """Reads the tables of one suite under one profile."""

    paper: str
    path: Path
    recipes: dict[str, tuple[Draft, Node]]
    protocol: Draft
    profile: Profile
    tolerance: dict[str, Tolerance]
    alive: dict[str, Alive] = field(default_factory=dict)

    def tables(self, node: Node) -> tuple[Table, ...]:
        """All tables, in order; a table may restate one that stands before it."""
        done: dict[str, Table] = {}
        for key, at in node.mapping().items():
            done[key] = self.table(key, at, done)
            if sum(len(table.cells) for table in done.values()) > MOST_CELLS:
                at.fail(f"with this table, the suite has more than {MOST_CELLS:,} cells")
            if sum(cell.noted for table in done.values() for cell in table.cells) > MOST_NOTED:
                at.fail(f"with this table, the notes on the suite's cells have more than {MOST_NOTED:,} characters")
        return tuple(done.values())

    def table(self, key: str, node: Node, done: dict[str, Table]) -> Table:
        """One table: its cells row by row, each with recipe and protocol resolved."""
        given = node.mapping(TABLE_KEYS, ("caption", "metrics"))
        if ("rows" in given) == ("groups" in given):
            node.fail("a table needs either 'rows' or 'groups' of rows")
        restates = done[given["restates"].one_of(done, "table before this one")] if "restates" in given else None
        row = Row(
            table=key,
            group="",
            backbone=given["backbone"].text() if "backbone" in given else "",
            std_of=given["std_of"].one_of(CHOICES["std_of"], "std_of") if "std_of" in given else "unknown",
            metrics=read_metrics(given["metrics"]),
            columns=[read_column(c) for c in given["columns"].items()] if "columns" in given else [Column()],
            protocol=read_protocol(given["protocol"]).over(self.protocol) if "protocol" in given else self.protocol,
            restated=restates.cells if restates else None,
        )
        rows = read_rows(given, row)
        if len(rows) * len(row.columns) > MOST_CELLS:
            node.fail(f"{len(rows):,} rows of {len(row.columns):,} columns: more than {MOST_CELLS:,} cells")
        cells = [cell for name, at, shared in rows for cell in self._row(name, at, shared)]
        if not cells:
            node.fail("a table without a cell")
        cells = sized(refuse_twins(cells, node))
        return Table(
            paper=self.paper,
            id=key,
            caption=given["caption"].text(),
            metrics=row.metrics,
            cells=tuple(remarked(cells, given["notes"]) if "notes" in given else cells),
            transposed=given["transposed"].boolean() if "transposed" in given else False,
            by_metric=given["by_metric"].boolean() if "by_metric" in given else False,
            tolerance=self.tolerance,
            alive=self.alive,
            unranked=read_unranked(given, row.metrics),
            references=tuple(read_references(given["references"], row, cells) if "references" in given else ()),
            converged=read_converged(given["converged"], row) if "converged" in given else {},
            restates=restates.id if restates else None,
        )

    def _row(self, name: str, node: Node, row: Row) -> list[Cell]:
        given = node.mapping({*row.metrics, *ROW_KEYS})
        method = given["method"].text() if "method" in given else name
        protocol = read_protocol(given["protocol"]).over(row.protocol) if "protocol" in given else row.protocol
        std_of = given["std_of"].one_of(CHOICES["std_of"], "std_of") if "std_of" in given else row.std_of
        origins = read_origins(given.get("origin"), len(row.columns))
        numbers = {
            m: published.read_row(given[m], len(row.columns), std_of, origins) for m in row.metrics if m in given
        }
        made = []
        for i, column in enumerate(row.columns):
            draft, at = self._recipe(
                given.get("recipe", node),
                given["recipe"].text() if "recipe" in given else name,
                row,
                column,
                method,
                given,
            )
            cell = dict(
                table=row.table,
                group=row.group,
                method=method,
                backbone=given["backbone"].text() if "backbone" in given else row.backbone,
                published={m: n[i] for m, n in numbers.items()},
                remarks=(given["note"].text(),) if "note" in given else (),
                untrained=given["untrained"].text() if "untrained" in given else "",
            )
            made.append(
                restated(cell, draft, node)
                if isinstance(draft, Cell)
                else self._cell(cell, row, column, draft, protocol, at, node)
            )
        return made

    def _recipe(
        self, asked: Node, name: str, row: Row, column: Column, method: str, given: dict[str, Node]
    ) -> tuple[Draft | Cell, Node]:
        """The recipe of that name; or the cell that the row restates."""
        if row.restated is not None:
            for key in ("recipe", "protocol", "origin", "untrained"):
                if key in given:
                    given[key].fail(f"a row that restates another table takes its {key} from there")
            backbone = given["backbone"].text() if "backbone" in given else row.backbone
            fields = column.coordinates.fields
            found = [
                c
                for c in row.restated
                if c.method == method
                and backbone in ("", c.backbone)
                and all(getattr(c.place, k) == (plain_name(v) if k == "dataset" else v) for k, v in fields.items())
            ]
            if len(found) != 1:
                known = (
                    nearest(method, {c.method for c in row.restated}) if not found else "; name its column and backbone"
                )
                asked.fail(f"{method!r} is {len(found)} cells of the restated table in this column{known}")
            return found[0], asked
        if name not in self.recipes:
            asked.fail(f"unknown recipe {name!r}{nearest(name, self.recipes)}")
        return self.recipes[name]

    def _cell(
        self,
        given: dict[str, Any],
        row: Row,
        column: Column,
        draft: Draft,
        protocol: Draft,
        recipe_at: Node,
        node: Node,
    ) -> Cell:
        base = column.coordinates.over(draft)
        where: dict[str, Any] = {k: base.fields.get(k) for k in COORDINATES}
        where["dataset"] = plain_name(where["dataset"] or "")
        place = Place(
            **where,
            network=plain_name((base.fields.get("network") or ("",))[0]),
            n_dis=base.fields.get("n_dis", 1),
            table=given["table"],
        )
        chosen = column.coordinates.over(draft.at(place))
        measured = column.protocol.at(place, protocol.at(place))
        full, full_protocol = finish(chosen, recipe_at, "the recipe"), finish_protocol(measured, node)
        if unmeasured := [m for m in row.metrics if m not in full_protocol.metrics]:
            node.fail(f"the table prints {', '.join(unmeasured)}, and its protocol does not measure it")
        if full_protocol.best_by not in (None, *full_protocol.metrics):
            node.fail(f"the best checkpoint is chosen by {full_protocol.best_by}, which the protocol does not measure")
        if self.profile.name == "full":
            recipe, measuring = full, full_protocol
        else:
            recipe = finish(
                changed(chosen, self.profile.recipe, place), recipe_at, f"the recipe in profile {self.profile.name}"
            )
            measuring = finish_protocol(changed(measured, self.profile.protocol, place), node)
        for r, p in ((full, full_protocol), (recipe, measuring)):
            check_dataset(r, recipe_at)
            check_measurements(r, p, node)
        return Cell(
            **given,
            paper=self.paper,
            path=self.path,
            dataset=plain_name(full.dataset),
            data_percent=full.data_percent,
            resolution=full.resolution,
            sized=False,
            recipe=recipe,
            protocol=measuring,
            full_recipe=full,
            full_protocol=full_protocol,
            profile=self.profile.name,
            stated=chosen.stated | measured.stated,
            notes=chosen.spelled_notes() | measured.spelled_notes(),
            kinds=chosen.kinds | measured.kinds,
        )
