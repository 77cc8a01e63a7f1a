"""``sys.exit`` in code of others: its run fails, by name and line; the others go on; exit code 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.errors import UNSAID, GanbenchError
from benchmark.outside.exits import failure
from benchmark.records import store
from tests.conftest import ROOT
from tests.test_plugins_outside import METHOD, SHARED, SUITE, _as_before, write  # noqa: F401  (an autouse fixture)
from tests.test_plugins_outside_data import DATASET, OFFSET

EXIT = "import sys; sys.exit(0)"
PANIC = "raise type('Panic', (BaseException,), {})('out of bounds')"  # as that of a library in Rust
MUTE = "raise type('Odd', (Exception,), {'__str__': lambda one: 1 / 0})"
CANCELLED = "import asyncio; raise asyncio.CancelledError"
PART, NETWORK, SET = "mine/methods/wild.py", "mine/networks/my_mlp.py", "mine/datasets/noisy.py"
TEXTS = {
    PART: METHOD,
    NETWORK: (ROOT / "benchmark/networks/mlp.py").read_text(encoding="utf-8"),
    SET: DATASET,
    "mine/methods/shared.py": SHARED,
    "mine/datasets/shared.py": OFFSET,
}
ROWS = {
    PART: "parts: [wild: {weight: 0.5}]",
    NETWORK: "network: {name: my-mlp, width: 0.1, bn_eps: 0.8}",
    SET: "dataset: noisy",
}
BUILT = "    part = Part()\n"
FIRST = "        self.image_shape = image_shape\n"  # of G's
FORWARD = "        return self.layers(z)"
PLACES = {
    "a part's build": (PART, BUILT, f"    {EXIT}\n{BUILT}"),
    "D's penalty": (PART, "weight * square", "exit() or square"),
    "G's penalty": (PART, BUILT, BUILT + "    part.g_penalty = lambda moment: os.sys.exit()\n"),
    "after a step": (PART, BUILT, BUILT + "    part.after_d = lambda moment: os.sys.exit('enough')\n"),
    "a network's build": (NETWORK, FIRST, f"{FIRST}        raise SystemExit(0)\n"),
    "a network in a step": (NETWORK, FORWARD, f"        {EXIT}\n{FORWARD}"),
    "a dataset": (SET, "    rng = ", f"    {EXIT}\n    rng = "),
    "a part's build panics": (PART, BUILT, f"    {PANIC}\n{BUILT}"),
    "a network in a step is cancelled": (NETWORK, FORWARD, f"        {CANCELLED}\n{FORWARD}"),
    "a dataset panics": (SET, "    rng = ", f"    {PANIC}\n    rng = "),
    "a dataset cannot say why": (SET, "    rng = ", f"    {MUTE}\n    rng = "),
}
REFUSED = {
    "a network lacks a key": (NETWORK, FORWARD, f"        {{}}['mine']\n{FORWARD}"),
    "a part's build divides by zero": (PART, BUILT, f"    1 / 0\n{BUILT}"),
    "a part's build cannot say why": (PART, BUILT, f"    {MUTE}\n{BUILT}"),
    "a network in a step cannot say why": (NETWORK, FORWARD, f"        {MUTE}\n{FORWARD}"),
}


@pytest.fixture
def line(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A suite of two rows, of which one has code that exits; the file and line in which it does."""
    monkeypatch.chdir(tmp_path)
    path, old, new = (PLACES | REFUSED)[request.param]
    for name, text in TEXTS.items():
        write(name, text)
    assert TEXTS[path].count(old) >= 1
    write(path, TEXTS[path].replace(old, new, 1))
    write("mini.yaml", SUITE.replace(ROWS[PART], ROWS[path]))
    if MUTE in new:
        return f"Odd: {UNSAID}"
    if "{}['mine']" in new:
        return "KeyError: 'mine'"
    if "1 / 0" in new:
        return "ZeroDivisionError: division by zero"
    lines = Path(path).read_text().splitlines()
    kind = "Panic" if PANIC in new else "CancelledError" if CANCELLED in new else "SystemExit"
    ways = ("exit(", "raise SystemExit", PANIC, CANCELLED)
    found = next(n for n, text in enumerate(lines, 1) if any(way in text for way in ways))
    return f"{path}:{found} ends the process ({kind}:"


@pytest.mark.parametrize("line", PLACES, indirect=True)
def test_its_run_fails_and_the_others_go_on(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 1
    printed = " ".join(capsys.readouterr().err.split())
    assert "mini/1/SN-D" in printed and line in printed and "1 done, 1 failed" in printed, printed
    (record,), problems = store.read_all(Path("results"))
    assert "plain" in record.cell and not problems


@pytest.mark.parametrize("line", ["a part's build", "a network in a step", "a part's build panics"], indirect=True)
def test_a_plan_says_it(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["plan", "mini.yaml"], ["list", "--check", "mini.yaml"]):
        assert main(words) == 2
        assert line in " ".join("".join(capsys.readouterr()).split())


@pytest.mark.parametrize("line", REFUSED, indirect=True)
def test_other_errors_in_building_refuse_the_recipe(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["run", "mini.yaml"], ["plan", "mini.yaml"], ["list", "--check", "mini.yaml"]):
        assert main(words) == 2
        assert re.search(rf"(built|pixels): {re.escape(line)}", _printed(capsys))


def _printed(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join("".join(capsys.readouterr()).split())


def test_so_does_any_other_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("benchmark.commands.machine.doctor", lambda _: exit())
    assert main(["doctor"]) == 1
    assert "code from outside ends the process (SystemExit: None)" in capsys.readouterr().err


def test_so_does_a_panic(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def panic(_: object) -> int:
        raise BaseException("out of bounds")

    monkeypatch.setattr("benchmark.commands.machine.doctor", panic)
    assert main(["doctor"]) == 1
    assert "code from outside ends the process (BaseException: out of bounds)" in capsys.readouterr().err


def test_ctrl_c_is_no_failure_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **more: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("benchmark.train.run.run", interrupted)
    write("mini.yaml", SUITE)
    for name, text in TEXTS.items():
        write(name, text)
    assert main(["run", "mini.yaml", "--executor", "inline"]) == 130


def test_a_worker_of_ray_that_gets_sigterm_leaves() -> None:
    """Ray raises SystemExit in it, from a module of its own; the run is then started again elsewhere."""
    for module, expected in (("ray._private.worker", SystemExit), ("ganbench_outside.p1", GanbenchError)):
        with pytest.raises(expected):
            try:
                exec("raise SystemExit(1)", {"__name__": module})
            except SystemExit as error:
                raise failure(error) from None
