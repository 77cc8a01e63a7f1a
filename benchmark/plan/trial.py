"""One recipe tried on the meta device: its players are built, G makes a batch, D sees one of each side, and the loss
and the parts' penalties are taken.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmark.errors import GanbenchError, said
from benchmark.outside.exits import ends
from benchmark.plan.count import Counted, real_batch
from benchmark.plan.limit import Limited, TooMuch, deadline
from benchmark.recipe import Recipe
from benchmark.train.batches import Batch, Fakes
from benchmark.train.gan import Gan
from benchmark.train.step import d_step, g_step, pass_through_D
from benchmark.weights.needed import needed
from benchmark.weights.place import missing


def trial(recipe: Recipe) -> str | int | None:
    """Why it cannot be trained; where it can, the bytes that it holds all the time, 0 if it is too large to try. None
    where it stops at weights that are not here: what is missing is no fault of the recipe.
    """
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
        return 0
    except GanbenchError as error:
        lacking = error.exit_code != 2 and any(missing(weights) for weights in needed(recipe))
        return None if lacking else str(error)
    except Exception as error:  # of any kind, in code of others
        kind = "" if isinstance(error, (RuntimeError, ValueError, TypeError)) else f"{type(error).__name__}: "
        return f"{failed}: {kind}{(said(error).splitlines() or [type(error).__name__])[0]}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return ends(error)
    return held(gan)


def held(gan: Gan) -> int:
    """Bytes of the weights, their gradients, Adam's two moments and the average, whatever a step adds to them."""
    weights = [p.numel() * p.element_size() for m in (gan.G, gan.judges) for p in m.parameters()]
    average = gan.average.G.parameters() if gan.average is not None else ()
    return 4 * sum(weights) + sum(p.numel() * p.element_size() for p in average)


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
        except (GanbenchError, KeyboardInterrupt):
            raise
        except BaseException:  # plug-ins have many kinds
            continue
