"""From what a worker returns to a record."""

from __future__ import annotations

from typing import Any

from benchmark.errors import GanbenchError
from benchmark.metrics.real import real_key
from benchmark.plan.keys import MEASURE_VERSION, algorithm_versions
from benchmark.plan.plan import Run
from benchmark.records.record import Record


def make_record(run: Run, result: dict[str, Any]) -> Record:
    """The record of a planned run from what the worker returned."""
    data: dict[str, Any] = run.data()
    if {key: result[key] for key in data} != data:
        raise GanbenchError(f"{run.name}: the worker trained on other data than planned")
    real = real_key(run.recipe, run.protocol)
    if result.get("real", real) != real:
        raise GanbenchError(f"{run.name}: the worker compared with other real images than planned")
    return Record(
        run=run.key,
        evaluation=run.evaluation,
        seed=run.seed,
        profile=run.cells[0].profile,
        cell=run.cells[0].id,
        recipe=run.recipe,
        protocol=run.protocol,
        versions=algorithm_versions(run.recipe),
        measure_version=MEASURE_VERSION,
        **data,
        real=real,
        floor=result.get("floor"),
        planned=run.planned,
        provenance={
            "libraries": result["libraries"],
            "segments": result["segments"],
            **({"real": "imported statistics"} if result.get("imported") else {}),
        },
        **{
            k: result[k]
            for k in ("status", "steps", "total_steps", "epochs", "final", "history", "samples", "train_s", "eval_s")
        },
        train_cpu_s=result.get("train_cpu_s"),
        eval_cpu_s=result.get("eval_cpu_s"),
    )
