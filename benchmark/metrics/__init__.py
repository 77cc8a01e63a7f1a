"""Measuring a trained pair: Jacobian statistics, and FID, IS, KID, precision and recall through torch-fidelity."""
