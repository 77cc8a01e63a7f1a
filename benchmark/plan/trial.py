"""One recipe tried on the meta device: its players are built, G makes a batch, D sees one of each side."""

from __future__ import annotations

import torch

from benchmark.errors import GanbenchError
from benchmark.plan.count import Counted, real_batch
from benchmark.plan.limit import Limited, TooMuch, deadline
from benchmark.recipe import Recipe
from benchmark.train.step import pass_through_D


def trial(recipe: Recipe) -> str | None:
    """Why it cannot be trained; None where it can, or is too large to try."""
    failed = f"{recipe.network[0]} and its parts cannot be built"
    try:
        with torch.device("meta"), torch.no_grad(), Limited(deadline()):
            gan = Counted(recipe, recipe.steps or 1)
            failed = (
                f"{recipe.network[0]} cannot see a batch of {min(recipe.batch_d, recipe.batch_g)} images "
                f"at {recipe.resolution} pixels"
            )
            images, labels = real_batch(recipe)
            pass_through_D(gan, "d-real", images, labels if recipe.classes else None, None)
            made = gan.fakes(recipe.batch_g)
            fakes = (made.images, *made.small) if made.small else made.images
            pass_through_D(gan, "g-fake", fakes, made.labels, None)
    except TooMuch:
        return None
    except GanbenchError as error:
        return str(error)
    except (RuntimeError, ValueError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return f"{failed}: {first}"
    return None
