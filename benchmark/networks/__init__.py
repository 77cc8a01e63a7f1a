"""One architecture a file. ``build(image_shape, z_dim, *, …)`` returns ``(G, D)``.

``G(z)``: noise (B, z_dim) to images (B, C, H, W) in [-1, 1]. ``D(x)``: images to raw ``logits``
(B,), or (B, K) for a head with several outputs. ``D(x, taps=[])`` also appends the feature map of
each of its blocks to the list. Nothing here applies a sigmoid: losses and metrics do.
"""
