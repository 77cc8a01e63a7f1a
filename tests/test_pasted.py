"""Every command that is printed does what it says when it is pasted, whatever suite, cells and folders are called."""

from __future__ import annotations

import json
import os
import re
import subprocess
from argparse import Namespace
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from benchmark.cli import main, parser
from benchmark.data.cards import card
from benchmark.data.shapes import render
from benchmark.data.streams import stream
from benchmark.errors import GanbenchError
from benchmark.plan.plan import make_plan
from benchmark.process.shell import command, without
from benchmark.records import failures
from benchmark.records.store import read_all
from benchmark.schedule import inline
from benchmark.schedule.again import again
from benchmark.schedule.endings import _rescue
from benchmark.suite.filter import Filter
from benchmark.suite.find import called
from benchmark.suite.load import load
from benchmark.suite.rerun import rerun
from tests.test_collate import full_cells, record_for
from tests.test_decide import write

METHODS = [
    "plain",
    "two  spaces",
    " ends ",
    "it's",
    'a "b"',
    "both ' and \"",
    "$HOME `id` !x",
    "a & b | (c)",
    "-x",
    "--only",
    "back\\slash",
    "ß†日本",
    "no\u00a0break",
    "zero\u200bwidth",
    "line\nbreak",
    "tab\there",
    "''",
    '""',
    "*",
    "~",
    "#",
    "1e0",
]
"""Each in a table of its own: such a file is a fair suite."""


def words_of(line: str) -> list[str]:
    """What bash makes of a line."""
    done = subprocess.run(
        ["bash", "-c", f"ganbench() {{ printf '%s\\0' \"$@\"; }}; {line}"],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": "/nowhere"},
    )
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


def parsed(line: str) -> Namespace:
    """What the command line makes of it; fails where it exits with 2."""
    assert line.isprintable()
    return parser().parse_args(words_of(line))


def suite_at(path: Path, method: str = "A") -> Path:
    """The two-row suite of ``test_decide``, with another name for its first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    path.write_text(path.read_text().replace("A: {recipe", f"{json.dumps(method, ensure_ascii=True)}: {{recipe"))
    return path


@pytest.mark.parametrize("method", METHODS)
def test_a_cell_of_any_name_is_chosen_by_its_command_and_no_other_is(method: str, tmp_path: Path) -> None:
    suite = load(suite_at(tmp_path / "tiny.yaml", method))
    for cell in suite.cells:
        run = make_plan([cell], [3], {}).runs[0]
        for line in (
            rerun(cell, 3, "my results"),
            again(["run", str(suite.path), "--seeds", "3", "--results", "my results"], run),
            again(["run", "--seeds", "3", "--results=my results", "--", str(suite.path)], run),
            again((), run, Path("my results")),
        ):
            a = parsed(line)
            assert (a.suites, a.results) == ([str(suite.path)], Path("my results")) and a.seeds in (3, 4)
            assert [c.id for c in suite.cells if Filter(a.only)(c)] == [cell.id]


@pytest.mark.parametrize("given", ["--until-decided --budget 1h", "--until-decided --budget=1h --only=table=1"])
def test_a_run_that_was_added_by_a_look_is_made_again_as_such(given: str, tmp_path: Path) -> None:
    cell = load(suite_at(tmp_path / "tiny.yaml")).cells[0]
    a = parsed(
        again(["run", "tiny.yaml", *given.split(), "--threads", "2"], make_plan([cell], [4], {}, fixed=False).runs[0])
    )
    assert (a.until_decided, a.budget, a.seeds, a.looked, a.threads) == (False, None, 5, True, 2)
    assert Filter(a.only)(cell)


@pytest.mark.parametrize("share", [12.5, 33.333333333, 1 / 3, 100.0])
def test_a_share_of_the_data_is_chosen_to_the_last_digit(share: float, tmp_path: Path) -> None:
    path = suite_at(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace("data_percent: 100, images: 64", f"data_percent: {share!r}"))
    cells = load(path).cells
    assert [c.id for c in cells if Filter(parsed(rerun(cells[0], 1, "results")).only)(c)] == [cells[0].id]


@pytest.mark.parametrize(
    "file",
    [
        "tiny.yaml",
        "./tiny.yaml",
        "../tiny.yaml",
        "a b/tiny.yaml",
        "-x.yaml",
        "it's/tiny.yaml",
        "$x/tiny.yaml",
        "ü/tiny.yaml",
        "~/tiny.yaml",
        "no\u00a0break.yaml",
        "tiny",
        "suites/other.yaml",
    ],
)
@pytest.mark.parametrize("results", ["results", "-r", "my results", "../r"])
def test_suite_and_results_are_named_so_that_they_are_found(
    file: str, results: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = suite_at(Path(file))
    a = parsed(rerun(load(path).cells[0], 1, results))
    assert Path(a.suites[0]).samefile(path) and len(a.suites) == 1 and a.results == Path(results)
    assert [s.name for s in map(load, map(Path, a.suites))] == ["tiny"]


def test_a_suite_goes_by_its_name_where_that_finds_it_and_only_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ours, other = suite_at(Path("suites/tiny.yaml")), suite_at(Path("elsewhere/tiny.yaml"))
    assert called("tiny", ours) == called("tiny", ours.resolve()) == "tiny"
    assert called("tiny", other) == "elsewhere/tiny.yaml" and called("other", ours) == "suites/tiny.yaml"
    Path("tiny").mkdir()  # a folder of that name comes first where suites are named
    assert called("tiny", ours) == "suites/tiny.yaml"


@pytest.fixture
def failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """A row of a suite in another folder has failed, its name and the folders' being awkward; what ``run`` said."""
    monkeypatch.chdir(tmp_path)
    suite_at(Path("my suites/it's.yaml"), "$A 'q' \"p\"")
    pick = Path("my suites/pick.yaml")
    pick.write_text("suite: pick\ninclude: [{suite: it's, profile: reduced}]\n")
    real = inline.execute
    monkeypatch.setattr(
        inline, "execute", lambda job, tick, about: 1 / 0 if "$A" in job.name else real(job, tick, about)
    )
    assert main(["run", str(pick), "--results", "my results", "--executor", "inline", "--device", "cpu"]) == 1
    monkeypatch.setattr(inline, "execute", real)
    return capsys.readouterr().err


@pytest.mark.parametrize("where", ["run", "compare", "site", "show"])
def test_a_printed_command_makes_the_failed_run_again(
    where: str, failed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = ["my suites/pick.yaml", "--results", "my results"]
    if where == "run":
        line = failed.split("again: ")[1].splitlines()[0]
    elif where == "compare":
        assert main(["compare", *about, "--format", "json"]) == 0
        whys = [row["why"] for row in json.loads(capsys.readouterr().out) if row["verdict"] == "failed"]
        (line,) = {why.split("to run it again: ")[1] for why in whys}
    elif where == "site":
        assert main(["report", *about]) == 0
        page = next(p.read_text() for p in Path("report/cells").iterdir() if "-a-q-p-" in p.name)
        line = unescape(re.search(r'<pre class="command"><code>(.*?)</code></pre>', page)[1])
        assert f"to run it again: {line}" in unescape(page)
    else:
        Path("suites").symlink_to("my suites")
        Path("suites/tiny.yaml").symlink_to("it's.yaml")
        assert main(["show", "tiny/1/$A 'q' \"p\"/shapes", "--profile", "reduced", "--results", "my results"]) == 0
        line = capsys.readouterr().out.split("to run it again: ")[1].splitlines()[0].removesuffix(")")
    assert len(failures.read_all(Path("my results"))) == 1
    more = [] if "--executor" in line else ["--executor", "inline", "--device", "cpu"]
    assert main([*words_of(line), *more]) == 0
    assert not failures.read_all(Path("my results"))
    assert sorted(r.cell for r in read_all(Path("my results"))[0]) == ["tiny/1/$A 'q' \"p\"/shapes", "tiny/1/B/shapes"]


@pytest.mark.parametrize(
    ("words", "code", "before"),
    [
        (["run", "--until-decided", "--budget", "1h"], 0, "for their first seed: "),
        (["run", "--until-decided", "--budget=1h", "--seeds", "2"], 2, "for a first seed of each cell: "),
        (["run", "--until-decided", "--budget", "1h", "--until-epoch=2"], 2, "for a first seed of each cell: "),
        (["run", "--only", "table=9"], 2, "leaves no cell; see: "),
        (["plan", "--only", "table=9"], 2, "leaves no cell; see: "),
        (["run", "--until-decided", "--budget", "1h", "--only", "table=9"], 2, "leaves no cell; see: "),
        (["run", "--seeds", "4", "--only", "method~a"], 0, "and 1 more; see: "),
    ],
)
def test_what_a_message_advises_can_be_pasted(
    words: list[str],
    code: int,
    before: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *more = words
    more = [str(suite_at(Path("my suites/tiny.yaml"))), "--profile", "reduced", "--results", "my results", *more]
    if before.startswith("and"):
        main(["run", *more, "--executor", "inline", "--device", "cpu"])
    capsys.readouterr()
    assert main([name, *more]) == code
    line = re.search(re.escape(before) + r"(ganbench .*?)\)?$", capsys.readouterr().err, re.MULTILINE)[1]
    a = parsed(line)
    assert (a.suites, a.profile) == (["my suites/tiny.yaml"], "reduced")
    assert a.command == "list" or a.results == Path("my results")
    if a.command == "run":
        assert a.seeds == 1 and not a.until_decided and a.budget is None and a.until_epoch is None
    else:
        assert main(words_of(line)) == 0


def test_words_of_a_command_line_are_left_out_with_their_values() -> None:
    options = {"--only": True, "--until-decided": False}
    given = ["run", "a", "--only", "x", "--only=y", "--until-decided", "--seeds", "3", "--", "--only"]
    assert without(given, options) == ["run", "a", "--seeds", "3", "--", "--only"]


@pytest.mark.parametrize("word", [*METHODS, "", "\udcff.yaml", "\x1b[2J", "\U000e0001"])
def test_any_word_survives_a_shell(word: str) -> None:
    assert words_of(command(word, "end")) == [word, "end"] and command(word).isprintable()


def test_a_record_that_found_no_room_is_taken_over_by_the_printed_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_for(full_cells()[0], 0, {"V_g": -0.6})
    run = make_plan(full_cells()[:1], [0], {}).runs[0]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "it's tmp"))
    (tmp_path / "it's tmp").mkdir()
    line = _rescue(record, Path("-my results"), run).split("run: ")[1]
    assert main(words_of(line)) == 0 and [r.name for r in read_all(Path("-my results"))[0]] == [record.name]


def test_a_dataset_that_has_changed_is_added_again_by_the_printed_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tmp_path / "my images" / "it's"
    images.mkdir(parents=True)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    pixels, _ = render("train", 64, 10, 256, 3)
    for i, picture in enumerate(pixels):
        Image.fromarray(picture.transpose(1, 2, 0)).save(images / f"{i}.png")
    assert main(["data", "add", "shells", str(images)]) == 0
    (images / "0.png").rename(images / "renamed.png")
    with pytest.raises(GanbenchError, match="were added, taken away or renamed") as error:
        stream(card("shells"), "train").open()
    assert main(words_of(str(error.value).split("run: ")[1])) == 0
    stream(card("shells"), "train").open()
