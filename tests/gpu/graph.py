"""A whole training step as one CUDA graph: what the host draws is drawn first, into tensors that stay."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmark.train.gan import Gan
from benchmark.train.step import Batch, train_step


class Fed:
    """A pair whose noises and classes are drawn before a step, as it would draw them, into tensors that stay."""

    def __init__(self, gan: Gan, real: Callable[[], Batch]) -> None:
        self.gan, self.real = gan, real
        self._held: list[Tensor] = []
        self._draws: list[Callable[[], Tensor]] = []
        self._next: int | None = None  # None: the first step, which finds out what is drawn
        noise, labels = gan.noise, gan.labels
        gan.noise = lambda count, rng=None: self._give(lambda: noise(count, rng))
        if gan.recipe.classes is not None:
            gan.labels = lambda count, rng: self._give(lambda: _given(labels(count, rng)))

    def fill(self) -> None:
        """Draw for the next step."""
        for held, draw in zip(self._held, self._draws):
            held.copy_(draw())

    def step(self) -> tuple[Tensor, Tensor]:
        """One training step on what was filled; the first one draws for itself."""
        self._next = 0 if self._held else None
        return train_step(self.gan, self.real)

    def _give(self, draw: Callable[[], Tensor]) -> Tensor:
        if self._next is None:
            self._held.append(draw())
            self._draws.append(draw)
            return self._held[-1]
        self._next += 1
        return self._held[self._next - 1]


def graphed(gan: Gan, real: Callable[[], Batch], warm: int) -> Callable[[], tuple[Tensor, Tensor]]:
    """A step of the pair: the first ``warm`` as they come, on a stream of their own; then one captured, and replayed.

    A rate that falls, and an average's weight, stay as they were at the capture.
    """
    fed, stream = Fed(gan, real), torch.cuda.Stream()
    for optimiser in (gan.opt_G, gan.opt_D):
        for group in optimiser.param_groups:
            group["capturable"] = True
    graph: torch.cuda.CUDAGraph | None = None
    losses: tuple[Tensor, Tensor] | None = None
    made = 0

    def step() -> tuple[Tensor, Tensor]:
        nonlocal graph, losses, made
        if made:
            fed.fill()
        made += 1
        if made <= warm:
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                done = fed.step()
            torch.cuda.current_stream().wait_stream(stream)
            return done
        if graph is None or losses is None:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                losses = in_place(gan, fed.step)
        graph.replay()
        return losses

    return step


def in_place(gan: Gan, step: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """A step after which every buffer is the tensor that it was: a replay reads no new one in its place."""
    held = [(module, name, buffer) for player in (gan.G, gan.judges) for module, name, buffer in _buffers(player)]
    losses = step()
    with torch.no_grad():
        for module, name, buffer in held:
            if (new := module._buffers[name]) is not None and new is not buffer:
                buffer.copy_(new)
                module._buffers[name] = buffer
    return losses


def _buffers(player: nn.Module) -> list[tuple[nn.Module, str, Tensor]]:
    return [(m, name, b) for m in player.modules() for name, b in m._buffers.items() if b is not None]


def _given(labels: Tensor | None) -> Tensor:
    assert labels is not None  # of a conditional pair
    return labels
