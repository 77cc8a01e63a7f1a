"""All faults of a suite in one go, and none that only follows from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.suite.faults import faults
from tests.conftest import ROOT
from tests.test_working_directory import MINI

BAD = """\
suite: bad
paper: {title: "Two small rows", venue: none}
protocol: {metrics: [V_g], generated: eight, bn_mode: evil, weights: raw, checkpoint: last, std_of: noises, seeds: 1}
recipes:
  base: {dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {name: mlp, width: 0.1, bn_eps: 0.8}, z_dim: -20, z_distribution: normal, parts: [], z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 0.5}, batch_dd: 16, batch_g: 16, n_dis: 1, steps: 4, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate,
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}
  SN-D: {from: base, parts: [spectral-norm: {palyer: D}]}
  SN-G: {from: bsae, parts: [spectral-norm: {player: D}]}
tables:
  "1": {caption: "no paper's", std_of: noises, metrics: {V_g: lower},
    rows: {plain: {recipe: base, V_g: -0.5x}, SN-D: {recipe: SN-D, V_h: -0.5}}}
claims:
  - {id: a, quote: b, where: c, holds: {table: "9", best: plain}}
"""
ALL = {
    "3:39": "expected a number, found 'eight'",
    "3:55": "bn_mode is 'evil'; did you mean 'eval'?",
    "6:59": "z_dim must be positive",
    "7:49": "unknown key 'batch_dd'; did you mean 'batch_d'?",
    "10:54": "spectral-norm has no argument 'palyer'",
    "11:16": "unknown recipe 'bsae'; did you mean 'base'?",
    "14:39": "expected a number as printed",
    "14:68": "unknown key 'V_h'; did you mean 'V_g'?",
    "16:48": "unknown table '9'",
}


def test_all_are_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(BAD)
    Path("fine.yaml").write_text(MINI)
    assert main(["list", "--check", "bad.yaml"]) == 2
    said = capsys.readouterr().out.splitlines()
    assert {line.split(": ")[0]: line for line in said}.keys() == {f"bad.yaml:{place}" for place in ALL}
    assert all(ALL[place] in line for place in ALL for line in said if line.startswith(f"bad.yaml:{place}:"))
    assert main(["list", "--check", "bad.yaml", "fine.yaml"]) == 2, "the exit code of a suite that cannot be used"
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("bad.yaml:")]) == len(ALL)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("z_dim: 20", "z_dimm: 20", ["unknown key 'z_dimm'"]),
        ("z_dim: 20, ", "", ["the recipe lacks z_dim"]),
        ("recipes:", "recipe:", ["unknown key 'recipe'"]),
        ("batch_d: 16", "batch_d: 17", ["share_fakes needs equal batch_g and batch_d"]),
        ("suite: mini", "suite: MINI", ["a suite's name"]),
        ("parts: [spectral-norm: {player: D}]", "parts: 3", ["expected a list"]),
        ("  SN-D: {from: base", "  SN-D: {from: SN-D", ["recipes inherit in a circle"]),
        ("  SN-D: {from: base", "  SN-D: {from: theory/SN-DD", ["suite theory has no recipe 'SN-DD'"]),
        ("  SN-D: {from: base", "  SN-D: {from: thoery/SN-D", ["no suite 'thoery'"]),
        ("tables:", "tables: [", ["not valid YAML"]),
        ("parts: [spectral-norm: {player: D}]", f"parts: [{', '.join(map('p{}'.format, range(60)))}]", ["60 entries"]),
        ("z_dim: 20, ", "z_dim: 20, kinds: {chosne: [z_dim]}, ", ["unknown kind 'chosne'"]),
        ("z_dim: 20, ", "z_dim: 20, kinds: {chosen: [parts.gran]}, ", ["no value is called 'parts.gran' here"]),
    ],
)
def test_one_fault_is_one(old: str, new: str, said: list[str], tmp_path: Path) -> None:
    assert old in MINI
    path = tmp_path / "mini.yaml"
    path.write_text(MINI.replace(old, new))
    found = faults(path)
    assert len(found) == len(said) and all(text in one for text, one in zip(said, found)), found


@pytest.mark.parametrize("name", ["theory", "ci"])
def test_a_suite_that_loads_has_none(name: str) -> None:
    assert faults(ROOT / f"suites/{name}.yaml") == []
