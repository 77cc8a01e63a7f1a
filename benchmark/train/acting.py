"""What losses and parts give is held against what they owe: a scalar through which the player's weights get gradient.

A float, a detached tensor or one of other weights would be added to the loss and act on nothing. 0 without gradient is
a term that rests at this step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.part import Loss, Part, Side
from benchmark.outside.code import plain_name

if TYPE_CHECKING:
    from benchmark.train.gan import Gan

WANTED = "a scalar tensor that carries gradient is wanted"


def penalty(gan: Gan, part: Part, moment: str, given: object) -> Tensor | None:
    """What a part gave at a ``moment`` ("d_penalty", …); None for none.

    Raises:
        GanbenchError: it acts on nothing.
    """
    return None if given is None else _term(gan, _name(gan, part), moment, given, id(part))


def d_loss(gan: Gan, real: Side, fake: Side) -> Tensor:
    """D's loss; raises GanbenchError where it, or one of its halves, acts on nothing."""
    name = plain_name(gan.recipe.loss[0])
    if type(gan.loss).d_loss is not Loss.d_loss or "d_loss" in vars(gan.loss):
        return _term(gan, name, "d_loss", gan.loss.d_loss(real, fake))
    of_real, of_fake = gan.loss.d_halves(real, fake)
    return _term(gan, name, "d_halves, of real images,", of_real) + _term(
        gan, name, "d_halves, of fake images,", of_fake
    )


def g_loss(gan: Gan, fake: Side) -> Tensor:
    """Likewise G's."""
    return _term(gan, plain_name(gan.recipe.loss[0]), "g_loss", gan.loss.g_loss(fake))


def learns(gan: Gan, player: str, logits: Tensor) -> None:
    """Raises GanbenchError where what D said carries no gradient to the ``player`` whose step it is."""
    if torch.is_grad_enabled() and not logits.requires_grad:
        names = [plain_name(name) for name in (gan.recipe.network[0], *(name for name, _ in gan.recipe.parts))]
        raise GanbenchError(f"D's logits carry no gradient to {player}: it is cut off in {' or '.join(names)}")


def _term(gan: Gan, name: str, moment: str, given: Any, giver: int = 0) -> Tensor:
    if not torch.is_grad_enabled():  # a trial, in which nothing acts (``plan/trial.py``)
        return given
    if not isinstance(given, Tensor):
        raise GanbenchError(f"{name}: {moment} gave {type(given).__name__}; {WANTED}")
    if given.dim():
        raise GanbenchError(f"{name}: {moment} gave a tensor of shape {tuple(given.shape)}; {WANTED}")
    if given.requires_grad and (giver, moment) in gan.acting:
        return given
    player, other = ("D", gan.G) if moment.startswith("d_") else ("G", gan.judges)
    if given.requires_grad and _reaches(given, other.parameters()):
        gan.acting.add((giver, moment))
    elif not given.is_meta and given.detach() != 0:
        why = f"on which {player}'s weights have no bearing" if given.requires_grad else "without gradient"
        raise GanbenchError(f"{name}: {moment} gave a tensor {why}; {WANTED}")
    return given


def _reaches(given: Tensor, others: Iterable[nn.Parameter]) -> bool:
    """Whether its graph ends in weights, but for the other player's: the player's, or those that a part trains itself.
    Asked once a run, since it costs time.
    """
    of_others = {id(p) for p in others}
    todo, seen = [given.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, nn.Parameter) and id(leaf) not in of_others:
            return True
        seen.add(node)
        todo += [before for before, _ in node.next_functions]
    return False


def _name(gan: Gan, part: Part) -> str:
    """As the recipe has it."""
    named = (name for (name, _), one in zip(gan.recipe.parts, gan.parts) if one is part)
    return plain_name(next(named, type(part).__name__))
