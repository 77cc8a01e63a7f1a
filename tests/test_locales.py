"""Names and texts that the locale cannot spell: nothing that is read, written or printed fails by them."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_decide import SUITE

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
MADE = {"latin-1": ("en_US", "ISO-8859-1"), "euc-jp": ("ja_JP", "EUC-JP")}


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with locales of other encodings, made here: few machines have them."""
    folder = tmp_path_factory.mktemp("locales")
    for language, charset in MADE.values() if shutil.which("localedef") else ():
        subprocess.run(["localedef", "-i", language, "-f", charset, folder / f"{language}.{charset}"], check=False)
    return folder


def environment(kind: str, locales: Path, **more: str) -> dict[str, str]:
    """A process's, under another encoding; the test is skipped where there is no such locale."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO", "PYTHONUTF8"))}
    if kind == "ascii":
        return kept | ASCII | more
    if kind == "a stream of ascii":
        return kept | {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii:strict"} | more
    name = ".".join(MADE[kind])
    if not (locales / name).exists():
        pytest.skip(f"localedef does not make {name} here")
    return kept | {"LOCPATH": str(locales), "LC_ALL": name, "PYTHONUTF8": "0"} | more


def ganbench(*words: str, env: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-m", "benchmark", *words]
    done = subprocess.run(program, capture_output=True, cwd=cwd, env=env | {"PYTHONPATH": str(ROOT)})
    assert b"unexpected" not in done.stderr and b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    return done


@pytest.mark.parametrize("kind", ["latin-1", "a stream of ascii"])
def test_what_programs_read_is_the_same_under_every_locale(kind: str, locales: Path) -> None:
    said = ganbench("published", "gran", env=environment(kind, locales)).stdout.decode("utf-8")
    assert {"NSGAN-GP†", "SNGAN†"} <= {row["method"] for row in csv.DictReader(io.StringIO(said))}


@pytest.mark.parametrize("kind", ["ascii", "euc-jp"])
def test_a_name_on_the_command_line_is_the_one_in_the_suite(kind: str, locales: Path) -> None:
    shown = ganbench("show", "gran/2/SNGAN†/cifar10", env=environment(kind, locales))
    assert shown.returncode == 0 and b"gran/2/SNGAN" in shown.stdout, shown.stderr


@pytest.mark.slow
def test_a_run_ends_in_a_record_that_every_locale_finds(tmp_path: Path, locales: Path) -> None:
    env = environment("latin-1" if shutil.which("localedef") else "ascii", locales)
    suite, results = tmp_path / "tiny†.yaml", tmp_path / "results†"
    text = SUITE.format(band="0.1", a="1.0", b="1.0").replace("rows: {A:", "rows: {'A†σ生':")
    suite.write_text(text, encoding="utf-8")
    inline = ("--executor", "inline", "--device", "cpu")
    made = ganbench("run", str(suite), "--results", str(results), *inline, env=env)
    assert made.returncode == 0 and b"2 done" in made.stderr, made.stderr
    assert (results / "records/tiny/1--A†σ生--shapes").is_dir()
    only = ("--only", "method=A†σ生")
    planned = ganbench("plan", str(suite), *only, "--json", "--results", str(results), env=env)
    assert [(row["state"], row["cells"]) for row in json.loads(planned.stdout)] == [("done", ["tiny/1/A†σ生/shapes"])]


LIBRARY = """
import os, sys
from pathlib import Path
import benchmark as gb
from benchmark.records import failures, merge, shelf, store
from benchmark.suite.load import load
from tests.test_collate import record_for

assert sys.getfilesystemencoding() != "utf-8"
results, other, bundle = (Path(sys.argv[1], name) for name in ("mine", "other", "bundle.zip"))
suite = load(Path(sys.argv[1], "tiny.yaml"))
first, second = (record_for(suite.cells[0], seed, {"V_g": 1.0 + seed}, steps=2, total_steps=2) for seed in (0, 1))
store.write(results, f"tiny/{suite.cells[0].slug}", first)
store.write(other, f"tiny/{suite.cells[0].slug}", second)
assert "1--A\\u2020--shapes".encode() in os.listdir(os.fsencode(results / "records/tiny"))
assert len(gb.export([suite], suite.cells, store.read_all(other)[0], bundle)) == 1
assert merge.merge(results, [other, bundle]) == (1, 1, [])
assert merge.merge(results, [Path(sys.argv[1], "mine")])[2] == []
for read in (store.read_all, shelf.read_all):
    records, problems = read(results)
    assert len(records) == 2 and not problems
assert len(gb.write_report(*gb.load_joined(suite.path, records), str(results), Path(sys.argv[1], "site"))) == 5
print(f"read back: {records[0].cell} \\u03c3 \\u2026")
"""


@pytest.mark.parametrize("kind", ["ascii", "latin-1"])
def test_so_does_a_notebook_which_cannot_be_started_again(tmp_path: Path, kind: str, locales: Path) -> None:
    text = SUITE.format(band="0.1", a="1.0", b="1.0").replace("rows: {A:", "rows: {'A†':")
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    env = environment(kind, locales, PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8", GANBENCH_CACHE=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", LIBRARY, str(tmp_path)], capture_output=True, env=env, cwd=ROOT)
    assert done.returncode == 0 and "A†".encode() in done.stdout, done.stderr.decode(errors="replace")[-3000:]


def test_a_path_may_hold_bytes_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"r\xff\xe9")
    (tmp_path / name / "records/x").mkdir(parents=True)
    (tmp_path / name / "records/x/0123456789abcdef-s0.json").write_text("{}")
    env = environment("a stream of ascii", tmp_path, GANBENCH_CACHE=str(tmp_path / name / "cache"))
    where = ("--results", str(tmp_path / name), "--out", str(tmp_path / name / "site"))
    done = ganbench("report", "theory", *where, env=env)
    assert done.returncode == 0 and b"passed over" in done.stderr, done.stderr


def test_every_text_says_its_encoding() -> None:
    """Text without an encoding is in the locale's; a program's answer that is not would be an error."""
    found = []
    for path in sorted((ROOT / "benchmark").rglob("*.py")):
        for call in (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = {keyword.arg for keyword in call.keywords}
            constants = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            opened = name in ("open", "fdopen") and any(
                c.strip("+") in ("r", "w", "a", "x", "rt", "wt") for c in constants
            )
            read = name in ("read_text", "write_text") and not {"utf-8", "ascii"} & set(constants)
            asked = name in ("run", "Popen", "check_output") and given & {"text", "universal_newlines"}
            lock = ".lock" in ast.unparse(call)  # nothing is written into one
            if ((opened or read) and "encoding" not in given and not lock) or (asked and "errors" not in given):
                found.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert not found
