"""How fast seeds come: what one more of a cell takes, on which device, and how many runs go side by side."""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections.abc import Sequence

from benchmark.collate.judging.join import Joined
from benchmark.plan.counted import Counts
from benchmark.plan.devices import GPUS, Device, named, this_device
from benchmark.plan.forecast import Forecast
from benchmark.plan.plan import make_plan
from benchmark.records.record import Record
from benchmark.schedule.launch import Options


def seconds_each(
    cells: Sequence[Joined], device: Device | None, found: Sequence[Record], layout: str
) -> dict[str, float]:
    """Device seconds of one more seed of each cell: as predicted for the device, where its work is counted; else what
    its seeds took.
    """
    seconds = {j.cell.id: max(statistics.median(r.train_s + r.eval_s for r in j.records), 1e-3) for j in cells}
    if device is not None:
        plan = make_plan([j.cell for j in cells], [0], {}, fixed=False)
        costs = Forecast(plan, device, Counts(), found, layout)
        seconds |= {
            cell.id: cost.total_s
            for run in costs.plan.runs
            if (cost := costs.cost(run)) is not None
            for cell in run.cells
        }
    return seconds


def device_of(options: Options) -> Device | None:
    """What the runs will be made on; None where that is not known before."""
    if options.device == "cpu":
        return named("cpu")
    if options.address:
        return None
    import torch

    if not torch.cuda.is_available():
        return named("cpu")
    name = this_device("cuda").replace(" ", "").lower()
    return next((named(known) for known in GPUS if known.lower() in name), None)


def width_of(options: Options, device: Device | None) -> int:
    """How many runs go side by side: as many are chosen before the next look.

    Where each run's part of a GPU is estimated, when it is placed, a whole one is reckoned with here: of looks, rather
    too many than too few.
    """
    if options.executor == "inline":
        return 1
    cores = (options.cpus or os.cpu_count() or 1) // options.threads
    if options.address:
        fits = sys.maxsize  # a cluster of unknown size: one more seed for every open question
    elif device is not None and device.name == "cpu":
        fits = cores
    else:
        import torch

        fits = min(cores, torch.cuda.device_count() * math.floor(1 / (options.gpu_share or 1) + 1e-9))
    return max(1, min(fits, options.max_parallel or fits))
