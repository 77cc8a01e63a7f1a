"""Runs that ran out of memory: tried once more with room to themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HOST, GPU = "host memory", "GPU memory"


def gpu_memory(error: BaseException) -> bool:
    """Whether a run's error says that its GPU was full; torch has several ways to say so."""
    text = str(error)
    return type(error).__name__ == "OutOfMemoryError" or "CUDA out of memory" in text or "ALLOC_FAILED" in text


def with_room(what: str, asked: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    """What to ask for after ``asked`` was too little: a whole GPU, or all cores of a node, so that nothing runs beside
    it.

    None if that is what it had.
    """
    if what == GPU:
        return {**asked, "GPU": 1.0} if 0 < asked.get("GPU", 0) < 1 else None
    cores = max(
        (node.get("CPU", 0.0) for node in nodes if all(node.get(k, 0) >= v for k, v in asked.items())), default=0.0
    )
    return {**asked, "CPU": cores} if cores > asked.get("CPU", 0) else None
