"""What the command line refuses, in words and with exit code 2, before anything is read, started or trained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.arguments.parser import Parser
from benchmark.cli import main, parser

PARSER = parser()
WHOLE = ["--seeds", "--cpus", "--threads", "--max-parallel", "--until-epoch"]
DECIMALS = ["--gpu-share", "--checkpoint-every"]
TIMES = ["--time-limit", "--budget", "--hung-after"]
NO_NUMBER = [
    "nan",
    "inf",
    "-inf",
    "NaN",
    "1_0",
    "٣",
    "３",
    "",
    " ",
    "3 ",
    "0x10",
    "1,5",
    "three",
    "--5",
    "\x1b[31m",
    "3\n",
]
OUT_OF_BOUNDS = ["9" * 20, "9" * 5000, "-" + "9" * 5000, "-5"]
COMMANDS = [
    "list", "show", "published", "plan", "calibrate", "run", "status",
    "compare", "claims", "report", "merge", "export", "measure", "enter", "diff", "new", "schema", "data", "doctor",
]  # fmt: skip


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said, in one line and in words, with which the process would end before the command begins; below it how
    that command is used, and an example.
    """
    with pytest.raises(SystemExit) as stop:
        PARSER.parse_args(words)
    out, err = capsys.readouterr()
    assert stop.value.code == 2 and not out
    said, usage, example = err.removesuffix("\n").split("\n")
    assert said.isprintable() and len(said) < 300 and "argument" not in said and " value: " not in said
    program = said.partition(":")[0]
    assert usage.startswith(f"usage: {program} ") and usage.endswith(f"  (more: {program} --help)")
    assert f"{example} ".startswith(f"example: {program} ") and len(usage) < 120
    return said


@pytest.mark.parametrize("option", [*WHOLE, *DECIMALS, *TIMES])
@pytest.mark.parametrize("value", [*NO_NUMBER, *OUT_OF_BOUNDS, "-1e3", "1e999", "-5h", "3x"], ids=lambda v: repr(v[:9]))
def test_what_is_no_number_for_an_option_is_said(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(["run", "theory", f"{option}={value}"], capsys)
    assert said.startswith(f"ganbench run: {option}: ") and (" such as " in said or " must be at " in said)


@pytest.mark.parametrize("option", [*WHOLE, "--gpus"])
@pytest.mark.parametrize("value", ["1e3", "3.0", "0"])
def test_a_whole_number_is_written_as_one(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(["plan" if option == "--gpus" else "run", "theory", option, value], capsys)
    assert f"{value!r} is no whole number such as 3" in said or "must be at least 1 and at most" in said


@pytest.mark.parametrize("value", ["gran", "=3", "gran=", "gran=1e3", "gran=1_0", "gran=٣", "gran=nan", "gran=1.5", ""])
def test_what_is_no_priority_is_said(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no priority such as gran=2" in refused(["run", "theory", "--priority", value], capsys)


@pytest.mark.parametrize(
    "value", ["A100:٣", "A100:0", "A100:-1", "A100:1e3", "A100:", f"A100:{'9' * 30}", "A100:1,A100:2", ","]
)
def test_what_is_no_set_of_gpus_is_said(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "theory", "--results", "nowhere", "--gpu", value]) == 2
    said = capsys.readouterr().err
    assert "is no number of devices" in said or "A100 is there twice" in said or "no device ''" in said


@pytest.mark.parametrize(
    ("option", "given", "value"),
    [
        ("seeds", "1000", 1000), ("seeds", "003", 3), ("until-epoch", "200000", 200_000), ("max-parallel", "+4", 4),
        ("cpus", "1", 1), ("gpu-share", "1e-1", 0.1), ("gpu-share", ".5", 0.5), ("checkpoint-every", "0", 0.0),
        ("checkpoint-every", "0.2", 0.2), ("time-limit", "90 min", 5400.0), ("budget", "1e-6", 0.0036),
        ("hung-after", "2d", 172_800.0), ("budget", "3", 10_800.0), ("priority", "a=b=-2", [("a=b", -2)]),
    ],
)  # fmt: skip
def test_what_is_a_number_is_taken(option: str, given: str, value: object) -> None:
    read = getattr(PARSER.parse_args(["run", "theory", f"--{option}", given]), option.replace("-", "_"))
    assert read == (value if option == "priority" else pytest.approx(value))


def test_more_cores_than_there_are_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert PARSER.parse_args(["run", "theory", "--cpus", "4"]).cpus == 4
    assert "10,000 are more than this machine's 4" in refused(["run", "theory", "--cpus", "10000"], capsys)
    assert main(["run", "theory", "--executor", "inline", "--threads", "5"]) == 2
    assert "more than this machine's 4 cores" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--address", "auto", "--executor", "inline"], "leave out --address"),
        (["--address", "auto", "--cpus", "1"], "--cpus is of a Ray that is started here"),
    ],
)
def test_what_contradicts_itself_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "theory", "--results", "nowhere", *words]) == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_may_be_abbreviated(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each option of each command, cut by its last letter: the whole name is in what is said."""
    (commands,) = (a.choices for a in PARSER._actions if a.dest == "command")
    assert set(commands) == set(COMMANDS) and all(type(p) is Parser and not p.allow_abbrev for p in commands.values())
    for option in (o for o in commands[command]._option_string_actions if o.startswith("--")):
        if (cut := option[:-1]) not in commands[command]._option_string_actions:  # as --gpu of plan
            for given in (cut, f"{cut}=3"):
                said = refused([command, given], capsys)
                assert f"there is no option {cut!r}" in said and option in said.partition("did you mean")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "theory", "--seed", "3"], "run: there is no option '--seed'; did you mean --seeds?"),
        (["plan", "--sedes=3", "theory"], "plan: there is no option '--sedes'; did you mean --seeds?"),
        (["run", "theory", "--until", "3"], "did you mean --until-epoch or --until-decided?"),
        (["run", "--seed", "3"], "there is no option '--seed'"),
        (["--verison"], "ganbench: there is no option '--verison'; did you mean --version?"),
        (["reprot", "theory"], "ganbench: there is no command 'reprot'; did you mean 'report'?"),
        (["data", "lst"], "ganbench data: there is no action 'lst'; did you mean 'list'?"),
        (["new", "suit", "x"], "'suit' is none of suite, method, network, extractor, dataset; did you mean 'suite'?"),
        (["run", "ci", "--layout", "contiguous", "--channels-last"], "--channels-last: does not go with --layout"),
        (["run", "theory", "--device", "gpu"], "--device: 'gpu' is none of auto, cpu, cuda; did you mean 'cpu'?"),
        (["show", "a", "b"], "'b' does not belong here"),
        (["run", "theory", "--seeds", "3", "gran"], "'gran' does not belong here"),
        (["run", "theory", "--looked=5"], "--looked: takes no value, and was given '5'"),
        (["run", "theory", "--seeds"], "--seeds: needs a value"),
        (["run", "theory", "--seeds", "--looked"], "--seeds: needs a value"),
        (["run", "theory", "--time-limit", "-5h"], "--time-limit: '-5h' is no time such as"),
        (["run", "theory", "-x"], "there is no option '-x'"), (["run", "theory", "--only=x", "-5"], "no option '-5'"),
        (["run", "theory", "--\x1b[31m"], r"there is no option '--\x1b[31m'"),
        (["run"], "run: needs SUITE"), ([], "ganbench: needs COMMAND"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said_with_the_nearest_name(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(words, capsys)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of everything that is not what it should be."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    Path("dangling").symlink_to("nowhere")
    Path("circle").symlink_to("circle")
    os.mkfifo("pipe")


WITH_RESULTS = [
    ["run", "ci"], ["plan", "ci"], ["show", "x"], ["status"], ["compare", "ci"], ["claims"],
    ["report", "ci"], ["export", "ci"], ["merge", "x"], ["doctor"],
]  # fmt: skip
FOLDERS = [
    *([*words, "--results"] for words in WITH_RESULTS),
    ["run", "ci", "--tensorboard"], ["run", "ci", "--checkpoints"], ["report", "ci", "--out"],
]  # fmt: skip
NEW = [["export", "ci", "--out"], ["data", "stats", "ci", "--export"]]
OLD = [["run", "ci", "--weights"], ["data", "stats", "--import"]]
ODD = {
    "": "is empty",
    " ": "is empty",
    "dangling": "dangling is a link to nothing",
    "pipe": "pipe is neither a file nor a folder",
    "circle": "cannot be used: ",
    "n" * 300: "cannot be used: File name too long",
}
NO_FOLDER = {
    "file": "file is a file; a folder is wanted",
    "file/x": "file is a file; a folder is wanted",
    "dangling/x": "dangling is a link to nothing",
}
NO_FILE = {"folder": "folder is a folder; a file is wanted", "nowhere/x": "nowhere", "file/x": "file"}


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("words", [*FOLDERS, *NEW, *OLD], ids=" ".join)
def test_a_path_of_the_wrong_kind_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for given, said in {**ODD, **(NO_FOLDER if words in FOLDERS else NO_FILE)}.items():
        assert said in refused([*words, given], capsys), given
    assert sorted(os.listdir()) == ["circle", "dangling", "file", "folder", "pipe"]


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("words", [["merge"], ["data", "add", "mnist"]], ids=" ".join)
def test_a_path_that_no_file_can_have_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for given in ("circle", "n" * 300, "folder/" + "n" * 300, "n/" * 4000):
        assert "cannot be used: " in refused([*words, given], capsys)


@pytest.mark.usefixtures("places")
def test_a_path_of_the_right_kind_is_taken() -> None:
    for words in FOLDERS:
        for given in ("folder", "new", "new/below", "folder/../new", str(Path("folder").resolve())):
            PARSER.parse_args([*words, given])
    for words, given in [*((w, g) for w in NEW for g in ("file", "new", "folder/new")), *((w, "file") for w in OLD)]:
        PARSER.parse_args([*words, given])
    assert PARSER.parse_args(["run", "ci", "--checkpoints", "file:///x"]).checkpoints == "file:///x"


@pytest.mark.parametrize("words", [*(w for w in FOLDERS if "--checkpoints" not in w), *NEW, *OLD, ["merge"]])
def test_an_address_is_no_path(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Not a local folder named `s3:`."""
    assert "is an address; a path on this machine is wanted" in refused([*words, "s3://bucket/runs"], capsys)


@pytest.mark.parametrize("given", ["s3://", "://x", "file:///", "://"])
def test_a_url_without_a_place_is_said(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no place such as s3://bucket/runs" in refused(["run", "ci", "--checkpoints", given], capsys)


@pytest.mark.parametrize(
    "words",
    [
        ["run", ""], ["list", ""], ["show", ""], ["merge", ""], ["data", "add", "mnist", ""],
        ["run", "ci", "--address", ""], ["run", "ci", "--profile", ""], ["plan", "ci", "--only", ""],
        ["plan", "ci", "--gpu", " "],
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_empty_word_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "is empty" in refused(words, capsys)


def test_a_file_that_this_user_may_not_read_is_said(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can ask as another user")
    (tmp_path / "weights").touch(mode=0o600)
    code = f"""
import os
from benchmark.cli import parser
p = parser()
os.setgid(65534), os.setuid(65534)
p.parse_args(["run", "ci", "--weights", {str(tmp_path / "weights")!r}])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and any(s in done.stderr for s in ("cannot be read", "closed to this user")), (
        done.stderr
    )
