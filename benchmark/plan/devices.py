"""What a device takes for a piece of work: named GPUs by their makers' data, this machine's processor by measurement.

GPUs are orders of magnitude, not measurements: nothing here was timed on them. A GPU computes and moves memory
while its host sends the next operation, so that the slower of the two decides. Convolutions are taken to run at
``SHARE`` of the float32 peak of ordinary cores, which puts SN-GAN's ResNet at 32 pixels (5 D steps and a G step of 64)
at half a second on a V100; Mimicry's authors report 0.455 s. TF32, torch's default for convolutions on A100 and later,
is counted as twice that share's rate and no more: GANs' layers are small. Sources of the peaks: NVIDIA's data
sheets of V100 (SXM2), A100 (SXM, 80 GB), H100 (SXM) and the Ada GPU architecture paper (RTX 4090).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError, nearest
from benchmark.files import read_regular, write_whole
from benchmark.plan.work import Work
from benchmark.records.provenance import processor
from benchmark.train.layout import RULE

SHARE = 0.35  # of peak FLOPs that convolutions reach
MEMORY_SHARE = 0.7  # of peak bandwidth
HOST_CALL = 10e-6  # seconds of the host for an operation and its part of autograd


@dataclass(frozen=True)
class Device:
    """Seconds a unit of each kind of work."""

    name: str
    conv: float  # a FLOP of a convolution
    matmul: float  # a FLOP of a matrix product
    byte: float
    call: float
    overlap: bool = False  # operations are sent while others compute
    padded: bool = False  # channels are rounded up to whole vectors
    memory: float | None = None  # bytes of a GPU
    slow_byte: float = 0.0  # beside ``byte``, a byte of what CPUs do not stream
    conv_call: float = 0.0  # beside ``call``, a convolution
    # seconds of a run that are neither steps nor measurements: reading, building, what measuring needs, a checkpoint,
    # samples
    start_s: float = 0.0
    image_s: Mapping[str, float] | None = (
        None  # seconds an image through a feature extractor, by its name; None: by its FLOPs
    )
    layout_rule: int = 0  # ``train.layout.RULE`` of the time when it was measured

    def seconds(self, work: Work) -> float:
        """For a piece of work."""
        computing = self._computing(work)
        calling = work.calls * self.call + work.convs * self.conv_call
        return max(computing, calling) if self.overlap else computing + calling

    def busy(self, work: Work) -> float:
        """The share of these seconds in which it computes; the rest it waits for its host."""
        return self._computing(work) / seconds if self.overlap and (seconds := self.seconds(work)) else 1.0

    def _computing(self, work: Work) -> float:
        return (
            (work.padded if self.padded else work.conv) * self.conv
            + work.matmul * self.matmul
            + work.bytes * self.byte
            + work.slow_bytes * self.slow_byte
        )


def _gpu(name: str, teraflops: float, boost: float, gigabytes_s: float, gigabytes: float) -> Device:
    """From a peak in float32 TFLOP/s, how much faster TF32 convolutions are, and memory's speed and size."""
    flop = 1 / (SHARE * teraflops * 1e12)
    return Device(
        name,
        flop / boost,
        flop,
        1 / (MEMORY_SHARE * gigabytes_s * 1e9),
        HOST_CALL,
        overlap=True,
        memory=gigabytes * 1e9,
    )


GPUS: dict[str, Device] = {
    "V100": _gpu("V100", 15.7, 1, 900, 32),
    "A100": _gpu("A100", 19.5, 2, 2039, 80),
    "H100": _gpu("H100", 67.0, 2, 3350, 80),
    "RTX4090": _gpu("RTX4090", 82.6, 1, 1008, 24),
}
"""RTX 4090: its TF32 peak is its float32 one."""

NAMES = (*GPUS, "cpu")


def named(name: str) -> Device:
    """A device by its name, whatever its case; "cpu" is this machine's processor, one core.

    Raises:
        GanbenchError: there is no such device.
    """
    known = {n.lower(): n for n in NAMES}
    if name.lower() not in known:
        raise GanbenchError(f"no device {name!r}{nearest(name, NAMES)}", 2)
    chosen = known[name.lower()]
    if chosen == "cpu":
        return _this_processor()
    measured = next(
        (d for n, d in calibrated().items() if d.name != "cpu" and chosen.lower() in n.replace(" ", "").lower()), None
    )
    return dataclasses.replace(measured, name=chosen, memory=GPUS[chosen].memory) if measured else GPUS[chosen]


def like(accelerator: str) -> Device | None:
    """The GPU that a name such as Ray's means ("A100-80G", "GeForce-RTX-4090"); None for others."""
    plain = accelerator.replace("-", "").replace(" ", "").lower()
    return next((named(name) for name in GPUS if name.lower() in plain), None)


CPU = Device("cpu", 1 / 200e9, 1 / 115e9, 1 / 14e9, 5e-6, padded=True, slow_byte=1 / 6e9, conv_call=75e-6, start_s=0.4)
"""One core of a server's processor (EPYC of 2023, AVX-512), for a machine on which ``ganbench calibrate`` has not
run. Convolutions are those of channels last.
"""


def factors_file() -> Path:
    """Where ``ganbench calibrate`` keeps what it measured, by the processor's name."""
    return cache_folder() / "devices.json"


def calibrated() -> dict[str, Device]:
    """What was measured on this machine, by the names that records give devices; empty where nothing (legible) was.

    A processor that was measured under another rule of memory layouts is not among them: its steps take other seconds.
    """
    try:
        found = {name: Device(**fields) for name, fields in json.loads(read_regular(factors_file())).items()}
        return {name: d for name, d in found.items() if d.name != "cpu" or d.layout_rule == RULE}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, GanbenchError):
        return {}


def keep(name: str, device: Device) -> Path:
    """Remember a device, measured just now, under the name that records give it; returns the file.

    Raises:
        GanbenchError: it cannot be written.
    """
    _write(calibrated() | {name: dataclasses.replace(device, layout_rule=RULE)})
    return factors_file()


def check_place() -> None:
    """Before a minute of measuring: raises GanbenchError as ``keep`` would."""
    _write(calibrated())


def _write(devices: Mapping[str, Device]) -> None:
    path = factors_file()
    try:
        write_whole(path, json.dumps({name: asdict(device) for name, device in devices.items()}, indent=1).encode())
    except OSError as error:
        raise GanbenchError(
            f"cannot write {path} ({error.strerror}); set GANBENCH_CACHE to a folder that can be written"
        ) from None


def this_device(kind: str) -> str:
    """The name that records give to this machine's processor ("cpu"), or to its GPU ("cuda")."""
    if kind == "cpu":
        return processor()
    import torch

    if not torch.cuda.is_available():
        raise GanbenchError("there is no GPU here that torch can use", 2)
    return torch.cuda.get_device_name()


def _this_processor() -> Device:
    return calibrated().get(processor(), CPU)
