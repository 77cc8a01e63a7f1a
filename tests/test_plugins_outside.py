"""Plug-ins from outside the package: what suites may name, what is in keys, what may run, and what travels."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark import catalogue
from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.outside import running
from benchmark.plan.blocks import what_blocks
from benchmark.plan.keys import run_key
from benchmark.records import store
from benchmark.suite import plugged
from benchmark.suite.load import load, load_all
from benchmark.suite.model import Cell
from benchmark.suite.nodes import SuiteError
from tests.conftest import ROOT
from tests.test_working_directory import MINI

METHOD = '''"""A penalty."""
import os
from benchmark.methods.part import DMoment, Part
from .shared import square

VERSION = 1
open(os.environ.get("SPRUNG", os.devnull), "a").write("x")


def build(*, weight: float) -> Part:
    """weight"""
    part = Part()
    part.d_penalty = lambda moment: weight * square(moment.real.logits).mean()
    return part
'''
SHARED = "def square(x):\n    return x * x\n"
SUITE = MINI.replace("paper:", "plugins: ./mine\npaper:").replace("spectral-norm: {player: D}", "wild: {weight: 0.5}")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of these plug-ins is left to other tests."""
    monkeypatch.setattr(running, "_known", {})
    monkeypatch.setattr(running, "_trusted", set())
    monkeypatch.setattr(plugged, "_trust_all", False)
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for room in ("methods", "networks"):
        for name in [name for name in catalogue.plugins(room) if "@" in name]:
            del catalogue.plugins(room)[name]
    for name in [name for name in sys.modules if name.startswith(running.PACKAGE)]:
        del sys.modules[name]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a suite and its plug-ins beside it; ``sprung`` is there once the plug-in was imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPRUNG", str(tmp_path / "sprung"))
    write("mine/methods/wild.py", METHOD)
    write("mine/methods/shared.py", SHARED)
    write("mini.yaml", SUITE)
    return tmp_path


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def cells(path: str = "mini.yaml") -> dict[str, Cell]:
    return {c.method: c for c in load(Path(path)).cells}


def wild() -> str:
    return cells()["SN-D"].recipe.parts[0][0]


def test_it_runs_and_its_hash_is_in_the_record_and_nowhere_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("mine/networks/my_mlp.py", (ROOT / "benchmark/networks/mlp.py").read_text())
    write("mini.yaml", SUITE.replace("name: mlp", "name: my-mlp"))
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 0
    said = capsys.readouterr().err
    assert "runs code from outside: mine/methods/wild.py" in said and "mine/networks/my_mlp.py" in said
    found, problems = store.read_all(Path("results"))
    assert len(found) == 2 and not problems
    parts = {r.recipe.parts[0][0] for r in found if r.recipe.parts}
    assert parts == {wild()} and wild().startswith("wild@")
    assert all(r.recipe.network[0].startswith("my-mlp@") for r in found)
    assert main(["plan", "mini.yaml"]) == 0 and "2 done" in capsys.readouterr().out
    values = [r.final["V_g"]["value"] for r in found]
    assert values[0] != values[1], "the penalty acted"
    assert "@" not in str(cells()["SN-D"].place.network)


@pytest.mark.parametrize(
    ("path", "old", "new", "same"),
    [
        ("mine/methods/wild.py", "weight * square", "2 * weight * square", False),
        ("mine/methods/shared.py", "x * x", "x * x * x", False),
        ("mine/methods/wild.py", "VERSION = 1", "VERSION = 2", False),
        ("mine/methods/wild.py", '"""weight"""', '"""Another docstring."""  # and a comment', True),
        ("mine/methods/wild.py", "weight * square(", "weight * square( ", True),
        ("mine/methods/shared.py", "\n    return", "\n    # how\n\n    return", True),
    ],
)
def test_what_the_code_says_is_in_the_key_of_runs_that_use_it(
    path: str, old: str, new: str, same: bool, here: Path
) -> None:
    before = {method: run_key(c.recipe, 0) for method, c in cells().items()}
    text = Path(path).read_text()
    assert old in text
    write(path, text.replace(old, new))
    after = {method: run_key(c.recipe, 0) for method, c in cells().items()}
    assert (before["SN-D"] == after["SN-D"]) is same and before["plain"] == after["plain"]
    write("mini.yaml", MINI)
    assert run_key(cells()["plain"].recipe, 0) == before["plain"], "as without any plug-in"


def test_files_that_it_does_not_use_are_not_in_its_key(here: Path) -> None:
    before = wild()
    write("mine/methods/other.py", METHOD.replace("VERSION = 1", "VERSION = 9"))
    assert wild() == before


@pytest.mark.parametrize(("room", "name"), [("methods", "r1"), ("methods", "spectral_norm"), ("networks", "mlp")])
def test_none_of_ours_is_shadowed(room: str, name: str, here: Path) -> None:
    text = METHOD if room == "methods" else (ROOT / "benchmark/networks/mlp.py").read_text()
    write(f"mine/{room}/{name}.py", text)
    with pytest.raises(SuiteError, match=rf"mini.yaml:3:10: mine/{room}/{name}.py: .* is one of ganbench's own"):
        load(Path("mini.yaml"))


@pytest.mark.parametrize("first", ["mine", "theirs"])
def test_names_reserve_nothing_in_other_suites(first: str, here: Path) -> None:
    """Another suite mentions ``wild`` with other arguments, and nobody has built that; a third has one of its own."""
    write("theirs.yaml", MINI.replace("spectral-norm: {player: D}", "wild: {strength: high}"))
    write("third.yaml", SUITE.replace("./mine", "./third").replace("{weight", "{power"))
    write("third/methods/wild.py", METHOD.replace("weight", "power"))
    write("third/methods/shared.py", SHARED)
    for name in ("mini", "theirs", "third") if first == "mine" else ("third", "theirs", "mini"):
        load(Path(f"{name}.yaml"))
    theirs = cells("theirs.yaml")["SN-D"]
    assert theirs.recipe.parts == (("wild", {"strength": "high"}),)
    assert what_blocks(theirs.recipe, theirs.protocol) == "part wild is not implemented"
    assert cells("third.yaml")["SN-D"].recipe.parts[0][1] == {"power": 0.5} and cells()["SN-D"].recipe.parts[0][1]


@pytest.mark.parametrize(
    "way",
    ["included", "in a named folder", "folder above", "linked folder", "full path elsewhere", "loaded by a script"],
)
def test_what_the_user_did_not_name_does_not_run(way: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["mini.yaml"]
    if way == "included":
        write("other.yaml", "suite: other\ninclude: [{suite: mini}]\n")
        words = ["other.yaml"]
    elif way == "in a named folder":
        words = ["."]
    elif way == "folder above":
        write("above/suites/mini.yaml", SUITE.replace("./mine", "../mine"))
        shutil.move("mine", "above/mine")
        words = ["above/suites/mini.yaml"]
    elif way == "linked folder":
        Path("elsewhere").mkdir()
        shutil.move("mine", "elsewhere/mine")
        write("sub/mini.yaml", SUITE)
        Path("sub/mine").symlink_to(here / "elsewhere/mine")
        words = ["sub/mini.yaml"]
    elif way == "full path elsewhere":
        write("sub/mini.yaml", SUITE.replace("./mine", str(here / "mine")))
        words = ["sub/mini.yaml"]
    if way == "loaded by a script":
        cell = cells()["SN-D"]
        assert "--trust-plugins" in (what_blocks(cell.recipe, cell.protocol) or "")
        with pytest.raises(GanbenchError, match="--trust-plugins"):
            catalogue.plugin("methods", cell.recipe.parts[0][0]).load()
        return
    every = [["list"], ["plan"], ["list", "--check"], ["run", "--executor", "inline"]]
    for command in every if way == "included" else every[:2]:
        main([*command, *words])
    said = capsys.readouterr()
    assert not Path("sprung").exists()
    assert "is code from outside, which nobody has let run: read it, then give --trust-plugins" in said.out
    if way in ("included", "linked folder"):
        assert main(["run", *words, "--executor", "inline", "--trust-plugins"]) == 0 and Path("sprung").exists()
    else:
        assert main(["list", *words, "--trust-plugins"]) == 0 and "trust" not in capsys.readouterr().out


def test_reading_runs_nothing(here: Path) -> None:
    for words in (["list", "mini.yaml"], ["compare", "mini.yaml"], ["published", "mini.yaml"]):
        assert main(words) == 0
    assert not Path("sprung").exists()
    load_all(["mini.yaml"])
    assert what_blocks(cells()["SN-D"].recipe, cells()["SN-D"].protocol) is None, "the user has named it"


FAULTS = {
    "no folder": ("plugins: ./mine", "plugins: ./mien", "there is no folder ./mien beside this suite"),
    "no package": ("plugins: ./mine", "plugins: mine", r"no package 'mine' is installed.*\./mine"),
    "no plug-in": ("wild.py", None, "./mine holds no plug-in"),
    "no Python": ("def build(", "def build[(", r"mine/methods/wild.py:10: no Python"),
    "no file": ("from .shared", "from .shred", r"mine/methods/wild.py:4: there is no methods/shred.py in mine"),
    "from outside": ("from .shared", "from ...shared", r"mine/methods/wild.py:4: imports from outside of mine"),
    "no version": ("VERSION = 1", "", r"wild.py: it has build\(…\), and no VERSION = 1"),
    "no plain version": ("VERSION = 1", "VERSION = len('x')", r"wild.py: VERSION, WEIGHTS and defaults must be plain"),
    "no build": ("def build", "def make", r"wild.py: it has a VERSION, and no function build"),
    "no part": ("-> Part", "-> object", r"wild.py: build in methods/ must say what it returns"),
    "wrong argument": ("wild: {weight", "wild: {wait", "has no argument 'wait'; did you mean 'weight'"),
    "wrong type": ("weight: 0.5", "weight: much", "expected a number"),
    "null byte": ("VERSION", "\0VERSION", "no Python"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_with_its_place(fault: str, here: Path) -> None:
    old, new, said = FAULTS[fault]
    if new is None:
        (here / "mine/methods" / old).unlink()
    for path in ("mini.yaml", "mine/methods/wild.py"):
        if new is not None:
            write(path, Path(path).read_text().replace(old, new))
    with pytest.raises(SuiteError, match=f"mini.yaml:[0-9]+:[0-9]+: .*{said}"):
        load(Path("mini.yaml"))


@pytest.mark.parametrize("odd", ["FIFO", "Latin-1", "large"])
def test_odd_files_are_named(odd: str, here: Path) -> None:
    path = Path("mine/methods/odd.py")
    if odd == "FIFO":
        os.mkfifo(path)
    else:
        path.write_bytes(b"x = '\xe9'" if odd == "Latin-1" else b"#" * 1_000_001)
    with pytest.raises(SuiteError, match="mine/methods/odd.py"):
        load(Path("mini.yaml"))


def test_a_method_among_networks_is_told_where_it_belongs(here: Path) -> None:
    write("mine/networks/astray.py", METHOD.replace("from .shared import square\n", ""))
    with pytest.raises(SuiteError, match="networks/astray.py: a file whose build .* belongs into methods/"):
        load(Path("mini.yaml"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raise KeyError('mine')", "KeyError: 'mine'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import sys; sys.exit('enough')", "SystemExit: enough"),
        ("import no_such_package", "ModuleNotFoundError"),
    ],
)
def test_an_error_in_it_is_its_own(line: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("mine/methods/wild.py", f"{METHOD}\n{line}\n")
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 2
    assert f"mine/methods/wild.py cannot be imported: {said}" in capsys.readouterr().err


def test_what_it_prints_is_not_in_what_programs_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("mine/methods/wild.py", f"{METHOD}\nprint('hello')\n")
    assert main(["plan", "mini.yaml", "--json"]) == 0
    said = capsys.readouterr()
    assert "hello" in said.err and json.loads(said.out)


def test_its_text_travels(here: Path) -> None:
    """To a worker that has never seen the folder: what runs there is what was hashed here."""
    load_all(["mini.yaml"])
    recipe = cells()["SN-D"].recipe
    sent = json.loads(json.dumps(running.travelling(recipe, cells()["SN-D"].protocol)))
    assert [plug["main"] for plug in sent] == ["methods/wild.py"]
    assert running.travelling(cells()["plain"].recipe, cells()["plain"].protocol) == []
    shutil.rmtree("mine")
    running._known.clear()
    running._trusted.clear()
    name = recipe.parts[0][0]
    del catalogue.plugins("methods")[name]
    with pytest.raises(GanbenchError, match="not implemented"):
        catalogue.plugin("methods", name)
    running.arrived(sent)
    assert catalogue.plugin("methods", name).load().build(weight=0.5).d_penalty
    sent[0]["files"][0][1] += "\nx = 1\n"  # on the way
    running.arrived(sent)
    assert len(running._known) == 2 and name in catalogue.plugins("methods"), "another text has another name"


@pytest.mark.parametrize("word", ["fine", "by its own name", "no file", "no such group"])
def test_plug_ins_of_an_installed_package(word: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = here / "site"
    point = "mygans.methods.nowhere" if word == "no file" else "mygans.methods.wild"
    group = "other.group" if word == "no such group" else "ganbench.methods"
    write("site/mygans-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mygans\nVersion: 1.0\n")
    write("site/mygans-1.0.dist-info/entry_points.txt", f"[{group}]\nwild = {point}\n")
    write("site/mygans/__init__.py", "import os\n")
    shutil.move("mine/methods", "site/mygans/methods")
    if word == "by its own name":
        write("site/mygans/methods/wild.py", METHOD.replace("from .shared", "from mygans.methods.shared"))
    write("mini.yaml", SUITE.replace("./mine", "mygans"))
    monkeypatch.syspath_prepend(str(site))
    said = {
        "by its own name": "imports mygans by its name, which does not travel",
        "no file": "mygans.methods.nowhere is no file",
        "no such group": "package mygans has no entry points in ganbench.methods, ganbench.networks",
    }
    if word in said:
        with pytest.raises(SuiteError, match=said[word]):
            load(Path("mini.yaml"))
        return
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 0
    assert "mygans" not in sys.modules and Path("sprung").exists()
    with pytest.raises(SuiteError, match="no package 'mygan' is installed; did you mean 'mygans'"):
        write("mini.yaml", SUITE.replace("./mine", "mygan"))
        load(Path("mini.yaml"))


@pytest.mark.slow
def test_a_worker_of_ray_runs_what_the_driver_read(here: Path) -> None:
    """A method, a dataset and an extractor."""
    from tests import test_plugins_outside_data as more

    write("mine/datasets/noisy.py", more.DATASET)
    write("mine/datasets/shared.py", more.OFFSET)
    write("mine/extractors/seen.py", more.EXTRACTOR)
    write("mini.yaml", more.SUITE.replace("spectral-norm: {player: D}", "wild: {weight: 0.5}"))
    assert main(["run", "mini.yaml", "--cpus", "1", "--results", "ray"]) == 0
    assert main(["run", "mini.yaml", "--executor", "inline", "--results", "inline"]) == 0
    (one, problems), (other, _) = store.read_all(Path("ray")), store.read_all(Path("inline"))
    assert {r.outcome for r in one} == {r.outcome for r in other} and len(one) == 2 and not problems
