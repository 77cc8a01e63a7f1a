"""Runs over cores, GPUs and nodes. Knows what a run asks for, not what a GAN is; what runs needs no Ray; what starts,
joins and asks one imports it late.
"""
