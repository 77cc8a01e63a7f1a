"""The one door to torch-fidelity: its functions on features, never its caches (they are keyed by names, not by
content).
"""

from __future__ import annotations

import importlib
from types import ModuleType

from benchmark.errors import GanbenchError

SEED = 2020  # torch-fidelity's own, for the shuffle of IS and the subsets of KID


def fidelity(module: str) -> ModuleType:
    """``torch_fidelity.<module>``.

    torch-fidelity imports torchvision, and torchvision's wheel for CUDA cannot load its compiled
    operators beside a CPU build of torch; its import then stops at the first operator that it describes.
    None of them is used here, so that their bare declarations are enough.

    Raises:
        GanbenchError: torch-fidelity or torchvision is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(f"torch_fidelity.{module}")
    except ImportError as error:
        raise GanbenchError(
            f"torch-fidelity cannot be imported ({error}); run: pip install torch-fidelity torchvision"
        ) from None
    except RuntimeError:
        _declare_operators()
    try:
        return importlib.import_module(f"torch_fidelity.{module}")
    except (ImportError, RuntimeError) as error:
        raise GanbenchError(f"torchvision does not fit this torch ({error}); install the two from one source") from None


_declared: list[object] = []  # keeps the declarations alive


def _declare_operators() -> None:
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)
