"""The metrics that are implemented, and the statistic that each is read from. Imports nothing: planning asks too."""

NEEDS = {"L_Vg_Bz": "jac_V", "V_g": "V_g", "D_G": "D_G", "jac_D": "jac_D", "jac_V": "jac_V", "jac_G": "jac_G"}
"""Metric of a protocol -> statistic of ``jacobian.py``."""

IMAGE = ("IS", "FID", "tFID", "vFID", "KIDx1000", "precision", "recall")
"""Metrics of images, by ``measure.py``."""

OF_D = (
    "D_real",
    "D_fake",
    "D_test",
    "gap_real_fake",
    "gap_real_test",
    "d_weight_grad",
    "feature_grad",
    "cosine",
    "effective_rank",
    "gap_fake_test",
)
"""What D says, its gradients and features, by ``train/probes.py``."""

SLOPES = ("grad_real", "grad_fake", "difference_real", "difference_fake")
"""How steep D is at images, by ``train/slopes.py``."""

STEEPEST = ("grad_most",)
"""The largest slope of D that is found at and between images, by ``train/steepest.py``."""

PAIRS = ("pair_gap", "pair_feature_gap", "pair_slope", "pair_grad")
"""Realistic fakes and the nearest real images, by ``train/pairs.py``."""

VALUES = ("V_d", "jac_D_real", "V_theta", "V_phi", "V_d_gap", "V_d_bound")
"""The value of the game and its slopes, by ``train/values.py``."""

LEMMAS = (
    "d_weight_grad_real",
    "d_weight_grad_fake",
    "hessian_real",
    "hessian_fake",
    "cosine_centred",
    "inverse_sigma",
    "psi_ratio",
    "chain_grad_ratio",
    "chain_p",
    "chain_r",
)
"""Of CHAIN's lemmas and theorems, by ``train/lemmas.py``."""

PROBES = (*OF_D, "D_loss", *SLOPES, *STEEPEST, *PAIRS, *VALUES, *LEMMAS)
"""Quantities of D in its training, by ``train/probes.py`` and what it calls."""

HIGHER = ("IS", "precision", "recall")
"""Metrics of which more is better, where the best checkpoint is chosen by one."""

BETTER = {metric: "higher" if metric in HIGHER else "lower" for metric in IMAGE}
"""The better direction of metrics that have one of their own; that of the others depends on the question."""
