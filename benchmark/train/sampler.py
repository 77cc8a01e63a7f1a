"""Real batches from one array: in memory, or mapped from disk. No workers, no state beyond a count."""

from __future__ import annotations

import numpy as np
import torch

from benchmark.train.streams import stream


class Sampler:
    """Shuffled epochs over ``images``. The order of epoch e is a function of (seed, e) alone, so that
    ``position``, the number of batches drawn so far, is all that a checkpoint must hold.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch: int,
        drop_last: bool,
        seed: int,
        device: torch.device,
        hflip: bool = False,
        layout: torch.memory_format = torch.contiguous_format,
    ) -> None:
        """``images``: (N, C, H, W) uint8, kept as bytes on ``device`` and converted a batch at a time; ``labels``:
        (N,). An ``np.memmap`` stays on disk, and each batch is read from there.
        ``hflip``: each is flipped left to right with probability 1/2, anew in every epoch.
        ``layout``: how batches lie in memory.
        """
        place = torch.device("cpu") if isinstance(images, np.memmap) else device
        self.images = torch.from_numpy(images) if isinstance(images, np.memmap) else torch.tensor(images, device=place)
        self.labels, self.device = torch.tensor(labels, device=place), device
        self.batch, self.seed, self.position, self.hflip, self.layout = batch, seed, 0, hflip, layout
        self.batches = len(images) // batch if drop_last else -(-len(images) // batch)
        if self.batches == 0:
            raise ValueError(f"{len(images)} images are fewer than one batch of {batch}")
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)
        self._flips = torch.empty(0, dtype=torch.bool)

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The next real batch: (B, C, H, W) float32 in [-1, 1] and (B,) labels; the last of an epoch may be smaller."""
        epoch, index = divmod(self.position, self.batches)
        if epoch != self._epoch:
            order = torch.randperm(len(self.images), generator=stream(self.seed, "data", epoch))
            self._epoch, self._order = epoch, order.to(self.images.device)
            if self.hflip:
                flips = torch.rand(len(self.images), generator=stream(self.seed, "flips", epoch)) < 0.5
                self._flips = flips.to(self.images.device)
        self.position += 1
        part = slice(index * self.batch, (index + 1) * self.batch)
        images = self.images[self._order[part]]
        if self.hflip:
            images = torch.where(self._flips[part, None, None, None], images.flip(3), images)
        return images.to(self.device).contiguous(memory_format=self.layout).float().div_(127.5).sub_(1), self.labels[
            self._order[part]
        ].to(self.device)
