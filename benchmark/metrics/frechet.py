"""Fréchet distance between two Gaussians (Heusel et al. 2017), from their moments."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from benchmark.errors import GanbenchError
from benchmark.metrics.images import NotFinite

log = logging.getLogger(__name__)

FLOOR = 1e-12  # smallest over largest eigenvalue of the product, below which the square root of rounding shows
BLOCK = 64  # columns at a time in the reduction to three diagonals


@dataclass(frozen=True)
class Moments:
    """Mean (D,) and covariance (D, D, divisor n − 1) of n features, float64."""

    n: int
    mean: np.ndarray
    covariance: np.ndarray


class MomentSum:
    """Moments of features that arrive in batches: memory does not grow with their number.

    Sums are kept in float64 about the first batch's mean, so that a large common offset costs no digits.
    """

    def __init__(self) -> None:
        self.n = 0
        self._sums: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # the shift, Σ(x − shift), Σ(x − shift)²

    def add(self, features: np.ndarray) -> None:
        """Take in (N, D) features."""
        x = features.astype(np.float64)
        d = x.shape[1]
        shift, total, products = self._sums = self._sums or (x.mean(axis=0), np.zeros(d), np.zeros((d, d)))
        x -= shift
        self.n += len(x)
        total += x.sum(axis=0)
        products += x.T @ x

    def moments(self) -> Moments:
        """Raises GanbenchError with fewer than two features, or if one is not finite."""
        if self._sums is None or self.n < 2:
            raise GanbenchError(f"{self.n} image(s) have no covariance")
        shift, total, products = self._sums
        mean = total / self.n
        covariance = (products - self.n * np.outer(mean, mean)) / (self.n - 1)
        if not np.isfinite(covariance).all():
            raise NotFinite("the features hold values that are not finite")
        return Moments(self.n, mean + shift, (covariance + covariance.T) / 2)


def frechet_distance(a: Moments, b: Moments) -> float:
    """‖μ_a − μ_b‖² + Tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½).

    The trace of the square root is the sum of the roots of the eigenvalues of Σ_a Σ_b, which are those
    of the symmetric L_bᵀ Σ_a L_b with Cholesky's L_b: fast, and exact while no eigenvalue is so small
    that rounding reaches it. Else (fewer images than dimensions, features that never fire) it is the sum
    of the singular values of L_aᵀ L_b with pivoted factors, which have as many columns as there is rank:
    no root is taken of a rounding error.

    Equal to torch-fidelity's to 1e-6 relative but in two cases, where this is the exact one (tests hold both): with
    fewer images than dimensions its value is a few 1e-6 too low, for it does take those roots; and where the means lie
    so close that their float32 rounding shows in a small distance.

    Raises:
        GanbenchError: the dimensions differ.
    """
    if a.mean.shape != b.mean.shape:
        raise GanbenchError(f"features of {a.mean.shape[0]} and of {b.mean.shape[0]} dimensions cannot be compared")
    values = _product_eigenvalues(a.covariance, b.covariance)
    if values is None:
        log.info(
            "covariances of %d and %d features in %d dimensions are ill conditioned: pivoted factors are "
            "used (exact, slower)",
            a.n,
            b.n,
            len(a.mean),
        )
    root_trace = np.sqrt(values).sum() if values is not None else _nuclear_norm(a.covariance, b.covariance)
    difference = a.mean - b.mean
    return float(difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * root_trace)


def _product_eigenvalues(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Eigenvalues of the product of two covariances; None where rounding may reach the smallest."""
    from scipy.linalg import lapack

    if len(a) == 1:
        return None  # LAPACK has no three diagonals of a single number
    factor, failed = lapack.dpotrf(b.T, lower=1)  # .T: in LAPACK's order, so that nothing is copied
    if failed:
        return None
    symmetric, _ = lapack.dsygst(a.T, factor, itype=2, lower=1)
    _, diagonal, beside, _, _ = lapack.dsytrd(symmetric, lower=1, lwork=BLOCK * len(a), overwrite_a=1)
    values, failed = lapack.dsterf(diagonal, beside)
    if failed:
        return None
    return values if values[0] > FLOOR * values[-1] else None


def _nuclear_norm(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of the singular values of L_aᵀ L_b; dimensions in which either side is constant add nothing."""
    live = np.flatnonzero((np.diag(a) > 0) & (np.diag(b) > 0))
    factors = [_factor(c[np.ix_(live, live)]) for c in (a, b)]
    if min(f.shape[1] for f in factors) == 0:
        return 0.0
    return float(np.linalg.svd(factors[0].T @ factors[1], compute_uv=False).sum())


def _factor(covariance: np.ndarray) -> np.ndarray:
    """L (D, rank) with L Lᵀ = Σ, by Cholesky's factorisation with diagonal pivoting (LAPACK's tolerance)."""
    from scipy.linalg import lapack

    if not len(covariance):
        return covariance
    packed, order, rank, _ = lapack.dpstrf(covariance, lower=1)
    factor = np.empty((len(covariance), rank))
    factor[order - 1] = np.tril(packed)[:, :rank]
    return factor
