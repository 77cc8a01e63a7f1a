"""The one door to packages that import torchvision."""

from __future__ import annotations

import importlib
from types import ModuleType

from benchmark.errors import GanbenchError


def beside_torchvision(module: str, package: str) -> ModuleType:
    """``module``, of the installed ``package``.

    torchvision's wheel for CUDA cannot load its compiled operators beside a CPU build of torch; its import then stops
    at the first operator that it describes. None of them is used here, so that their bare declarations are enough.

    Raises:
        GanbenchError: the package or torchvision is not installed, or cannot be imported.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        _declare_operators()
    except ImportError:
        pass  # said of the package, which needs it
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise GanbenchError(f"{package} cannot be imported ({error}); run: pip install {package} torchvision") from None
    except RuntimeError as error:
        raise GanbenchError(f"torchvision does not fit this torch ({error}); install the two from one source") from None


_declared: list[object] = []  # keeps the declarations alive


def _declare_operators() -> None:
    import torch

    if _declared:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)
