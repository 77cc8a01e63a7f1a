"""What a checkpoint must be before a run goes on from it: its fields' types and bounds, whoever wrote it.

The pair that the recipe builds says which tensors there are; a run that cannot be what its checkpoint says does not
begin with it. What the tensors hold is not judged: a run may have diverged.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from benchmark.records.bounds import MOST, impossible_in
from benchmark.records.shapes import are_sources, is_name, is_plain
from benchmark.train.gan import Gan

LARGEST = 2**62  # of whole numbers
MOST_SECONDS = 1e12
DEEPEST = 10  # levels of plain values; a recipe has 4
LONGEST = 10_000  # characters, or entries
IDENTITY = {"recipe": dict, "seed": int, "content": str, "subset": str}
ADAM = {"step", "exp_avg", "exp_avg_sq"}


class Odd(ValueError):
    """It is not what a run keeps."""


def check(kept: Any, gan: Gan) -> None:
    """Raises Odd unless all of a checkpoint has the types, shapes and bounds of one of ``gan``."""
    need(isinstance(kept, dict) and {"identity", "gan", "position", "book"} <= kept.keys(), "it is no checkpoint")
    for key, kind in IDENTITY.items():
        need(isinstance(kept["identity"], dict) and type(kept["identity"].get(key)) is kind, f"identity: {key}")
    need(kept["identity"].keys() == IDENTITY.keys() and plain(kept["identity"]), "identity")
    need(whole(kept["position"]), "position")
    _check_pair(kept["gan"], gan)
    _check_book(kept["book"], kept["gan"]["step"], gan.total_steps or LARGEST)


def need(right: bool, what: str) -> None:
    """Raises Odd with ``what`` is not as it should be."""
    if not right:
        raise Odd(f"{what} is not what a run keeps" if not what.startswith("it ") else what)


def whole(number: Any, most: int = LARGEST) -> bool:
    """A count."""
    return type(number) is int and 0 <= number <= most


def plain(value: Any, depth: int = DEEPEST) -> bool:
    """What JSON can hold, neither deep nor long."""
    if isinstance(value, dict):
        inner = [*value.values()] if all(isinstance(key, str) and len(key) <= LONGEST for key in value) else [...]
    elif isinstance(value, (list, tuple)):
        inner = [*value]
    else:
        return (
            value is None
            or isinstance(value, bool)
            or (type(value) is int and abs(value) <= 2**64)
            or (type(value) is float and math.isfinite(value))
            or (isinstance(value, str) and len(value) <= LONGEST)
        )
    return depth > 0 and len(inner) <= LONGEST and all(plain(part, depth - 1) for part in inner)


def _check_pair(kept: Any, gan: Gan) -> None:
    mine = gan.state_dict()
    need(isinstance(kept, dict) and mine.keys() <= kept.keys(), "the pair")
    need(whole(kept["step"], gan.total_steps or LARGEST), "the step")
    for key in ("G", "D", "heads", "average", "parts", "rng"):
        alike(mine[key], kept[key], key)
    for key, optimiser in (("opt_G", gan.opt_G), ("opt_D", gan.opt_D)):
        check_optimiser(optimiser.state_dict(), kept[key], optimiser.param_groups, key)


def alike(mine: Any, theirs: Any, where: str) -> None:
    """Raises Odd unless ``theirs`` has the keys, lengths and types of ``mine``, and its tensors the shapes."""
    if isinstance(mine, dict) and mine.keys() >= {"state", "param_groups"}:
        check_optimiser(mine, theirs, None, where)
    elif isinstance(mine, dict):
        need(isinstance(theirs, dict) and mine.keys() == theirs.keys(), where)
        for key, value in mine.items():
            alike(value, theirs[key], f"{where}.{key}")
    elif isinstance(mine, (list, tuple)):
        need(isinstance(theirs, (list, tuple)) and len(mine) == len(theirs), where)
        for i, value in enumerate(mine):
            alike(value, theirs[i], f"{where}.{i}")
    elif isinstance(mine, Tensor):
        need(_dense(theirs) and theirs.shape == mine.shape and theirs.dtype == mine.dtype, where)
    elif type(mine) in (int, float):
        need(type(theirs) in (int, float) and not abs(theirs) > LARGEST, where)
    else:
        need(type(theirs) is type(mine) and plain(theirs), where)


def check_optimiser(mine: dict[str, Any], theirs: Any, groups: list[dict[str, Any]] | None, where: str) -> None:
    """Raises Odd unless ``theirs`` is the state of such an Adam, of parameters like those in ``groups``."""
    need(isinstance(theirs, dict) and {"state", "param_groups"} <= theirs.keys(), where)
    ours, other = mine["param_groups"], theirs["param_groups"]
    need(isinstance(other, list) and len(other) == len(ours), where)
    for group, kept in zip(ours, other, strict=True):
        need(
            isinstance(kept, dict) and {"params", "lr", "betas", "eps", "weight_decay"} <= kept.keys() and plain(kept),
            where,
        )
        need(number(kept["lr"]), f"{where}: lr")
        changed = [key for key in group.keys() & kept.keys() if key != "lr" and not _same(group[key], kept[key])]
        need(not changed, f"{where}: {', '.join(changed)}")
    shapes = [p.shape for group in groups for p in group["params"]] if groups else None
    known = [i for group in ours for i in group["params"]]
    need(isinstance(theirs["state"], dict) and theirs["state"].keys() <= set(known), where)
    for i, moments in theirs["state"].items():
        need(isinstance(moments, dict) and moments.keys() == ADAM and all(map(_dense, moments.values())), where)
        shape = shapes[i] if shapes else moments["exp_avg"].shape
        right = moments["step"].shape == () and moments["exp_avg"].shape == moments["exp_avg_sq"].shape == shape
        need(right and all(m.dtype == torch.float32 for m in moments.values()), where)


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, (list, tuple)):
        return isinstance(theirs, (list, tuple)) and [*mine] == [*theirs]
    return type(mine) is type(theirs) and bool(mine == theirs)


def _dense(value: Any) -> bool:
    """A tensor of plain numbers in memory, all of it there."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and value.numel() * value.element_size() <= value.untyped_storage().nbytes()
    )


def number(value: Any) -> bool:
    """One that is finite, and as a float what it was."""
    return (type(value) is float and abs(value) <= MOST) or (type(value) is int and abs(value) <= 2**53)


def _check_book(book: Any, step: int, total: int) -> None:
    need(
        isinstance(book, dict) and {"histories", "segments", "train_s", "eval_s", "diverged"} <= book.keys(), "the book"
    )
    need(isinstance(book["diverged"], bool), "diverged")
    for key in ("train_s", "eval_s", "train_cpu_s", "eval_cpu_s"):
        optional = key.endswith("_cpu_s") and book.get(key) is None
        need(optional or (number(book[key]) and 0 <= book[key] <= MOST_SECONDS), key)
    need(isinstance(book["segments"], list), "segments")
    for segment in book["segments"]:
        right = isinstance(segment, dict) and plain(segment, 3) and is_plain(segment)
        right = right and are_sources(segment.get("sources", {}))
        need(right and whole(segment.get("from_step"), total) and whole(segment.get("to_step"), total), "segments")
    need(isinstance(book["histories"], dict), "histories")
    for protocol, history in book["histories"].items():
        need(isinstance(protocol, str) and isinstance(history, list), "histories")
        for entry in history:
            _check_entry(entry, step)


def _check_entry(entry: Any, step: int) -> None:
    need(isinstance(entry, dict) and whole(entry.get("step"), step), "a measurement")
    need(number(entry.get("epoch")) and entry["epoch"] >= 0, "a measurement's epoch")
    for metric, found in entry.items():
        if metric in ("step", "epoch"):
            continue
        need(is_name(metric) and isinstance(found, dict) and "value" in found, "a measurement")
        for key, value in found.items():
            need(is_name(key) and is_plain(value) and (value is None or number(value)), f"{metric}'s {key}")
        need(impossible_in(metric, [found], step) is None, metric)  # of which no record could be made
