"""The one door to torch-fidelity: its functions on features, never its caches (they are keyed by names, not by
content).
"""

from __future__ import annotations

from types import ModuleType

from benchmark.torchvision import beside_torchvision

SEED = 2020  # torch-fidelity's own, for the shuffle of IS and the subsets of KID


def fidelity(module: str) -> ModuleType:
    """``torch_fidelity.<module>``, which imports torchvision.

    Raises:
        GanbenchError: torch-fidelity or torchvision is not installed, or cannot be imported.
    """
    return beside_torchvision(f"torch_fidelity.{module}", "torch-fidelity")
