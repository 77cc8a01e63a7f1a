"""Algorithm versions cannot be forgotten: a part whose source has changed since a record was made is said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark import sources as room
from benchmark.catalogue import plugins
from benchmark.cli import main
from benchmark.records import store
from benchmark.records.provenance import segments
from benchmark.sources import changed, sources
from benchmark.syntax import syntax_hash
from tests.conftest import ROOT, recipe
from tests.test_working_directory import MINI


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1", "x = 1  # one", True),
        ("def f(a):\n    return a", 'def f(a):\n    """Doc."""\n\n    return (a)', True),
        ('class A:\n    """Doc."""\n    x = 1', "class A:\n    x=1", True),
        ("x = f(a,\n      b)", "x = f(a, b)", True),
        ("x = 0xff", "x = 255", True),
        ("x = 1", "x = 1.0", False),
        ("x = True", "x = 1", False),
        ("x = a + b", "x = b + a", False),
        ("def f(a): return a", "def f(b): return b", False),
        ("x = 'text'", "x = 'other'", False),
        ("x: int = 1", "x = 1", False),
        ("if a:\n    b()\nc()", "if a:\n    b()\n    c()", False),
        ("x = None", "x = ...", False),
        ("f(a, b=c)", "f(a, c)", False),
    ],
)
def test_what_a_source_means_is_its_hash(one: str, other: str, same: bool) -> None:
    assert (syntax_hash(one) == syntax_hash(other)) is same


def test_every_plug_in_has_sources() -> None:
    for name, found in plugins("methods").items():
        if found.outside is None:
            file = f"methods/{found.module.rpartition('.')[2]}.py"
            assert file in dict(room._of("methods", name)), name
    with_helpers = dict(room._of("methods", "pgn"))
    assert with_helpers.keys() == {"methods/pgn.py", "methods/input_gradient.py"}
    assert "networks/stylegan2_layers.py" in dict(room._of("networks", "stylegan2")), "through several files"
    assert sources(recipe()).keys() >= {"networks/mlp.py", "methods/spectral_norm.py"}
    assert sources(recipe(parts=(("unheard-of", {}),))).keys() >= {"networks/mlp.py"}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sources are read from a copy of the package, which may change."""
    for name in ("methods", "networks"):
        shutil.copytree(ROOT / "benchmark" / name, tmp_path / "package" / name)
    monkeypatch.setattr(room, "PACKAGE", str(tmp_path / "package"))
    monkeypatch.chdir(tmp_path)
    room._of.cache_clear()
    yield tmp_path / "package"
    room._of.cache_clear()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    room._of.cache_clear()


def test_plan_run_and_tables_say_what_changed(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mini.yaml").write_text(MINI)
    run = ["run", "mini.yaml", "--executor", "inline"]
    assert main(run) == 0
    (found, problems), told = store.read_all(Path("results")), "methods/spectral_norm.py has changed since 1 record"
    assert not problems and {f for r in found for s in segments(r) for f in s["sources"]} >= {"networks/mlp.py"}
    edit(copy / "methods/spectral_norm.py", '"""', '"""Other words. ')
    assert main(["plan", "mini.yaml"]) == 0 and "changed" not in capsys.readouterr().err, "a docstring computes nothing"
    edit(copy / "methods/spectral_norm.py", "VERSION = 1\n", "VERSION = 1\nOTHER = 2\n")
    for words in (["plan", "mini.yaml", "--explain"], run):
        assert main(words) == 0
        said = capsys.readouterr()
        assert said.err.count(told) == 1 and "networks/mlp.py" not in said.err
        assert "spectral_norm.py changed since, with VERSION as before" in said.out or words is run
    assert main(["compare", "mini.yaml"]) == 0
    out = capsys.readouterr().out
    assert "methods/spectral_norm.py changed since it was made, with VERSION as before: mini/1/SN-D/shapes" in out


def test_a_helper_that_changes_changes_what_uses_it(copy: Path) -> None:
    r = recipe(parts=(("pgn", {}),))
    before = [{"sources": sources(r)}]
    edit(copy / "methods/input_gradient.py", "from __future__", "OTHER = 1\nfrom __future__")
    assert changed(before, r) == ["methods/input_gradient.py"]
    assert changed([{}], r) == [], "records of before say nothing"
    assert changed([{"sources": {"methods/gone.py": "ab"}}], r) == []
    assert changed([{"sources": "odd"}], r) == []
