"""Whether torch can use a GPU of this machine. Ray counts GPUs without asking torch."""

from __future__ import annotations

from benchmark.errors import GanbenchError


def why_no_gpu() -> str:
    """Why torch has no GPU here; "" if it has one."""
    import torch

    if torch.cuda.is_available():
        return ""
    return "torch finds no GPU here" if torch.version.cuda or torch.version.hip else "this torch was built without CUDA"


def refuse_without_gpu() -> None:
    """Raises GanbenchError where ``--device cuda`` would fail in every run."""
    if why := why_no_gpu():
        raise GanbenchError(f"--device cuda: {why} (ganbench doctor shows what there is); --device cpu needs none", 2)
