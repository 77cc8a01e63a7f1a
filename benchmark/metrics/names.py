"""The metrics that are implemented, and the statistic that each is read from. Imports nothing: planning asks too."""

NEEDS = {"L_Vg_Bz": "jac_V", "V_g": "V_g", "D_G": "D_G", "jac_D": "jac_D", "jac_V": "jac_V", "jac_G": "jac_G"}
"""Metric of a protocol -> statistic of ``jacobian.py``."""

IMAGE = ("IS", "FID", "tFID", "vFID", "KIDx1000", "precision", "recall")
"""Metrics of images, by ``measure.py``."""

HIGHER = ("IS", "precision", "recall")
"""Metrics of which more is better, where the best checkpoint is chosen by one."""
