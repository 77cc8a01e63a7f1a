"""Records of results from outside: of images that other code made, and of numbers that somebody else measured."""

from __future__ import annotations

import base64
import dataclasses
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.given import given
from benchmark.errors import GanbenchError, plain
from benchmark.metrics.outside import measure_given
from benchmark.metrics.real import real_key
from benchmark.plan.keys import MEASURE_VERSION
from benchmark.records.external import External, data_of
from benchmark.records.external_bounds import LONGEST, impossible
from benchmark.records.provenance import code_version, libraries, processor
from benchmark.suite.fields import PROTOCOL_TYPES
from benchmark.suite.file import read
from benchmark.suite.model import Cell
from benchmark.suite.recipes import read_protocol

GRID = 8  # images a side of the grid that is kept


@dataclass(frozen=True)
class Declared:
    """What the author of images says of them; nothing of it can be checked."""

    trained_by: str = ""
    quantised: str | None = None  # how they became 8-bit, in a protocol's words
    resized: str = ""  # how they came to their size
    flipped: bool = False  # left to right, with probability 1/2


def measure_images(
    cell: Cell,
    source: str | Path,
    declared: Declared = Declared(),
    seed: int = 0,
    *,
    fewer: bool = False,
    device: str = "cpu",
    threads: int = 1,
) -> External:
    """Measure images as samples of ``cell``, under its own protocol.

    Args:
        source: a folder or zip archive of images, an ``.npz`` or an ``.npy``.
        seed: which of several trainings they are of.
        fewer: measure fewer images than the protocol asks for, too; the tier says so.

    Raises:
        GanbenchError: as ``measure_given``.
    """
    import torch

    torch.set_num_threads(threads)
    recipe, started = cell.recipe, time.perf_counter()
    trained_by, resized = in_a_line(declared.trained_by, "trained_by"), in_a_line(declared.resized, "resized")
    images = given(Path(source), recipe.resolution, recipe.channels)
    found = measure_given(images, recipe, cell.protocol, fewer, device)
    return External(
        kind="external",
        cell=cell.id,
        profile=cell.profile,
        seed=seed,
        trained_by=trained_by,
        measured_by="",
        data=data_of(recipe),
        protocol=dataclasses.replace(found.protocol, quantise=declared.quantised).to_json(),
        numbers={metric: [dict(number)] for metric, number in found.numbers.items()},
        prepared=_prepared(resized, declared.flipped, images.lossy),
        findings=found.seen.findings,
        remarks=found.remarks,
        images=found.seen.sha256,
        real=real_key(recipe, found.protocol),
        measure_version=MEASURE_VERSION,
        floor=found.floor,
        samples=_grid(found.seen.shown),
        provenance=_here(device, threads, time.perf_counter() - started),
    )


def _prepared(resized: str, flipped: bool, lossy: set[str]) -> dict[str, str]:
    found = {"resized": resized} if resized else {}
    found |= {"flipped": "left to right, with probability 1/2"} if flipped else {}
    return found | ({"compressed": f"{' and '.join(sorted(lossy))}, which loses detail"} if lossy else {})


def enter(
    cell: Cell,
    numbers: Mapping[str, Sequence[float]],
    measured_by: str,
    trained_by: str = "",
    protocol: str | Path | None = None,
) -> External:
    """Numbers that somebody else measured of ``cell``.

    Args:
        numbers: metric -> its value of each training run.
        protocol: a YAML file with the fields of the protocol that they were measured under, as ``ganbench show`` prints
            them; what it leaves out is not stated.

    Raises:
        GanbenchError: the table has no such metric, no measurement can give such a value, metrics have different
            numbers of runs, or the file is wrong.
    """
    for metric, values in numbers.items():
        if metric not in cell.published:
            raise GanbenchError(f"{cell.id} has no {metric}: its table prints {', '.join(cell.published)}", 2)
        if why := next(filter(None, (impossible(metric, value) for value in values)), ""):
            raise GanbenchError(why, 2)
    if len({len(values) for values in numbers.values()}) != 1:
        raise GanbenchError("give as many values of each metric: one for each training run", 2)
    return External(
        kind="reported",
        cell=cell.id,
        profile=cell.profile,
        seed=0,
        trained_by=in_a_line(trained_by, "--trained-by"),
        measured_by=in_a_line(measured_by, "--by"),
        data=data_of(cell.full_recipe),
        protocol=_stated(Path(protocol)) if protocol is not None else {},
        numbers={metric: [{"value": float(value)} for value in values] for metric, values in numbers.items()},
    )


def in_a_line(text: str, what: str) -> str:
    """What somebody declares, as one line that steers no terminal; raises GanbenchError if it is too long."""
    line = plain(" ".join(text.split()))
    if len(line) > LONGEST:
        raise GanbenchError(f"{what}: at most {LONGEST} characters, and these are {len(line):,}", 2)
    return line


def _stated(path: Path) -> dict[str, Any]:
    """The fields of a protocol that a file states; raises SuiteError with the line of what is wrong."""
    root = read(path)
    root.mapping(PROTOCOL_TYPES)
    fields = read_protocol(root).fields
    return {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}


def _here(device: str, threads: int, seconds: float) -> dict[str, Any]:
    import torch

    place = torch.cuda.get_device_name() if device.startswith("cuda") else processor()
    about = {"device": place, "threads": threads, "libraries": libraries(), "seconds": round(seconds, 3)}
    return code_version() | about


def _grid(images: np.ndarray) -> str:
    """The first images, eight in a row, as a PNG in base64."""
    from PIL import Image

    n, channels, height, width = images.shape
    wide = min(GRID, n)
    rows = images[: n // wide * wide].reshape(-1, wide, channels, height, width)
    grid = rows.transpose(0, 3, 1, 4, 2).reshape(len(rows) * height, wide * width, channels)
    buffer = io.BytesIO()
    Image.fromarray(grid.squeeze(2) if channels == 1 else grid).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
