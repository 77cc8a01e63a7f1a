"""One run: the GAN step, the loop around it, checkpoints, exact resume. Knows no paper, no table, no scheduler."""
