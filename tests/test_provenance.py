"""Which code ran: the commit only where it is that of the file that runs, and never "unchanged" without having
looked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.collate.presenting.site.facts import provenance as lines_of
from benchmark.records import provenance
from benchmark.records.merge import origin
from benchmark.records.provenance import CODE, HERE, commit_of, package_hash
from benchmark.suite.load import load
from tests.conftest import ROOT
from tests.test_collate import record_for

GIT = [
    "DIR",
    "WORK_TREE",
    "INDEX_FILE",
    "OBJECT_DIRECTORY",
    "ALTERNATE_OBJECT_DIRECTORIES",
    "COMMON_DIR",
    "NAMESPACE",
    "PREFIX",
    "CEILING_DIRECTORIES",
    "REPLACE_REF_BASE",
    "SHALLOW_FILE",
    "GRAFT_FILE",
    "EXEC_PATH",
    "CONFIG",
    "CONFIG_GLOBAL",
    "CONFIG_SYSTEM",
    "CONFIG_PARAMETERS",
    "LITERAL_PATHSPECS",
    "DEFAULT_HASH",
    "ATTR_SOURCE",
]


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv(provenance.COMMIT, raising=False)


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e"]
    return subprocess.run(["git", "-C", folder, *who, *words], capture_output=True, text=True, check=True).stdout


def package(folder: Path) -> Path:
    """A small one."""
    for name in ("__init__.py", HERE, "data/cards.yaml", "collate/site/site.css"):
        path = folder / "benchmark" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return folder / "benchmark"


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one", "--allow-empty")
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def checkout(tmp_path: Path) -> tuple[Path, str]:
    """A repository's package, and its commit."""
    place = tmp_path / "checkout"
    found = package(place)
    git(tmp_path, "init", "-q", str(place))
    return found, commit(place)


def other(tmp_path: Path) -> Path:
    """Another project."""
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "-q")
    (tmp_path / "other/readme").write_text("another project")
    commit(tmp_path / "other")
    return tmp_path / "other"


def test_a_checkout_says_its_commit(checkout: tuple[Path, str]) -> None:
    folder, sha = checkout
    assert commit_of(folder) == sha
    (folder.parent / "notes.py").write_text("")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/x.cpython-311.pyc").write_text("")
    (folder / "notes.txt").write_text("")
    assert commit_of(folder) == sha, "what is no code of the package makes no difference"
    git(folder, "worktree", "add", "-q", "../../worktree")
    assert commit_of(folder.parents[1] / "worktree/benchmark") == sha


def test_this_repositorys_own_word() -> None:
    """Where these tests run in a checkout."""
    found = commit_of(ROOT / "benchmark")
    if not found:
        pytest.skip("not in a checkout")
    assert found.removesuffix("+changes") == git(ROOT, "rev-parse", "HEAD").strip()


EDITS: dict[str, Callable[[Path], object]] = {
    "an edit": lambda p: (p / "__init__.py").write_text("changed\n"),
    "data": lambda p: (p / "data/cards.yaml").write_text("changed\n"),
    "a new file": lambda p: (p / "new.py").write_text(""),
    "a compiled one": lambda p: (p / f"new{next(s for s in CODE if s.endswith('.so'))}").write_text(""),
    "a file less": lambda p: (p / "__init__.py").unlink(),
    "staged": lambda p: ((p / "new.py").write_text(""), git(p, "add", ".")),
    "ignored": lambda p: ((p / "new.py").write_text(""), (p.parent / ".git/info/exclude").write_text("new.py\n")),
    "untracked not shown": lambda p: (
        (p / "new.py").write_text(""),
        git(p, "config", "status.showUntrackedFiles", "no"),
    ),
    "assumed unchanged": lambda p: (
        git(p, "update-index", "--assume-unchanged", "__init__.py"),
        (p / "__init__.py").write_text(""),
    ),
    "left out of the checkout": lambda p: (
        git(p, "update-index", "--skip-worktree", "__init__.py"),
        (p / "__init__.py").write_text(""),
    ),
    "of the same size and time": lambda p: same_time(p / "__init__.py"),
    "with a damaged index": lambda p: (
        (p / "__init__.py").write_text(""),
        (p.parent / ".git/index").write_bytes(b"DIRC" + b"\xff" * 99),
    ),
    "without an index": lambda p: ((p / "__init__.py").write_text(""), (p.parent / ".git/index").unlink()),
}


def same_time(path: Path) -> None:
    git(path.parent, "status")
    before = path.stat()
    path.write_text(path.read_text().replace("init", "INIT"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", EDITS)
def test_changed_code_is_never_the_commits(name: str, checkout: tuple[Path, str]) -> None:
    folder, sha = checkout
    before = package_hash(folder)
    EDITS[name](folder)
    assert commit_of(folder) == f"{sha}+changes" and package_hash(folder) != before


def test_no_variable_of_gits_has_a_say(
    checkout: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sha = checkout
    place = other(tmp_path)
    values = {"DIR": f"{place}/.git", "COMMON_DIR": f"{place}/.git", "WORK_TREE": str(place)}
    values |= {"INDEX_FILE": f"{place}/.git/index", "OBJECT_DIRECTORY": f"{place}/.git/objects"}
    for name in GIT:
        monkeypatch.setenv(f"GIT_{name}", values.get(name, str(place / "nowhere")))
    for name, value in (("COUNT", "1"), ("KEY_0", "core.worktree"), ("VALUE_0", str(place))):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    for name in ("TRACE", "TRACE_SETUP", "TRACE2"):
        monkeypatch.setenv(f"GIT_{name}", str(tmp_path / "traced"))
    assert commit_of(folder) == sha and not (tmp_path / "traced").exists()
    (folder / "__init__.py").write_text("changed")
    assert commit_of(folder) == f"{sha}+changes"


@pytest.mark.parametrize("place", ["venv/lib/site-packages", "vendor/ganbench", "."])
@pytest.mark.parametrize("tracked", [True, False])
def test_a_package_in_another_project_is_not_that_projects(place: str, tracked: bool, tmp_path: Path) -> None:
    project = other(tmp_path)
    folder = package(project / place)
    if tracked:
        sha = commit(project)
        assert commit_of(folder) == (sha if place == "." else ""), "at the top, the commit has the very files"
    else:
        assert commit_of(folder) == ""


def _sleepy(script: str) -> Callable[[Path, Path], object]:
    """A git that fails for one of its commands."""

    def put(folder: Path, bin_: Path) -> None:
        real = shutil.which("git")
        (bin_ / "git").write_text(f'#!/bin/sh\ncase "$*" in {script} esac\nexec {real} "$@"\n')
        (bin_ / "git").chmod(0o755)

    return put


SILENT: dict[str, Callable[[Path, Path], object]] = {
    "no git": lambda p, b: os.environ.__setitem__("PATH", str(b)),
    "too slow at once": _sleepy("*rev-parse*) sleep 5;;"),
    "too slow for the files": _sleepy("*ls-tree*) sleep 5;;"),
    "failing for the files": _sleepy("*ls-tree*) exit 128;;"),
    "talking nonsense": _sleepy("*rev-parse*) echo yes; exit 0;;"),
    "no commit yet": lambda p, b: (shutil.rmtree(p.parent / ".git"), git(p.parent, "init", "-q")),
    "a damaged repository": lambda p, b: (p.parent / ".git/HEAD").write_text("nonsense"),
    "a lost tree": lambda p, b: [
        path.unlink()
        for path in (p.parent / ".git/objects").glob("??/*")
        if git(p, "cat-file", "-t", path.parent.name + path.name) == "tree\n"
    ],
    "another worktree": lambda p, b: git(p, "config", "core.worktree", str(b)),
    "no file of git's": lambda p, b: shutil.rmtree(p.parent / ".git"),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_git_does_not_say_is_unknown(
    name: str, checkout: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(provenance, "GIT_S", 0.3)
    SILENT[name](checkout[0], tmp_path / "bin")
    assert commit_of(checkout[0]) == ""


def test_a_repository_of_somebody_else_is_not_believed(checkout: tuple[Path, str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to give files away")
    for path in (checkout[0].parent, *checkout[0].parent.rglob("*")):
        os.chown(path, 65534, 65534)
    assert commit_of(checkout[0]) == ""


def test_an_installed_package_is_known_by_its_version_and_content(tmp_path: Path) -> None:
    """In an environment inside another project, whose commit it is not."""
    site = other(tmp_path) / "venv/lib/python3/site-packages"
    shutil.copytree(ROOT / "benchmark", site / "benchmark", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "benchmark/methods/gn.py").write_text("altered")
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import json; from benchmark.records.provenance import "
        "code_version; print(json.dumps(code_version()))"
    )
    said = {}
    for name, more in (("plain", {}), ("told", {provenance.COMMIT: "f" * 40})):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], env=os.environ | more, capture_output=True, text=True, check=True
        )
        said[name] = json.loads(done.stdout)
    assert said["plain"] == provenance._own_version() | {
        "commit": "unknown",
        "package": package_hash(site / "benchmark"),
    }
    assert said["plain"]["package"] != package_hash(ROOT / "benchmark") and said["told"]["commit"] == "f" * 40


def test_the_hash_of_a_package_is_of_its_content_alone(tmp_path: Path) -> None:
    one, two = package(tmp_path / "one"), package(tmp_path / "elsewhere/two")
    assert package_hash(one) == package_hash(two)
    (two / "data/cards.yaml").rename(two / "data/card.yaml")
    assert package_hash(one) != package_hash(two)


def test_every_file_that_the_package_comes_with_is_looked_at() -> None:
    tracked = {*git(ROOT, "ls-files", "benchmark").split()} - {"benchmark/suites"}  # a link to what papers say
    assert tracked and all(name.endswith((*CODE, "/py.typed")) for name in tracked)


@pytest.mark.parametrize(
    ("stretch", "words"),
    [
        ({"commit": "a" * 40, "package": "b" * 64, "ganbench": "1"}, "a" * 12),
        ({"commit": "a" * 40 + "+changes"}, "a" * 12 + "+changes"),
        (
            {"commit": "a" * 40 + "+changes", "package": "b" * 64, "ganbench": "1"},
            f"{'a' * 12}+changes (ganbench 1, package {'b' * 12})",
        ),
        ({"commit": "unknown", "package": "b" * 64, "ganbench": "1"}, f"unknown (ganbench 1, package {'b' * 12})"),
        ({"commit": None}, "unknown"),
        ({"commit": 7, "package": ["x"]}, "7"),
    ],
)
def test_the_code_of_a_stretch_in_words(stretch: dict[str, object], words: str) -> None:
    assert provenance.which_code(stretch) == words
    record = record_for(load(Path("suites/theory.yaml")).cells[0], 0, {"V_g": -0.657})
    record.provenance["segments"] = [stretch]
    assert words in origin(record) and words in "\n".join(lines_of(record))


@pytest.mark.parametrize("name", GIT)
def test_no_variable_of_gits_has_a_say_by_itself(
    name: str, checkout: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sha = checkout
    place = other(tmp_path)
    values = {"DIR": f"{place}/.git", "COMMON_DIR": f"{place}/.git", "INDEX_FILE": f"{place}/.git/index"}
    monkeypatch.setenv(f"GIT_{name}", values.get(name, str(place)))
    found = commit_of(folder)
    (folder / "__init__.py").write_text("changed")
    assert (found, commit_of(folder)) == (sha, f"{sha}+changes")


def test_a_hook_that_says_nothing_changed_is_not_asked(checkout: tuple[Path, str], tmp_path: Path) -> None:
    folder, sha = checkout
    hook = tmp_path / "hook"
    hook.write_text('#!/bin/sh\nprintf "token\\0"\n')
    hook.chmod(0o755)
    git(folder, "config", "core.fsmonitor", str(hook))
    git(folder, "config", "core.fsmonitorHookVersion", "2")
    git(folder, "update-index", "--fsmonitor")
    for _ in range(2):  # git notes what is unchanged, and asks the hook only from then on
        git(folder, "status")
    (folder / "__init__.py").write_text("changed")
    assert not git(folder, "status", "--porcelain"), "else this test is of no use"
    assert commit_of(folder) == f"{sha}+changes"


def test_an_environment_that_its_project_ignores_is_not_that_projects(tmp_path: Path) -> None:
    """Where git finds nothing changed, whatever was altered in it."""
    project = other(tmp_path)
    (project / ".gitignore").write_text("venv\n")
    commit(project)
    folder = package(project / "venv/lib/site-packages")
    assert not git(project, "status", "--porcelain") and commit_of(folder) == ""
