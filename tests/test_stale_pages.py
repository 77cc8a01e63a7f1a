"""A report removes what an earlier one wrote to its folder and it does not, and nothing else, whatever lies there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.collate.judging.join import load_joined
from benchmark.collate.presenting.report import write_reports
from benchmark.collate.presenting.site import pages
from benchmark.collate.presenting.site.folder import LIST, Folder
from benchmark.errors import GanbenchError
from tests.test_collate import full_cells, record_for
from tests.test_decide import write
from tests.test_site import _png


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small suites, ``tiny`` and ``small``, in the working directory."""
    monkeypatch.chdir(tmp_path)
    write(Path("tiny.yaml"))
    Path("small.yaml").write_text(Path("tiny.yaml").read_text().replace("suite: tiny", "suite: small"))


def files(folder: Path = Path("report")) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def report(*suites: str, out: Path = Path("report")) -> None:
    assert main(["report", *(f"{s}.yaml" for s in suites), "--out", str(out)]) == 0


def test_the_folder_is_what_a_fresh_one_would_be(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    report("small", out=Path("fresh"))
    report("tiny", "small")
    assert {"tiny.html", "tiny.md", "tiny.tex", "tiny.csv", "tiny.fields.csv"} <= files().keys()
    capsys.readouterr()
    report("small")
    assert (
        files() == files(Path("fresh"))
        and "file(s) of an earlier report removed from report" in capsys.readouterr().err
    )
    report("small")
    assert files() == files(Path("fresh")) and "earlier" not in capsys.readouterr().err


def test_samples_and_folders_that_become_empty_go_too(two: None, tmp_path: Path) -> None:
    os.chdir(Path(__file__).parents[1])
    record = dataclasses.replace(record_for(full_cells()[0], 0, {"V_g": -0.6}), samples=_png(8, 8))
    write_reports([load_joined(Path("suites/theory.yaml"), [record])], "results", tmp_path / "report", png=True)
    os.chdir(tmp_path)
    assert len(list(Path("report/samples").iterdir())) == 1 and len(list(Path("report/figures").iterdir())) > 1
    report("tiny")
    assert sorted(p.name for p in Path("report").iterdir() if p.is_dir()) == ["cells"]


MINE = (
    "notes.md",
    "old.html",
    "cells/mine.html",
    "figures/mine.png",
    "samples/a.png",
    "sub/tiny.html",
    "data.csv",
    ".git/x.html",
)


def test_what_a_report_did_not_write_stays(two: None) -> None:
    for name in MINE:
        (path := Path("report") / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    Path("report/empty").mkdir()
    report("tiny", "small")
    for name in ("tiny.md", next(n for n in files() if n.startswith("cells/tiny"))):
        Path("report", name).write_text("mine now")  # changed since: no page of ours any more
    report("small")
    report("small", out=Path("fresh"))
    kept = files().keys() - files(Path("fresh")).keys()
    assert kept == {*MINE, "tiny.md", next(n for n in files() if n.startswith("cells/tiny"))}
    assert Path("report/empty").is_dir()
    report("small")
    assert files().keys() - files(Path("fresh")).keys() == kept


@pytest.mark.parametrize(
    "name",
    [
        *("../precious.md", "/tmp/../precious.md", "sub/../../precious.md", "cells/../../precious.md"),
        *("a/b/precious.md", "cells", "precious.txt", ".precious.md", "link.md", "cells/precious.html"),
        *("records/x.json", "precious.md/", "", ".", ".."),
    ],
)
def test_a_list_from_anyone_reaches_no_other_file(name: str, two: None) -> None:
    precious = Path("precious.md")
    precious.write_text("mine")
    there = ("a/b/precious.md", "precious.txt", ".precious.md", "records/x.json")
    for inside in (*(f"report/{name}" for name in there), "elsewhere/precious.html"):
        Path(inside).parent.mkdir(parents=True, exist_ok=True)
        Path(inside).write_text("mine")
    Path("report/link.md").symlink_to(precious.resolve())
    Path("report/cells").symlink_to(Path("elsewhere").resolve())
    digest = hashlib.sha256(b"mine").hexdigest()
    Path("report", LIST).write_text(json.dumps({"files": {name: digest, str(precious.resolve()): digest}}))
    before = files(Path()).keys()
    with Folder(Path("report")) as folder:
        folder.write("new.md", "x")
    assert folder.gone == 0 and files(Path()).keys() - {"report/new.md"} == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"files": 3}',
        b'{"files": ["tiny.md"]}',
        b'{"files": {"tiny.md": 3}}',
        b"[" * 10_000,
        b"\xff",
    ],
)
def test_a_damaged_list_is_none(content: bytes, two: None) -> None:
    report("tiny")
    Path("report", LIST).write_bytes(content)
    report("small")
    assert "tiny.md" in files() and "small.md" in json.loads(Path("report", LIST).read_text())["files"]


def test_a_list_that_is_a_link_is_replaced_and_not_followed(two: None) -> None:
    Path("precious").write_text("mine")
    Path("report").mkdir()
    Path("report", LIST).symlink_to(Path("precious").resolve())
    report("tiny")
    assert Path("precious").read_text() == "mine" and not Path("report", LIST).is_symlink()


def test_a_report_that_fails_half_way_takes_nothing_away_and_is_remembered(
    two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    report("tiny")
    before = files()
    real = pages._Site.cell
    full = OSError(28, "No space left on device")

    def cell(*given: object) -> Path:
        raise full

    monkeypatch.setattr(pages._Site, "cell", cell)
    with pytest.raises(GanbenchError, match="cannot write to report: the disk is full"):
        write_reports([load_joined(Path("small.yaml"), [])], "results", Path("report"))
    assert before.keys() < files().keys()
    monkeypatch.setattr(pages._Site, "cell", real)
    report("tiny")
    assert files() == before
