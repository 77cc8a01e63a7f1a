"""Shared by all tests: one thread, one seed, a clean place to work (``home.py``), a small suite, real data if
there is any.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy starts: two workers' threads wait for one another

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from benchmark.data import cards as card_room
from benchmark.data.cards import Card
from benchmark.recipe import Protocol, Recipe
from tests import home
from tests.home import ROOT
from tests.times import pytest_deselected, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown  # noqa: F401  (pytest finds them here)

if TYPE_CHECKING:
    from benchmark.collate.presenting.site.summary import Report

os.environ.setdefault(
    "RAY_AUTH_MODE", "disabled"
)  # before anything imports ray: where this machine has a token, clusters of tests would differ about it

DATA = Path(os.environ.get("GANBENCH_DATA") or ROOT / "../shared/data").resolve()
torch.set_num_threads(1)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Never bytes in the name of a test: those of an archive hold the time, and the workers of xdist would collect
    different tests.
    """
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Also for what is made once for several tests."""
    base = tmp_path_factory.getbasetemp()
    caches = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "caches"
    folder = home.make(base / "home")
    with pytest.MonkeyPatch.context() as m:
        for name, value in home.environment(caches).items():
            m.delenv(name) if value is None else m.setenv(name, value)
        m.chdir(folder)
        yield folder


@pytest.fixture(autouse=True)
def _at_home(_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(_home)
    torch.manual_seed(0)  # the same draws, whichever tests ran before
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():  # runs in this process name their folders there
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def committed(_home: Path) -> Path:
    """The results that the repository comes with; the test is skipped, visibly, where git cannot say which they are."""
    if not (_home / "results").exists():
        pytest.skip("not a git checkout: the repository's records cannot be told from others")
    return _home / "results"


@pytest.fixture(scope="session")
def site(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on all five papers, with the records of this repository."""
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.presenting.report import write_reports
    from benchmark.records import store
    from benchmark.suite.load import load_all

    out = tmp_path_factory.mktemp("site")
    found, _ = store.read_all(committed)
    write_reports([load_joined(s.path, found) for s in load_all([])], "results", out)
    return out


@pytest.fixture(scope="session")
def reports(committed: Path) -> list[Report]:
    """All five papers, with the records of this repository; no tables."""
    from benchmark.collate.judging.join import load_joined
    from benchmark.collate.presenting.report import judged_claims
    from benchmark.collate.presenting.site import summary
    from benchmark.records import store
    from benchmark.suite.load import load_all

    found, _ = store.read_all(committed)
    loaded = [load_joined(s.path, found) for s in load_all([])]
    return [summary.Report(suite, joined, {}, judged_claims(suite, joined)) for suite, joined in loaded]


@pytest.fixture
def mnist(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the real MNIST files; the test is skipped, visibly, without them."""
    if not (DATA / "train-images-idx3-ubyte.gz").exists():
        pytest.skip(f"no MNIST in {DATA}; set GANBENCH_DATA, or run: ganbench data fetch mnist")
    monkeypatch.setenv("GANBENCH_DATA", str(DATA))
    return DATA


@pytest.fixture
def float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Card]:
    """Gives a card like the real one, with other counts, sizes and classes; data root and cache are folders of the
    test.
    """
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    real = card_room.cards()
    known = dict(real)
    monkeypatch.setattr(card_room, "cards", lambda: known)

    def shrink(name: str, classes: int | None = None, resolutions: tuple[int, int] = (4, 256), **splits: dict) -> Card:
        changed = {split: {**real[name].splits[split], **new} for split, new in splits.items()}
        known[name] = dataclasses.replace(
            real[name], classes=classes or real[name].classes, resolutions=resolutions, splits=changed
        )
        return known[name]

    return shrink


def recipe(**changes: object) -> Recipe:
    """A small, complete recipe on the embedded data."""
    fields: dict = dict(
        dataset="shapes",
        split="train",
        resolution=28,
        channels=1,
        data_percent=100.0,
        images=200,
        network=("mlp", {"width": 0.1, "bn_eps": 0.8}),
        z_dim=10,
        z_distribution="uniform",
        z_scale=1.0,
        loss=("non-saturating", {"d_scale": 0.5}),
        parts=(("spectral-norm", {"player": "D"}),),
        batch_d=64,
        batch_g=64,
        n_dis=1,
        epochs=4,
        drop_last=False,
        player_order="g-first",
        share_fakes=True,
        d_pass="separate",
        optimizer="adam",
        lr_g=2e-4,
        lr_d=2e-4,
        beta1=0.5,
        beta2=0.999,
        adam_eps=1e-8,
        precision="float32",
    )
    return Recipe(**(fields | changes))


def protocol(**changes: object) -> Protocol:
    """A small, complete protocol."""
    fields: dict = dict(
        metrics=("L_Vg_Bz", "V_g", "D_G", "jac_D", "jac_G"),
        generated=40,
        bn_mode="eval",
        weights="raw",
        checkpoint="last",
        std_of="noises",
        every_epochs=1,
        jac_G_every_epochs=2,
        seeds=1,
    )
    return Protocol(**(fields | changes))
