"""One mistake is one fault: nothing false is said of what only follows from it, and nothing true is hidden by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.suite.faults import faults
from tests.test_working_directory import MINI

ALL = "notes: {rest: mine}, kinds: {inferred: [rest]}"
OWN = "notes: {split: mine, parts: mine}, kinds: {chosen: [split, parts.spectral-norm], code: [z_dim]}"
TEXT = (
    MINI.replace("seeds: 1}", f"seeds: 1, {ALL}}}\ntolerance: {{V_g: {{relative: 0.2, source: mine}}}}")
    .replace("drop_last: true", "drop_last: true, notes: {rest: m}, kinds: {chosen: [drop_last, lr_d], code: [rest]}")
    .replace("parts: [spectral-norm: {player: D}]", f"parts+: [spectral-norm: {{player: D}}], split: train, {OWN}")
    + "claims:\n  - {id: a, quote: b, where: c, holds: {table: '1', better: {SN-D: plain}}}\n"
)


def found(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (path := tmp_path / "x.yaml").write_text(text)
    return [fault.removeprefix(f"{path}:") for fault in faults(path)]


def test_the_suite_itself_has_none(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize("base", ["zzz", "SN-D", "gran/zzz", "zzz/base", "[base]", "bsae"])
def test_a_recipe_without_its_base_is_not_judged(base: str, tmp_path: Path) -> None:
    (fault,) = found(tmp_path, ("from: base", f"from: {base}"))
    assert "lacks" not in fault and "no value" not in fault


def test_no_recipe_is_meant_to_inherit_from_itself(tmp_path: Path) -> None:
    (fault,) = found(tmp_path, ("from: base", "from: SN-DD"))
    assert fault.endswith("unknown recipe 'SN-DD'; known: base")


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("drop_last", "true"),
        ("share_fakes", "true"),
        ("resolution", "28"),
        ("channels", "1"),
        ("batch_d", "16"),
        ("beta1", "0.5"),
        ("relative", "0.2"),
        ("optimizer", "adam"),
        ("loss", "{name: non-saturating, d_scale: 0.5}"),
        ("network", "{name: mlp, width: 0.1, bn_eps: 0.8}"),
        ("metrics", "[V_g]"),
        ("generated", "8"),
        ("bn_mode", "eval"),
        ("player", "D"),
        ("table", "'1'"),
    ],
)
@pytest.mark.parametrize("wrong", ["yes", "20%", "[zzz]"])
def test_a_wrong_value_is_one_fault(key: str, right: str, wrong: str, tmp_path: Path) -> None:
    if key in ("loss", "network") and wrong != "[zzz]":
        wrong = "{scale: 1}"
    assert len(found(tmp_path, (f"{key}: {right}", f"{key}: {wrong}"))) == 1


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (("from: base", "from: zzz"), ("lr_g: 2.0e-4", "lr_g: fast"), "expected a number, found 'fast'"),
        (("from: base", "from: zzz"), ("SN-D, V_g: -0.5", "SN-D, V_g: x"), "expected a number as printed"),
        (("drop_last: true", "drop_last: yes"), ("n_dis: 1, ", ""), "the recipe lacks n_dis"),
        (("relative: 0.2", "relative: 20%"), ("player: D", "palyer: D"), "spectral-norm has no argument 'palyer'"),
        (("[drop_last,", "[dorp_last,"), ("[z_dim]", "[z_dmi]"), "no value is called 'z_dmi'"),
        (("batch_d: 16", "batch_d: x"), ("n_dis: 1", "n_dis: -1"), "n_dis must be positive"),
    ],
)
def test_what_is_wrong_besides_is_said(
    first: tuple[str, str], second: tuple[str, str], said: str, tmp_path: Path
) -> None:
    both = found(tmp_path, first, second)
    assert len(both) == 2 and any(said in fault for fault in both), both
