"""One architecture a file. ``build(image_shape, z_dim, classes, *, …)`` returns ``(G, D)``.

``G(z, labels)``: noise (B, z_dim) and classes (B,) or None, to images (B, C, H, W) in [-1, 1].
``D(x, labels)``: images to raw ``logits`` (B,), or (B, K) for a head with several outputs. ``D(x,
labels, taps=[])`` also appends the feature map of each of its blocks to the list. Labels are None
for an unconditional pair (``classes`` None). Nothing here applies a sigmoid: losses and metrics do.

Some pairs do more. A ``G`` that gives several images returns a tuple, the largest first, and their ``D`` takes that
tuple, or one image, of which it makes the others. A ``G`` whose ``draws_noise`` is True is called ``G(z, labels, rng)``
and takes one number of ``rng``, a CPU stream, a call (``noise.py``). ``G(…, taps=[])`` appends what that network's
docstring says. ``D.decodable`` names maps that decoders read: their place in ``taps`` and their channels;
``D.decoder(name)`` builds a decoder.

Residual blocks of a D that a method may insert layers in are modules with ``conv1``, ``conv2`` (``nn.Conv2d``, called
as modules, nothing pooled on the way out), ``skip`` (``nn.Conv2d``; None or ``nn.Identity`` for an identity) and
``halve`` (bool: the block pools; StyleGAN2's ``conv2`` halves by its stride). Methods number those of ``D.blocks`` from
1, where D has it, else all in D's order.
"""
