"""How long a plan takes on GPUs of several kinds."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.plan.forecast import Forecast
from benchmark.plan.placement import Placer, Task
from benchmark.plan.rooms import Need, Node
from benchmark.plan.simulate import nodes, play


def together(made: Sequence[Forecast], gpus: Sequence[int]) -> float:
    """Seconds until all trainings to do are done on so many GPUs of each forecast's device, each placed where it is
    expected to end first.
    """
    known = {one.device.name: {t.name: t.seconds for t in one.trainings()} for one in made}

    def seconds(task: Task, node: Node) -> float:
        """Predicted on the node's kind of device."""
        return known[node.kind][task.key]

    tasks = [Task(name, name, name) for name in known[made[0].device.name]]
    return play(
        Placer(
            tasks, nodes({one.device.name: n for one, n in zip(made, gpus)}), lambda task, node: Need(1, 1), seconds
        ),
        seconds,
    )
