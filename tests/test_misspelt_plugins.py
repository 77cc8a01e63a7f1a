"""Names of plug-ins that are misspelt: what was meant is said, and they are told from those that are announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.plan.blocks import what_blocks
from benchmark.suite.lint import lint
from benchmark.suite.load import load
from tests.test_working_directory import MINI

LOSS = 'VERSION = 1\n\n\ndef build(*, scale: float = 1.0) -> Loss:\n    """Never run."""\n'
OWN = MINI.replace("suite: mini", "suite: mini\nplugins: ./mine")
OURS = "{name: non-saturating, d_scale: 0.5}"
PART = "spectral-norm: {player: D}"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine/methods").mkdir(parents=True)
    Path("mine/methods/cauchy.py").write_text(LOSS)


@pytest.mark.parametrize(
    ("old", "new", "wrong", "meant"),
    [
        ("name: mlp", "name: sngan-cn", "network 'sngan-cn'", "sngan-cnn"),
        (OURS, "non-saturatin", "loss 'non-saturatin'", "non-saturating"),
        (OURS, "couchy", "loss 'couchy'", "cauchy"),
        (PART, "spectral_norm: {player: D}", "part 'spectral_norm'", "spectral-norm"),
        (f"parts: [{PART}]", "parts+: [unheard-of, Grann]", "part 'Grann'", "gran"),
        (f"parts: [{PART}]", "on: {dataset=shapes: {loss: hing}}", "loss 'hing'", "hinge"),
    ],
)
def test_what_is_close_is_a_problem_with_its_place(
    old: str, new: str, wrong: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.yaml").write_text(text := OWN.replace(old, new))
    name, hint = wrong.split("'")[1], f"; did you mean '{meant}'?"
    line = next(i for i, words in enumerate(text.splitlines(), 1) if name in words)
    (problem,) = [p for p in lint([Path("x.yaml")]) if "not implemented" in p]
    assert problem.startswith(f"x.yaml:{line}:") and problem.endswith(f": {wrong} is not implemented{hint}")
    barred = [why for c in load(Path("x.yaml")).cells if (why := what_blocks(c.recipe, c.protocol))]
    assert any(wrong.replace("'", "") in why and why.endswith(hint) for why in barred)
    assert main(["list", "--check", "x.yaml"]) == 1 and problem in capsys.readouterr().out


@pytest.mark.parametrize("new", ["unheard-of", "stylegan3", "hing: {player: D}", "couchy: {weight: 1}"])
def test_what_is_near_nothing_of_its_kind_may_be_announced(new: str) -> None:
    """The losses ``hinge`` and ``cauchy`` are no parts."""
    Path("x.yaml").write_text(OWN.replace(PART, new))
    assert not [p for p in lint([Path("x.yaml")]) if "not implemented" in p]
    cell = load(Path("x.yaml")).cells[1]
    assert what_blocks(cell.recipe, cell.protocol) == f"part {new.partition(':')[0]} is not implemented"


def test_plugins_of_another_suite_are_not_meant() -> None:
    Path("own.yaml").write_text(OWN)
    Path("x.yaml").write_text(MINI.replace(OURS, "couchy"))
    load(Path("own.yaml"))
    cell = load(Path("x.yaml")).cells[0]
    assert what_blocks(cell.recipe, cell.protocol) == "loss couchy is not implemented"
