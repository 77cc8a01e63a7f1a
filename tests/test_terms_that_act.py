"""A term of a loss acts through the weights of the player whose step it is; one that would act on nothing fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.methods.hinge import Hinge
from benchmark.methods.part import Loss, Part
from benchmark.plan.count import count
from benchmark.train import gan as gan_module
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe
from tests.test_plugins_outside import METHOD, SHARED, SUITE, _as_before, write  # noqa: F401  (an autouse fixture)

MOMENTS = ("d_penalty", "g_penalty", "d_own", "g_own")
DEAD: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "a float": (lambda x: 0.5, "gave float"),
    "item": (lambda x: x.item(), "gave float"),
    "0.0": (lambda x: 0.0, "gave float"),
    "Python's nan": (lambda x: float("nan"), "gave float"),
    "numpy": (lambda x: np.float32(x.item()), "gave float32"),
    "several": (lambda x: (x, x), "gave tuple"),
    "detached": (lambda x: x.detach(), "gave a tensor without gradient"),
    "a tensor's nan": (lambda x: x.detach() * torch.nan, "gave a tensor without gradient"),
    "a shape": (lambda x: x.repeat(3), r"gave a tensor of shape \(3,\)"),
    "a shape of one": (lambda x: x[None], r"gave a tensor of shape \(1,\)"),
    "a leaf": (lambda x: torch.tensor(0.5, requires_grad=True) * 2, "have no bearing"),
}
RESTS: dict[str, Callable[[Tensor, int], Tensor | None]] = {
    "none": lambda x, step: None if step % 2 else x,
    "a constant 0": lambda x, step: torch.zeros(()) if step % 2 == 0 else x,
    "weight 0": lambda x, step: 0 * x,
    "0 detached": lambda x, step: 0 * x.detach(),
    "p = 0 to begin with": lambda x, step: step * x.detach() * 0 + step * x,
}


class Term(Part):
    """Gives, at its moment, what ``make`` makes of a term that acts."""

    def __init__(self, moment: str, make: Callable[[Tensor, int], Any]) -> None:
        self.d_every, self.g_every = 1, 1
        setattr(self, moment, lambda m: make(_living(m, moment), m.step))


def _living(m: Any, moment: str) -> Tensor:
    player: nn.Module = m.D if moment.startswith("d_") else m.G
    return torch.stack([p.square().sum() for p in player.parameters()]).sum()


def _given(monkeypatch: pytest.MonkeyPatch, made: object, name: str = "flt") -> Gan:
    """A pair with that part, or loss."""
    real = gan_module.plugin

    class Found:
        def load(self) -> Found:
            return self

        def build(self) -> object:
            return made

    monkeypatch.setattr(gan_module, "plugin", lambda room, asked: Found() if asked == name else real(room, asked))
    changes: dict[str, Any] = {"loss": (name, {})} if isinstance(made, Loss) else {"parts": ((name, {}),)}
    return Gan(dataclasses.replace(recipe(), **changes), 0)


def _step(gan: Gan) -> None:
    x = torch.rand(8, 1, 28, 28) * 2 - 1
    train_step(gan, lambda: (x, None))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("what", DEAD)
def test_a_part_whose_term_acts_on_nothing_fails(what: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, said = DEAD[what]
    with pytest.raises(
        GanbenchError, match=f"^flt: {moment} .*{said}.*; a scalar tensor that carries gradient is want"
    ):
        _step(_given(monkeypatch, Term(moment, lambda x, step: make(x))))


@pytest.mark.parametrize("moment", MOMENTS)
def test_so_does_one_that_does_it_later(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gan = _given(monkeypatch, Term(moment, lambda x, step: x if step < 2 else x.detach()))
    for _ in range(2):
        _step(gan)
    with pytest.raises(GanbenchError, match=f"flt: {moment} gave a tensor without gradient"):
        _step(gan)


@pytest.mark.parametrize(("moment", "player"), [("d_penalty", "G"), ("g_penalty", "D")])
def test_one_of_the_other_players_weights(moment: str, player: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part()
    setattr(part, moment, lambda m: next(getattr(m, player).parameters()).square().sum())
    with pytest.raises(GanbenchError, match=f"flt: {moment} gave a tensor "):
        _step(_given(monkeypatch, part))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("what", RESTS)
def test_one_that_rests_at_some_steps_goes_on(what: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gan = _given(monkeypatch, Term(moment, RESTS[what]))
    for _ in range(3):
        _step(gan)


def test_weights_of_its_own_that_a_part_trains_itself_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    part, own = Part(), nn.Linear(1, 1)
    part.d_penalty = lambda m: own(m.real.logits.detach()[:, None]).mean()  # type: ignore[method-assign,assignment]
    _step(_given(monkeypatch, part))


LOSSES: dict[str, tuple[str, Callable[..., Any], str]] = {
    "a half as a float": (
        "d_halves",
        lambda a, b: (a.logits.mean().item(), b.logits.mean()),
        "of real images, gave float",
    ),
    "a half detached": (
        "d_halves",
        lambda a, b: (-a.logits.mean(), b.logits.mean().detach()),
        "of fake images, gave a t",
    ),
    "halves of images": ("d_halves", lambda a, b: (-a.logits, b.logits), r"gave a tensor of shape \(8,\)"),
    "D's as a float": ("d_loss", lambda a, b: (b.logits - a.logits).mean().item(), " gave float"),
    "D's detached": ("d_loss", lambda a, b: (b.logits - a.logits).mean().detach(), "without gradient"),
    "G's as a float": ("g_loss", lambda a: a.logits.mean().item(), " gave float"),
    "G's detached": ("g_loss", lambda a: -a.logits.mean().detach(), "without gradient"),
}


@pytest.mark.parametrize("what", LOSSES)
def test_a_loss_that_acts_on_nothing_fails(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moment, make, said = LOSSES[what]
    loss = Hinge(1.0, 0.0)
    setattr(loss, moment, make)
    with pytest.raises(GanbenchError, match=f"^flt: {moment}.*{said}"):
        _step(_given(monkeypatch, loss))


def test_an_augmentation_that_cuts_g_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A penalty on G would go on without its loss."""
    part = Term("g_penalty", lambda x, step: x)
    part.augment = lambda images, real, rng: images.detach()  # type: ignore[method-assign]
    with pytest.raises(GanbenchError, match="D's logits carry no gradient to G: it is cut off in mlp or flt"):
        _step(_given(monkeypatch, part))


def test_of_two_parts_of_one_name_the_second_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    gan = _given(monkeypatch, Term("d_penalty", lambda x, step: x))
    leaf = torch.tensor(0.5, requires_grad=True)
    gan.recipe = dataclasses.replace(gan.recipe, parts=gan.recipe.parts * 2)
    gan.parts.append(Term("d_penalty", lambda x, step: leaf * 2))
    with pytest.raises(GanbenchError, match="flt: d_penalty gave a tensor on which D's weights have no bearing"):
        _step(gan)


def test_the_work_of_one_that_rests_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without values, nobody can say whether it is 0."""
    _given(monkeypatch, Term("d_penalty", lambda x, step: 0 * x.detach()))
    assert count(dataclasses.replace(recipe(), parts=(("flt", {}),)), 8)


@pytest.mark.parametrize("given", ["0.5", "square(moment.real.logits).mean().item()"])
def test_its_run_fails_by_its_name_and_the_others_go_on(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write("mine/methods/wild.py", METHOD.replace("square(moment.real.logits).mean()", given))
    write("mine/methods/shared.py", SHARED)
    write("mini.yaml", SUITE)
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 1
    said = capsys.readouterr().err
    assert "wild: d_penalty gave float; a scalar tensor that carries gradient is wanted" in said
    assert "1 done, 1 failed" in said and "Traceback" not in said
