"""A cost in words."""

from __future__ import annotations

from benchmark.plan.cost import Cost
from benchmark.plan.devices import Device


def line(one: Cost, device: Device) -> str:
    """What a run costs, in one line."""
    step = one.count.step
    room = f" of {device.memory / 1e9:.0f} GB" if device.memory else ""
    return (
        f"{step.flops / 1e9:,.4g} GFLOP a step, {one.count.parameters / 1e6:.3g} M parameters, "
        f"{one.count.memory / 1e9:.2g} GB{room}; {one.step_s:.3g} s a step on {device.name}"
        f" ({one.known_from}), training {hours(one.train_s)}, {one.looks} measurement{'s' * (one.looks > 1)} "
        f"{hours(one.eval_s)}, disk {one.count.checkpoint / 1e6:.3g} MB"
    )


def hours(seconds: float) -> str:
    """``5400`` as ``1.5 h``."""
    if seconds < 90:
        return f"{seconds:.3g} s"
    return (
        f"{seconds / 60:.3g} min"
        if seconds < 5400
        else f"{seconds / 3600:,.3g} h"
        if seconds < 3.6e6
        else f"{seconds / 3600:,.0f} h"
    )
