"""What keeps a cell from running: what is not implemented and settings that do not go together, on any machine; else
data and weights that are missing here.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.catalogue import instead, plugin, plugins
from benchmark.data.cards import card
from benchmark.data.subsets import subset_size, too_many
from benchmark.errors import GanbenchError
from benchmark.metrics.extractors import resize as extractor_resize
from benchmark.metrics.fewest import too_few
from benchmark.metrics.names import IMAGE, NEEDS, PROBES
from benchmark.metrics.real import compared_with, held_out, validation_split
from benchmark.plan.missing import Missing, missing_here
from benchmark.recipe import Protocol, Recipe

BLOCKED, MISSING = "blocked", "missing here"


@dataclass(frozen=True)
class Hindrance:
    """Why a cell cannot run."""

    word: str  # BLOCKED: on no machine, as it stands; MISSING: on this one
    why: str
    missing: tuple[Missing, ...] = ()


def hindrance(recipe: Recipe, protocol: Protocol) -> Hindrance | None:
    """What must be mended before a cell can run here; None if nothing."""
    if why := _barred(recipe, protocol):
        return Hindrance(BLOCKED, why)
    lack = missing_here(recipe, protocol)
    return Hindrance(MISSING, "; ".join(thing.why for thing in lack), lack) if lack else None


def what_blocks(recipe: Recipe, protocol: Protocol) -> str | None:
    """As ``hindrance``, in words alone."""
    found = hindrance(recipe, protocol)
    return found.why if found else None


def _barred(recipe: Recipe, protocol: Protocol) -> str | None:
    """What must be mended before a cell can run anywhere."""
    if absent := _not_implemented(recipe, protocol):
        return absent
    if why := may_not_run(recipe) or _may_not_measure(recipe, protocol):
        return why
    try:
        card(recipe.dataset).check(recipe.split, recipe.resolution, recipe.channels, recipe.resize)
    except GanbenchError as error:
        return str(error)
    count = card(recipe.dataset).split(recipe.split)["count"]
    if why := too_many(recipe.dataset, recipe.split, count, recipe.images):
        return why
    if recipe.classes is not None and not card(recipe.dataset).labelled(recipe.split):
        return f"the recipe is conditional, and {recipe.dataset} {recipe.split} has images without a class"
    if why := _measuring(recipe, protocol) or _probing(recipe, protocol):
        return why
    if protocol.bn_mode != "eval" and any(m in NEEDS for m in protocol.metrics):
        return "these statistics need bn_mode eval: in train mode BatchNorm couples the noises"
    if protocol.checkpoint == "best" and protocol.best_by not in IMAGE:
        return f"the best checkpoint by {protocol.best_by} is not implemented: only by a metric of images"
    if why := _conditions(recipe, protocol):
        return why
    images = subset_size(count, recipe.data_percent, recipe.images)
    if recipe.steps_per_epoch(images) == 0:
        return f"{images} images are fewer than one batch of {recipe.batch_d}"
    return None


def _not_implemented(recipe: Recipe, protocol: Protocol) -> str:
    """All that is not implemented, and what is meant where a name is misspelt."""
    parts = dict.fromkeys(("methods", "part", name) for name, _ in recipe.parts)
    named = [("networks", "network", recipe.network[0]), ("methods", "loss", recipe.loss[0]), *parts]
    absent = [(room, kind, name) for room, kind, name in named if name not in plugins(room)]
    said = [f"{kind} {name}" for _, kind, name in absent]
    said += [f"metric {name}" for name in protocol.metrics if name not in (*NEEDS, *IMAGE, *PROBES)]
    if not said:
        return ""
    near = ", ".join(repr(meant) for missed in absent if (meant := instead(*missed)))
    are = "is" if len(said) == 1 else "are"
    return f"{', '.join(said)} {are} not implemented" + (f"; did you mean {near}?" if near else "")


def may_not_run(recipe: Recipe) -> str | None:
    """Why one of its plug-ins, which are all there, may not run."""
    used = [("networks", recipe.network[0]), *(("methods", name) for name, _ in (recipe.loss, *recipe.parts))]
    return next(filter(None, (plugin(room, name).closed() for room, name in used)), None)


def _may_not_measure(recipe: Recipe, protocol: Protocol) -> str | None:
    """Why its dataset or extractor from outside may not run."""
    used = (("datasets", recipe.dataset), ("extractors", protocol.features or ""))
    return next(filter(None, (found.closed() for room, name in used if (found := plugins(room).get(name)))), None)


def _conditions(recipe: Recipe, protocol: Protocol) -> str | None:
    """Fields of recipe and protocol that do not go together."""
    if protocol.weights == "ema" and recipe.ema is None:
        return "the protocol samples the average of G's weights, and the recipe keeps none (ema)"
    if recipe.lr_decay not in (None, "linear"):
        return f"lr_decay {recipe.lr_decay!r} is not implemented (linear)"
    if recipe.classes is None:
        return None
    if (count := card(recipe.dataset).classes) > recipe.classes:
        return f"dataset {recipe.dataset} has {count} classes, the recipe is conditional on {recipe.classes}"
    if any(m in NEEDS for m in protocol.metrics):
        return "these statistics are of an unconditional pair"
    return None


def _measuring(recipe: Recipe, protocol: Protocol) -> str | None:
    """What measuring images lacks: a setting that makes sense, or real images enough."""
    if not any(m in IMAGE for m in protocol.metrics):
        return None
    for field in ("features", "quantise"):
        if getattr(protocol, field) is None:
            return f"the protocol does not say {field}"
    c = card(recipe.dataset)
    splits = {
        **({validation_split(recipe.dataset): None} if "vFID" in protocol.metrics else {}),
        protocol.real_split or recipe.split: protocol.real,
    }
    for split, wanted in splits.items():
        if split not in c.splits:
            return f"dataset {recipe.dataset} has no split {split} to compare with"
        if (count := c.split(split)["count"]) < (wanted or 0):
            return f"the protocol compares with {wanted:,} images; {recipe.dataset} {split} has {count:,}"
    return _settings(protocol) or too_few(protocol, *(s.size for s in compared_with(recipe, protocol)))


def _probing(recipe: Recipe, protocol: Protocol) -> str | None:
    """What probing D lacks: images, as many on each side, in whole batches."""
    try:
        held = held_out(recipe, protocol)
    except GanbenchError as error:
        return str(error)
    if held is None:
        return None
    c, wanted = card(recipe.dataset), protocol.probe_images or 0
    trained = subset_size(c.split(recipe.split)["count"], recipe.data_percent, recipe.images)
    for side, there in (
        ("the run trains on", trained),
        (f"{recipe.dataset} {held.split} has", c.split(held.split)["count"]),
    ):
        if there < wanted:
            return f"D is probed with {wanted:,} images a side; {side} {there:,}"
    if wanted < max(2, recipe.batch_d):
        return (
            f"D is probed in whole batches of the training's {recipe.batch_d}: probe_images {wanted:,} is less than one"
        )
    if recipe.classes is not None and not c.labelled(held.split):
        return f"the recipe is conditional, and {recipe.dataset} {held.split} has images without a class"
    return None


def _settings(p: Protocol) -> str | None:
    """Settings that measuring would stumble over, at the end of a long run."""
    if p.input_resize not in (None, by := extractor_resize(p.extractor)):
        return f"{p.features} resizes to its input by {by or 'a way of its own'}, not {p.input_resize}"
    if p.checkpoint == "best" and p.best_by not in p.metrics:
        return f"the best checkpoint is chosen by {p.best_by}, which the protocol does not measure"
    return None
