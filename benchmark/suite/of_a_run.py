"""What a claim may compare beside a run's result: quantities of its course, or what it cost. Lower is better of each.

    unsteadiness  standard deviation of the second half's measurements about the straight line through them
    rise          by which share the last measurement is worse than the best of those before it
    peak          the largest measurement, the initial weights' with it
    steps         G steps to a value of the metric that every run of both cells reaches: the worst of their bests
    seconds       of training a G step, on one and the same kind of machine
    halfway       the measurement in the middle of training: its mean over images; ``-worst`` the largest of the
                  means at each δ, ``-most`` the largest image, ``-spread`` the standard deviation over them,
                  ``-away`` the root mean square of their distances from a value that the claim names

How each is computed: ``collate/statistics/course.py``, ``collate/statistics/halfway.py`` and
``collate/judging/of_runs.py``.
"""

from __future__ import annotations

from benchmark.metrics.names import SLOPES

WORDS = {
    "unsteadiness": "unsteadiness of {}",
    "rise": "rise of {} at the end",
    "peak": "largest {} of the run",
    "steps": "steps to a {} that both reach",
    "seconds": "seconds a step",
    "halfway": "{} halfway",
    "halfway-worst": "largest mean {} of any δ halfway",
    "halfway-most": "largest {} of an image halfway",
    "halfway-spread": "spread of {} over images halfway",
    "halfway-away": "distance of {} from {:.7g} halfway",
}
"""Quantity -> how it is called, of a metric and a value that distances are from."""

HALFWAY = ("halfway", "halfway-worst", "halfway-most", "halfway-spread", AWAY := "halfway-away")
"""Those of one measurement."""

BY_NOISE = ("V_g", "D_G", "jac_D", "jac_V", "jac_G")
BY_IMAGE = {
    "halfway-worst": ("difference_real", "difference_fake"),
    "halfway-most": (*SLOPES, *BY_NOISE),
    "halfway-spread": (each := (*SLOPES, *BY_NOISE, "D_real", "D_fake", "D_test")),
    AWAY: each,
}
"""Quantity -> the metrics that have it, which are measured image by image or noise by noise. What others have beside
their value is of splits, subsets or batches.
"""

OF_A_PAIR = ("steps", "seconds")
"""Those that the other cell of a comparison decides, too."""
