"""The nodes of a Ray cluster, as placing sees them: cores, GPUs, and which GPUs these are."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from benchmark.plan.devices import GPUS, Device, like, named
from benchmark.plan.rooms import Node

ASK_S = 30.0  # a node may take so long to say what its GPUs have
TYPE = "accelerator_type:"  # Ray's resource that names a node's GPUs
QUERY = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")


class Machines:
    """The nodes that are alive; each is asked once for the memory of its GPUs."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._memory: dict[str, float | None] = {}  # by node
        self.names: dict[str, str] = {}  # by node: for people

    def look(self, found: Sequence[dict[str, Any]] | None = None) -> list[Node]:
        """The nodes as they are now, or as they were ``found``, in an order that does not change."""
        alive = sorted(
            (node for node in (self._ray.nodes() if found is None else found) if node["Alive"]),
            key=lambda node: node["NodeID"],
        )
        self._ask(
            [node["NodeID"] for node in alive if node["Resources"].get("GPU") and node["NodeID"] not in self._memory]
        )
        return [self._node(node["NodeID"], node) for node in alive]

    def _node(self, key: str, node: dict[str, Any]) -> Node:
        has = node["Resources"]
        cpus, gpus = has.get("CPU", 0.0), int(has.get("GPU", 0))
        accelerator = next((name.removeprefix(TYPE) for name in has if name.startswith(TYPE)), "GPU") if gpus else ""
        known = like(accelerator) if gpus else None
        memory = self._memory.get(key) or (known.memory if known else None)
        size = f" with {memory / 1e9:.0f} GB" if memory else ""
        self.names[key] = f"{node['NodeManagerHostname']}: {cpus:g} CPU" + (
            f", {gpus} {accelerator}{size}" if gpus else ", no GPU"
        )
        return Node(key, f"{accelerator}{size}", cpus, gpus, memory)

    def _ask(self, keys: Sequence[str]) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ask = self._ray.remote(num_cpus=0, max_retries=0)(gpu_memory)
        asked = {
            key: ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(key, soft=False)).remote()
            for key in keys
        }
        ready = set(self._ray.wait(list(asked.values()), num_returns=len(asked), timeout=ASK_S)[0]) if asked else set()
        for key, ref in asked.items():
            try:
                self._memory[key] = self._ray.get(ref) if ref in ready else None
            except self._ray.exceptions.RayError:  # the node has gone meanwhile
                self._memory[key] = None


def gpu_memory() -> float | None:
    """Bytes of the smallest GPU of this machine; None where no NVIDIA driver says."""
    try:
        said = subprocess.run(
            QUERY, capture_output=True, text=True, errors="replace", timeout=ASK_S / 2, check=True
        ).stdout
        return min(float(line) for line in said.splitlines()) * 2**20
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def device_of(node: Node) -> Device:
    """What is known of the GPUs of a node, or of a core of one that has none. Unknown GPUs count as the slowest known
    ones.
    """
    return named("cpu") if not node.gpus else like(node.kind) or next(iter(GPUS.values()))
