"""Which parts do not go together: what each says of itself is enough to refuse a recipe before anything trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods.chain_layer import ChainLayer
from benchmark.methods.part import Part
from benchmark.methods.spectral_layer import KINDS
from benchmark.methods.spectral_norm import SpectralNorm


def check(named: Sequence[tuple[str, Part]], d_pass: str) -> None:
    """``named``: a recipe's parts, in order.

    Raises:
        GanbenchError: a part needs real and fake images judged apart, and ``d_pass`` joins them; one makes passes
            through D, or takes gradients of gradients, where another is not defined; or nothing draws what one reads.
    """

    def first(holds: Callable[[Part], bool]) -> str | None:
        return next((name for name, part in named if holds(part)), None)

    own_pass, second_order = first(lambda p: p.needs_own_passes), first(lambda p: p.needs_second_order)
    drawn = {name for _, part in named for name in part.draws}
    for name, part in named:
        if part.needs_separate_passes and d_pass != "separate":
            raise GanbenchError(
                f"{name} acts on real and on fake images apart: it needs 'd_pass: separate', not {d_pass!r}", 2
            )
        if part.step_passes_only and own_pass:
            raise GanbenchError(
                f"{name} is defined in the training step's own passes through D alone, and {own_pass}, with its "
                "arguments, makes more: leave one of them out",
                2,
            )
        if part.first_order_only and second_order:
            raise GanbenchError(
                f"{second_order} differentiates D twice, and {name}, with its arguments, has no second-order "
                "gradient: see its 'version', or leave one of them out",
                2,
            )
        if missing := [wanted for wanted in part.needs_drawn if wanted not in drawn]:
            raise GanbenchError(
                f"{name} predicts {missing[0]}, which no part drew: diffaugment's policy must have it", 2
            )


def check_players(parts: Sequence[Part], G: nn.Module, D: nn.Module) -> None:
    """What parts have made of the players.

    Raises:
        GanbenchError: spectral-norm left a layer as it was, of a kind derived from those that it knows.
    """
    for part in parts:
        if isinstance(part, SpectralNorm):
            for name, module in (D if part.player == "D" else G).named_modules():
                if part.player == "G" and isinstance(module, nn.Embedding):
                    continue  # left alone, as spectral-norm says
                if isinstance(module, tuple(KINDS)) and type(module) not in (*KINDS, *KINDS.values()):
                    raise GanbenchError(
                        f"spectral-norm does not know {part.player}'s {name}, {type(module).__name__}", 2
                    )
    if any(isinstance(m, ChainLayer) for m in D.modules()):  # it divides by statistics of the images
        for module in D.modules():
            if getattr(module, "piecewise_linear", False):
                module.piecewise_linear = False  # type: ignore[assignment]
