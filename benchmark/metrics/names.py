"""The metrics that are implemented, and the statistic that each is read from. Imports nothing: planning asks too."""

NEEDS = {"L_Vg_Bz": "jac_V", "V_g": "V_g", "D_G": "D_G", "jac_D": "jac_D", "jac_V": "jac_V", "jac_G": "jac_G"}
"""Metric of a protocol -> statistic of ``jacobian.py``."""

IMAGE = ("IS", "FID", "tFID", "vFID", "KIDx1000", "precision", "recall")
"""Metrics of images, by ``measure.py``."""

PROBES = (
    "D_real",
    "D_fake",
    "D_test",
    "gap_real_fake",
    "gap_real_test",
    "d_weight_grad",
    "feature_grad",
    "cosine",
    "effective_rank",
)
"""Quantities of D in its training, by ``train/probes.py``."""

HIGHER = ("IS", "precision", "recall")
"""Metrics of which more is better, where the best checkpoint is chosen by one."""
