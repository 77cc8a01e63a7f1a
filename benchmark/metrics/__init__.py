"""Measuring a trained pair: Jacobian statistics; (FID, IS and KID by torch-fidelity come through the same door)."""
