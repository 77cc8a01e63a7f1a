"""Names of any length and alphabet: whatever a suite may call a method, its files can be written, and found again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.presenting.site.folder import Folder
from benchmark.collate.presenting.site.pages import _Site
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.records import store
from benchmark.suite.load import load, load_all
from benchmark.suite.nodes import SuiteError
from benchmark.suite.slug import LONGEST, safe_name
from tests.test_decide import SUITE, run

NAMES = {
    "254 characters": "a" * 254,
    "90 in Japanese": "生" * 90,
    "300 outside of the BMP": "𝔊" * 300,
    "combining": "e\u0301" * 200,
    "1,000 characters": "GAN " * 250,
}


def long_suite(path: Path) -> Path:
    """Two rows of two names each, which differ only in their last character; each has a run of its own."""
    names = [f"{name}{end}" for name in list(NAMES.values())[:2] for end in "12"]
    recipes = "".join(
        f"  w{i}: {{from: base, network: {{name: mlp, width: 0.{i + 10}, bn_eps: 0.8}}}}\n" for i in range(len(names))
    )
    rows = ", ".join(f"'{name}': {{recipe: w{i}, V_g: 1.0, D_G: -0.5}}" for i, name in enumerate(names))
    head, _, _ = SUITE.format(band="0.1", a="1.0", b="1.0").partition("rows:")
    path.write_text(head.replace("profiles:", f"{recipes}profiles:") + f"rows: {{{rows}}}}}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("longest", [120, LONGEST])
def test_a_long_name_is_cut_within_the_bytes_that_disks_take_and_stays_its_own(name: str, longest: int) -> None:
    cut = safe_name(name, longest)
    assert len(cut.encode()) <= longest and cut != safe_name(f"{name}b", longest) and cut == safe_name(name, longest)
    assert safe_name(f"{name[:-1]} ", longest) != safe_name(f"{name[:-1]}\t", longest)


def test_the_folders_of_the_papers_are_what_they_were() -> None:
    cells = [c for s in load_all([]) for c in s.cells]
    assert all(safe_name(c.id.split("/", 1)[1], 10_000) == c.slug for c in cells)
    known = {path.name for path in Path("results/records").glob("*/*")}
    assert "2--WGAN-GP†--cifar10" in known and known <= {c.slug for c in cells}


def test_whatever_is_written_of_a_long_name_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite, results, board = long_suite(tmp_path / "tiny.yaml"), tmp_path / "results", tmp_path / "board"
    assert run(suite, results, "--tensorboard", str(board)) == 0
    assert len({path.parent for path in store.paths(results)}) == 4 == len(list(board.glob("tiny/*")))
    assert main(["report", str(suite), "--results", str(results), "--out", str(tmp_path / "site")]) == 0
    assert len(list((tmp_path / "site/cells").iterdir())) == 4
    assert main(["export", str(suite), "--results", str(results), "--out", str(tmp_path / "b.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        assert all(len(part.encode()) < 256 for member in bundle.namelist() for part in member.split("/"))
    again = tmp_path / "again"
    assert main(["merge", str(tmp_path / "b.zip"), "--results", str(again)]) == 0
    assert sorted(r.cell for r in store.read_all(again)[0]) == sorted(c.id for c in load(suite).cells)
    capsys.readouterr()
    assert run(suite, again) == 0 and f"{4} done" in capsys.readouterr().err


def test_a_figure_of_a_long_name_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.collate.presenting.site.png.png", lambda plot: b"drawn")
    site = _Site([], "results", Folder(tmp_path), [], png=True)
    for name in (f"{name}{end}" for name in NAMES.values() for end in "12"):
        site.figure(Plot(name, "", "", Axis(), Axis(), (Marks("points", ((1.0, 1.0),), "plain"),)))
    assert len(list((tmp_path / "figures").iterdir())) == 2 * len(NAMES)


def test_a_suite_whose_name_no_disk_takes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SUITE.format(band="0.1", a="1.0", b="1.0").replace("suite: tiny", f"suite: {'t' * 101}"), "utf-8")
    with pytest.raises(SuiteError, match=r"tiny.yaml:1:8: a suite's name is .* at most 100"):
        load(path)
