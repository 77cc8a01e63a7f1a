"""A run that failed makes its cell ``failed``, everywhere, until it succeeds; its reason is text from data."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import pytest

import benchmark as gb
from benchmark.cli import main
from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.ranking import rankings
from benchmark.collate.presenting.report import write_reports
from benchmark.plan.plan import make_plan
from benchmark.records import failures
from benchmark.records.store import read_all
from benchmark.schedule import inline
from benchmark.suite.load import load
from tests.test_collate import PUBLISHED, THEORY, _three_seeds
from tests.test_decide import run, verdicts, write

HOSTILE = '=cmd|<script>alert(1)</script> [x](javascript:1) \\input{/etc/passwd} $x$ & "q"\x1b[2J\u202e\nsecond line'


def failing(results: Path, seed: int, reason: str = HOSTILE) -> dict[str, failures.Failure]:
    """The first cell of the theory suite with one failed seed."""
    planned = make_plan([load(THEORY).cells[0]], [seed], {}).runs[0]
    failures.keep(results, planned.evaluation, seed, reason)
    return failures.read_all(results)


def test_a_failed_run_is_said_everywhere_until_it_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    suite, results = write(tmp_path / "tiny.yaml"), tmp_path / "results"
    real = inline.execute

    def broken(job, tick, about):
        if "/A/" in job.name and job.seed == 1:
            raise RuntimeError(HOSTILE)
        return real(job, tick, about)

    monkeypatch.setattr(inline, "execute", broken)
    assert run(suite, results, "--seeds", "2") == 1
    assert len(read_all(results)[0]) == 3, "a failure is no record"
    found = verdicts(suite, results, capsys)
    why = found["A V_g"]["why"]
    assert found["A V_g"]["verdict"] == found["A D_G"]["verdict"] == "failed" and found["B V_g"]["verdict"] != "failed"
    assert (
        "seed 1 failed on 20" in why
        and "<script>" in why
        and "\x1b" not in why
        and "\u202e" not in why
        and "\n" not in why
    )
    monkeypatch.setattr(inline, "execute", real)
    again = shlex.split(why.rpartition("to run it again: ")[2].partition("; to be believed: ")[0])
    assert again[:3] == ["ganbench", "run", str(suite)] and again[-1] == str(results)
    assert again[again.index("--seeds") + 1] == "2"
    assert main([*again[1:], "--executor", "inline", "--device", "cpu"]) == 0
    assert verdicts(suite, results, capsys)["A V_g"]["verdict"] != "failed" and not failures.read_all(results)


def test_what_is_left_of_a_cell_with_a_failed_seed_is_judged_nowhere(tmp_path: Path) -> None:
    whole = _three_seeds(PUBLISHED)
    suite, joined = load_joined(THEORY, whole, failures=failing(tmp_path, 3))
    cells = joined["theory/1"]
    assert {e.verdict.name for e in cells[0].entries.values()} == {"failed"} and cells[0].entries["V_g"].achieved.n == 3
    claim = next(c for c in suite.claims if any(n.cell == cells[0].cell.id for n in c.numbers()))
    assert judge_claim(claim, [j for rows in joined.values() for j in rows]).achieved.name == "not judged"
    assert {r.methods for r in rankings(suite.tables[0], cells)} == {2}
    _, joined = load_joined(THEORY, whole, failures=failing(tmp_path, 2))
    assert {e.verdict.name for e in joined["theory/1"][0].entries.values()} == {"failed"}, "seed 3 still"
    _, joined = load_joined(THEORY, whole, failures={k: f for k, f in failing(tmp_path, 2).items() if f.seed == 2})
    assert "failed" not in {e.verdict.name for e in joined["theory/1"][0].entries.values()}, (
        "a record is a later success"
    )
    partial = [dataclasses.replace(r, status="partial", steps=938) if r.seed == 2 else r for r in whole]
    _, joined = load_joined(THEORY, partial, failures={k: f for k, f in failing(tmp_path, 2).items() if f.seed == 2})
    assert {e.verdict.name for e in joined["theory/1"][0].entries.values()} == {"failed"}, "half a run is none"


def test_its_reason_steers_no_page_no_table_and_no_spreadsheet(tmp_path: Path) -> None:
    found = failing(tmp_path / "results", 0)
    write_reports([load_joined(THEORY, [], failures=found)], str(tmp_path / "results"), tmp_path / "out")
    texts = {
        p.name: p.read_text(encoding="utf-8")
        for p in (tmp_path / "out").rglob("*")
        if p.suffix in (".html", ".md", ".tex", ".csv")
    }
    pages = "".join(text for name, text in texts.items() if name.endswith(".html"))
    assert "&lt;script&gt;alert(1)" in pages and "<script>alert(1)" not in pages and 'data-verdict="failed"' in pages
    assert "What failed" in texts["index.html"] and "to run it again: ganbench run theory" in pages
    assert all("\x1b" not in text and "\u202e" not in text for text in texts.values())
    assert (
        "failed !" in texts["theory.md"]
        and "<script>" not in texts["theory.md"]
        and "\\input" not in texts["theory.tex"]
    )
    frame = gb.collate([str(THEORY)], results=tmp_path / "results").joined
    assert (frame.loc[frame["cell"] == load(THEORY).cells[0].id, "verdict"] == "failed").all()


def test_a_damaged_note_is_a_failure_all_the_same_and_other_files_are_none(tmp_path: Path) -> None:
    (key,) = failing(tmp_path, 4)
    path = tmp_path / "failures" / f"{key}-s4.json"
    for content in (b"", b"{", b"[]", b'{"reason": 3}', b"\xff", b'{"reason": "x", "time": 1e400}', b"[" * 60_000):
        path.write_bytes(content)
        assert failures.read_all(tmp_path)[key].reason.endswith("cannot be read")
    path.rename(path.with_name("../../etc".replace("/", "-") + ".json"))
    assert failures.read_all(tmp_path) == {} and failures.read_all(tmp_path / "nowhere") == {}
