"""Two suite files with one name are refused by every command that takes several; one file named twice is one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.judging.join import load_joined
from benchmark.collate.presenting.report import write_reports
from benchmark.errors import GanbenchError
from benchmark.suite.load import load, load_all
from benchmark.suite.nodes import SuiteError
from tests.test_decide import write

COMBINED = (
    "list",
    "list --check",
    "list --json",
    "published",
    "plan",
    "plan --json",
    "run",
    "compare",
    "claims",
    "claims --published-only",
    "report",
    "export",
    "data stats",
)


@pytest.fixture
def twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two files in two folders, both of a suite called ``tiny``, with other published numbers."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(name).mkdir()
    return write(Path("a/tiny.yaml"), a=1.0), write(Path("b/other.yaml"), a=2.0)


@pytest.mark.parametrize("command", COMBINED)
def test_two_files_with_one_name_are_refused_with_both_paths(
    command: str, twins: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = command.split(" ")
    before = sorted(Path().rglob("*"))
    assert main([name, *(w for w in more if w == "stats"), *map(str, twins), *(w for w in more if w != "stats")]) == 2
    said = capsys.readouterr()
    assert "two suites are called 'tiny': a/tiny.yaml and b/other.yaml" in said.err and not said.out
    assert sorted(Path().rglob("*")) == before, "nothing is written"


@pytest.mark.parametrize(
    "names",
    [
        ["a/tiny.yaml", "a/tiny.yaml"],
        ["a/tiny.yaml", "./a/../a/tiny.yaml"],
        ["a", "a/tiny.yaml"],
        ["a/tiny.yaml", "a"],
        ["a", "a/"],
        ["a/tiny.yaml", "link.yaml"],
        ["link", "a"],
        ["hard.yaml", "a"],
        ["a/pick.yaml", "a"],
    ],
)
def test_a_file_named_twice_is_one_suite(names: list[str], twins: tuple[Path, Path]) -> None:
    os.symlink("a/tiny.yaml", "link.yaml")
    os.symlink("a", "link")
    os.link("a/tiny.yaml", "hard.yaml")
    if "a/pick.yaml" in names:
        Path("a/pick.yaml").write_text("suite: pick\ninclude: [{suite: tiny}]\n")
    found = load_all(names)
    assert [s.name for s in found] == (["pick", "tiny"] if "a/pick.yaml" in names else ["tiny"])
    assert str(found[0].path) == names[0] or Path(names[0]).is_dir()


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"c/one.yaml": "tiny", "c/two.yaml": "tiny"}, ["c"]),  # a folder with two
        ({"c/one.yaml": "tiny"}, ["a", "c"]),  # two folders
        ({"c/one.yaml": "tiny"}, ["a/tiny.yaml", "c"]),
        ({"c/pick.yaml": ["one"], "c/one.yaml": "tiny"}, ["c/pick.yaml", "a"]),  # one of them included
        ({"c/pick.yaml": ["one"], "c/one.yaml": "x", "a/pick.yaml": ["tiny"]}, ["c/pick.yaml", "a/pick.yaml"]),
    ],
)
def test_namesakes_are_found_wherever_they_hide(
    files: dict[str, str | list[str]], names: list[str], twins: tuple[Path, Path]
) -> None:
    Path("c").mkdir()
    for name, content in files.items():
        _lay(Path(name), content)
    with pytest.raises(SuiteError, match="two suites are called '(tiny|pick)'") as error:
        load_all(names)
    assert len(set(re.findall(r"[\w/]+\.yaml", str(error.value)))) == 2 and error.value.exit_code == 2


@pytest.mark.parametrize(
    ("pick", "include"), [("pick", ["one", "two"]), ("tiny", ["one"])], ids=["two included", "its own and an included"]
)
def test_a_selection_may_not_hold_namesakes(pick: str, include: list[str], twins: tuple[Path, Path]) -> None:
    for name in ("one", "two"):
        _lay(Path(f"a/{name}.yaml"), "tiny")
    Path("a/two.yaml").write_text(Path("a/two.yaml").read_text().replace('  "1":', '  "2":'))
    _lay(Path("a/pick.yaml"), include, pick)
    with pytest.raises(SuiteError, match=r"a/pick.yaml:2:\d+: two suites are called 'tiny'"):
        load(Path("a/pick.yaml"))


@pytest.mark.parametrize("name", ["index", "claims", "cells"])
def test_a_suite_may_not_have_the_name_of_a_page(name: str, twins: tuple[Path, Path]) -> None:
    path = Path("a/tiny.yaml")
    path.write_text(path.read_text().replace("suite: tiny", f"suite: {name}"))
    with pytest.raises(SuiteError, match=rf"a/tiny.yaml:1:8: a suite cannot be called '{name}'"):
        load(path)


def test_a_notebook_is_refused_too(twins: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(GanbenchError, match="two suites are called 'tiny'"):
        write_reports([load_joined(path, []) for path in twins], "results", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _lay(path: Path, content: str | list[str], name: str = "") -> None:
    """A paper's suite of the name ``content``, or a selection from those files."""
    if isinstance(content, str):
        text = write(path).read_text().replace("suite: tiny", f"suite: {content}", 1)
    else:
        text = f"suite: {name or path.stem}\ninclude: [{', '.join(f'{{suite: {n}}}' for n in content)}]\n"
    path.write_text(text)
