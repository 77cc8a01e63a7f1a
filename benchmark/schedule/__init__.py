"""Runs over cores, GPUs and nodes. Knows what a run asks for, not what a GAN is; only ``ray_executor`` and ``machines`` import ray."""
