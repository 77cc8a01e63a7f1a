"""One recipe tried on the meta device: its players are built, G makes a batch, D sees one of each side, and the loss
and the parts' penalties are taken.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmark.errors import GanbenchError
from benchmark.plan.count import Counted, real_batch
from benchmark.plan.limit import Limited, TooMuch, deadline
from benchmark.recipe import Recipe
from benchmark.train.batches import Batch, Fakes
from benchmark.train.step import d_step, g_step, pass_through_D


def trial(recipe: Recipe) -> str | None:
    """Why it cannot be trained; None where it can, or is too large to try."""
    failed = f"{recipe.network[0]} and its parts cannot be built"
    try:
        with torch.device("meta"), torch.no_grad(), Limited(deadline()):
            gan = Counted(recipe, recipe.steps or 1)
            batch = min(recipe.batch_d, recipe.batch_g)
            failed = (
                f"{recipe.network[0]} cannot see a batch of {batch} image{'s' * (batch != 1)} "
                f"at {recipe.resolution} pixels"
            )
            images, labels = real_batch(recipe)
            real = images, labels if recipe.classes else None
            pass_through_D(gan, "d-real", *real, None)
            made = gan.fakes(recipe.batch_g)
            fakes = (made.images, *made.small) if made.small else made.images
            pass_through_D(gan, "g-fake", fakes, made.labels, None)
            _penalties(gan, real, made)
    except TooMuch:
        return None
    except GanbenchError as error:
        return str(error)
    except (RuntimeError, ValueError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return f"{failed}: {first}"
    return None


def _penalties(gan: Counted, real: Batch, fakes: Fakes) -> None:
    """Both players' steps up to the backward pass, which there is none of without gradients.

    Raises:
        GanbenchError: the loss or a part refuses what it is given. Other errors say nothing: on the meta device there
            are no values to read.
    """
    steps: list[Callable[[], object]] = [lambda: d_step(gan, real, fakes), lambda: g_step(gan, fakes, real[0])]
    for step in steps[::-1] if gan.recipe.player_order == "g-first" else steps:
        try:
            step()
        except GanbenchError:
            raise
        except Exception:  # plug-ins have many kinds
            continue
