"""The device under test: its clock, its memory, and whether its convolutions keep all bits."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import time
from collections.abc import Iterator
from pathlib import Path

import torch

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def wait(device: str) -> None:
    """Until the device has done all that it was given."""
    if device != "cpu":
        torch.cuda.synchronize()


def clock(device: str) -> float:
    """Seconds: CPU seconds of this process on a CPU, which other load lengthens less, and wall seconds on a GPU."""
    wait(device)
    return time.process_time() if device == "cpu" else time.perf_counter()


def release() -> None:
    """What no name holds any more goes back to the device, and to the system."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:  # of the GNU C library
        trim(0)


def in_use(device: str) -> int | None:
    """Bytes: of live tensors on a GPU; what is resident of this process on Linux; None elsewhere."""
    return torch.cuda.memory_allocated() if device != "cpu" else status("VmRSS")


class Peak:
    """Bytes at most since it was made: ``allocated`` by tensors, and ``reserved`` for them, on a GPU.

    On Linux what became resident of this process beyond what was; None elsewhere.
    """

    def __init__(self, device: str) -> None:
        release()
        self._device, self._before = device, 0
        if device != "cpu":
            torch.cuda.reset_peak_memory_stats()
        elif RESET.exists():
            RESET.write_text("5", encoding="ascii")  # the kernel's own high-water mark begins anew
            self._before = status("VmRSS") or 0

    def bytes(self) -> dict[str, int | None]:
        """So far."""
        if self._device != "cpu":
            return {"allocated": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}
        peak = status("VmHWM")
        return {"allocated": None if peak is None else peak - self._before, "reserved": None}


def status(field: str) -> int | None:
    """A size of this process in bytes, as Linux tells it."""
    if not STATUS.exists():
        return None
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


@contextlib.contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Whether convolutions on a GPU may round float32 to TF32's 10 bits, torch's default; matrix products may not."""
    was = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = was
