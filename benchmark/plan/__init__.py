"""Cells to distinct runs: keys, order, what is finished and why. Imports neither torch nor ray."""
