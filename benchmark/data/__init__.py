"""Datasets: cards (what a dataset is, its checksums and sources), readers, subsets. Nothing downloads unasked."""
