"""Names, titles, quotes and reasons of others, through every place that prints: no character of theirs steers a
terminal, no line is forged, and what is for programs is what they can read.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import logging
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.cli import main
from benchmark.errors import GanbenchError
from benchmark.plan.plan import make_plan
from benchmark.records import failures, store
from benchmark.records.record import Record
from benchmark.schedule import runlog
from benchmark.schedule.progress import Progress
from benchmark.schedule.screen import screen
from benchmark.suite.load import load
from tests.test_collate import record_for

STEERING = (
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[Howned",
    "\x9b31mowned",
    "\x9d8;;http://x\x9cowned",
    "\u202eowned\u202c",
    "\u2066owned\u2069",
    "owned\r",
    "owned\x08\x08\x7f",
    "\x1bPowned\x1b\\",
    "owned\x00",
    "\u2028owned",
    "\x85owned",
    "\x0cowned\x0b",
)
UNSEEN = (
    "\u061cowned",
    "\u200bowned\u200d",
    "\ufff9owned\ufffb",
    "\U000e0041owned",
    "\ue000owned",
    "own\u00aded",
    "owned\u0600",
    "owned\u2060",
    "owned\U0001f600",
    "ow\tned",
    "\nganbench: owned",
    "x\n\nganbench: owned\n",
    "owned\u0301\u0489",
)
FORGED = re.compile(r"\nganbench: owned")  # a message of ours may begin with a name of theirs
DRAWN = re.compile(r"\x1b\[(?:\?25[lh]|\d*A|2K|1?G|0?m|[12]m)|\r")
"""What rich itself draws a table with."""
OURS = re.compile(r"^\x1b\[(?:1|31|32|33)m([^\x1b\n]*)\x1b\[0m", re.MULTILINE)
"""The word in a colour that a line of ours begins with."""

SUITE = """suite: tiny
paper: {{title: {title}, venue: {venue}, notes: [{remark}]}}
protocol: {{metrics: [V_g, D_G], generated: 40, bn_mode: eval,
  weights: raw, checkpoint: last, every_epochs: 1, std_of: none}}
tolerance: {{V_g: {{relative: 0.1, source: {source}}}, D_G: {{relative: 0.1, source: s}}}}
recipes:
  base: {{dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100, images: 64,
    network: {{name: mlp, width: 0.05, bn_eps: 0.8}}, z_dim: 4, z_distribution: normal, z_scale: 1.0,
    loss: {{name: non-saturating, d_scale: 1.0}}, batch_d: 32, batch_g: 32, n_dis: 1, epochs: 1, drop_last: true,
    player_order: g-first, share_fakes: true, d_pass: separate, notes: {{lr_g: {note}}},
    optimizer: adam, lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32}}
  wide: {{from: base, network: {{name: mlp, width: 0.1, bn_eps: 0.8}}}}
profiles: {{{profile}: {{recipe: {{images: 32}}}}}}
tables:
  {table}: {{caption: {caption}, std_of: none, metrics: {{V_g: lower, D_G: lower}},
    rows: {{A: {{recipe: base, V_g: 1.0, D_G: -0.5}}, {method}: {{recipe: wide, V_g: 1.0, D_G: -0.5}}}}}}
claims:
  - {{id: one, quote: {quote}, where: {where}, note: {said},
     holds: [{{table: {table}, better: {{A: {method}}}, metrics: [V_g]}}]}}
"""
WORDS = (
    "title",
    "venue",
    "source",
    "note",
    "profile",
    "remark",
    "table",
    "caption",
    "method",
    "quote",
    "where",
    "said",
)
USUAL = {"profile": "reduced", "table": "1", "method": "B"}


class Screen(io.StringIO):
    """Standard output or error, of a terminal or of none."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """As it was made."""
        return self._terminal


@contextmanager
def streams(terminal: bool) -> Iterator[tuple[Screen, Screen]]:
    """In place of the process's."""
    before, found = (sys.stdout, sys.stderr), (Screen(terminal), Screen(terminal))
    sys.stdout, sys.stderr = found
    try:
        yield found
    finally:
        sys.stdout, sys.stderr = before


def prepare(folder: Path) -> dict[str, Any]:
    """A suite, and a record of it."""
    os.environ |= {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    path = folder / "tiny.yaml"
    path.write_text(_suite({}), encoding="utf-8")
    with streams(terminal=False):  # whatever a command imports is there before the first case
        for words in (("plan", path, "--explain"), ("compare", path), ("published", path, "--format", "json")):
            _main(*words)
    record = record_for(load(path).cells[0], 0, {"V_g": 1.0, "D_G": -0.5})
    store.write(folder, "tiny/x", record)
    return {
        "record": json.loads(next(folder.rglob("records/**/*.json")).read_text()),
        "made": record,
        "cell": load(path).cells[0],
    }


def _suite(changes: dict[str, str]) -> str:
    words = {word: changes.get(word) or USUAL.get(word, word) for word in WORDS}
    return SUITE.format(**{word: json.dumps(text) for word, text in words.items()})


def evil(rng: random.Random, steering: bool = True) -> str:
    """A text that would do something to a terminal."""
    pool = UNSEEN + (STEERING if steering else ())
    return "".join(rng.choice(("", "a", "ü ")) + rng.choice(pool) for _ in range(rng.randint(1, 3)))


def case(good: Any, rng: random.Random, folder: Path) -> str:
    """One place that prints, given such texts."""
    how = rng.choice(
        (
            _of_suites,
            _of_suites,
            _of_records,
            _of_status,
            _of_failures,
            _of_arguments,
            _of_files,
            _of_data,
            _drawn,
            _logged,
        )
    )
    with streams(rng.random() < 0.5) as (out, err):
        answer = how(good, rng, folder)
        terminal = out.isatty()
    said, name = out.getvalue(), how.__name__.lstrip("_")
    programs = answer.startswith("for programs")
    for text in (*(() if programs and not terminal else (said,)), err.getvalue()):
        check(text, drawn=how in (_drawn, _of_status), lines_of_theirs=programs)
    if programs:
        _read_back(said, answer, terminal)
    return f"{name}: {answer}"


def check(text: str, drawn: bool = False, lines_of_theirs: bool = False) -> None:
    """Raises AssertionError where something steers a terminal, or a line is forged."""
    bare = OURS.sub(r"\1", text)
    for line in DRAWN.sub("", bare).split("\n") if drawn else bare.split("\n"):
        assert line == "" or all(c.isprintable() or c in "\u00a0\u2003\u2009\u3000\u202f" for c in line), repr(line)
    assert lines_of_theirs or not FORGED.search(text), f"a forged line: {text!r}"


def _read_back(said: str, answer: str, terminal: bool) -> None:
    if answer.endswith("json"):
        json.loads(said)
        check(said)
    elif not terminal:
        rows = list(csv.reader(io.StringIO(said)))
        assert len({len(row) for row in rows}) == 1, "a table for programs has lost its columns"


def _main(*words: object) -> str:
    try:
        return f"exit {main([str(word) for word in words])}"
    except SystemExit as end:
        return f"exit {end.code}"


def _of_suites(good: Any, rng: random.Random, folder: Path) -> str:
    chosen = rng.sample(WORDS, rng.randint(1, 4))
    path, results = folder / "tiny.yaml", folder / "results"
    path.write_text(_suite({word: evil(rng, steering=rng.random() < 0.15) for word in chosen}), encoding="utf-8")
    commands: tuple[tuple[object, ...], ...] = (
        ("list", path),
        ("list", path, "--json"),
        ("published", path, "--format", "csv"),
        ("published", path, "--format", "json"),
        ("plan", path, "--results", results, "--explain"),
        ("plan", path, "--results", results, "--json"),
        ("claims", path, "--published-only"),
        ("claims", path, "--results", results),
        ("compare", path, "--results", results),
        ("compare", path, "--results", results, "--format", rng.choice(("csv", "json"))),
        ("show", "tiny/1/A/shapes", "--results", results),
        ("show", f"{path}/1/A/shapes", "--results", results),
        ("list", path, "--profile", evil(rng)),
        ("list", path, "--only", evil(rng)),
    )
    words = rng.choice(commands)
    code = _main(*words)
    if code == "exit 0" and words[-1] in ("csv", "json", "--json"):
        return f"for programs: {words[0]} {str(words[-1]).lstrip('-')}"
    return f"{words[0]}: {code}"


def _of_records(good: Any, rng: random.Random, folder: Path) -> str:
    """Texts in a record, also a sealed one, and in its file's name."""
    results = folder / "results"
    if rng.random() < 0.5:
        content = json.loads(json.dumps(good["record"]))
        _spoil(content, rng)
        place = results / "records" / "tiny" / _name(rng)
        place.mkdir(parents=True)
        name = rng.choice((good["record"]["run"], _name(rng)))
        (place / f"{name}-s0.json").write_text(json.dumps(content), encoding="utf-8")
    else:
        made: Record = good["made"]
        changed = json.loads(json.dumps(made.provenance))
        _spoil(changed, rng)
        try:
            store.write(results, "tiny/x", _replaced(made, changed, rng))
        except (GanbenchError, TypeError, ValueError, OverflowError):
            return "not written"
    path = folder / "tiny.yaml"
    path.write_text(_suite({}), encoding="utf-8")
    words = rng.choice(
        (("compare", path), ("claims", path), ("plan", path, "--explain"), ("show", "tiny/1/A/shapes"), ("merge",))
    )
    if words[0] == "merge":
        return f"merge: {_main('merge', results, '--results', folder / 'ours')}"
    return f"{words[0]}: {_main(*words, '--results', results)}"


def _replaced(made: Record, provenance: Any, rng: random.Random) -> Record:
    return dataclasses.replace(made, provenance=provenance, **({"cell": evil(rng)} if rng.random() < 0.3 else {}))


def _spoil(thing: Any, rng: random.Random) -> None:
    """Some texts, and some keys, of JSON."""
    for key in list(thing) if isinstance(thing, dict) else range(len(thing)):
        value = thing[key]
        if isinstance(value, (dict, list)):
            _spoil(value, rng)
        elif isinstance(value, str) and rng.random() < 0.15:
            thing[key] = evil(rng)
        if isinstance(thing, dict) and rng.random() < 0.02:
            thing[evil(rng)] = thing.pop(key)


def _name(rng: random.Random) -> str:
    return evil(rng).replace("\0", "").replace("/", "")[:80] or "x"


def _of_status(good: Any, rng: random.Random, folder: Path) -> str:
    texts = {key: evil(rng) for key in ("name", "why", "node", "device")}
    numbers = {"step": 5, "of": 10, "rate": 1.0, "eta_s": 4.0, "silent_s": 0.0, "ran_s": 5.0}
    state = rng.choice(("running", "failed", evil(rng)))
    run: dict[str, Any] = {"run": "a", "state": state, **texts, **numbers, "last": {"step": 5, evil(rng): 1.0}}
    for key in rng.sample(sorted(run), 2):
        run[key] = rng.choice((evil(rng), None, 1e300, [evil(rng)], run[key], run[key]))
    content = {"pid": 1, "time": time.time(), "eta_s": 3.0, "counts": {evil(rng): 1, "done": 2}, "runs": [run]}
    path = folder / "results/runs/status.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return _main("status", "--results", folder / "results", *(["--watch"] if rng.random() < 0.3 else []))


def _of_failures(good: Any, rng: random.Random, folder: Path) -> str:
    run = make_plan([good["cell"]], [0], {}).runs[0]
    results = folder / "results"
    if rng.random() < 0.5:
        failures.keep(results, run.evaluation, 0, evil(rng))
    else:
        path = results / "failures" / f"{run.evaluation}-s0.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"reason": evil(rng), "time": time.time()}))
    suite = folder / "tiny.yaml"
    suite.write_text(_suite({}), encoding="utf-8")
    return _main(rng.choice(("compare", "claims")), suite, "--results", results)


def _of_arguments(good: Any, rng: random.Random, folder: Path) -> str:
    a, suite = evil(rng), folder / "tiny.yaml"
    suite.write_text(_suite({}), encoding="utf-8")
    there = folder / _name(rng)
    commands: tuple[tuple[object, ...], ...] = (
        *(
            (a,),
            ("list", a),
            ("show", a),
            ("list", f"--{a}"),
            ("plan", suite, "--gpu", a),
            ("plan", suite, "--only", a),
        ),
        *(("data", "verify", a), ("data", "add", "obama", a), ("data", "fetch", a), ("data", a), ("merge", there)),
        *(("status", "--results", there), ("run", suite, "--weights", a), ("run", suite, "--priority", a)),
        *(("run", suite, "--until-decided", "--budget", a), ("plan", suite, "--seeds", a), ("report", a)),
    )
    words = rng.choice(commands)
    return _main(*(str(word).replace("\0", "") for word in words))


def _of_files(good: Any, rng: random.Random, folder: Path) -> str:
    """Files that are none of ours, by names that nobody would choose."""
    (place := folder / _name(rng)).mkdir()
    path = place / f"{_name(rng)}.yaml"
    path.write_text(
        rng.choice(
            ("a: [", "suite: x", f"? {json.dumps(evil(rng))}\n: 1", json.dumps(evil(rng)), "include: [{suite: x}]")
        ),
        encoding="utf-8",
    )
    return _main("list", rng.choice((path, place)))


def _of_data(good: Any, rng: random.Random, folder: Path) -> str:
    """Manifests and folders of images."""
    os.environ["GANBENCH_DATA"], os.environ["GANBENCH_CACHE"] = str(folder / "data"), str(folder / "cache")
    (images := folder / _name(rng)).mkdir()
    for _ in range(3):
        (images / (_name(rng) + rng.choice((".png", ".txt", "")))).write_bytes(rng.randbytes(20))
    if rng.random() < 0.5:
        return f"add: {_main('data', 'add', 'obama', images)}"
    manifest = folder / "data/obama/ganbench-train.json"
    manifest.parent.mkdir(parents=True)
    known = {
        "dataset": "obama",
        "split": "train",
        "images": 100,
        "names": "x",
        "source": evil(rng),
        "decoder": evil(rng),
        "published": evil(rng),
        "contents": {},
        "format": 1,
    }
    manifest.write_text(json.dumps({key: value if rng.random() < 0.9 else evil(rng) for key, value in known.items()}))
    return f"list: {_main('data', rng.choice(('list', 'verify')), 'obama')}"


def _drawn(good: Any, rng: random.Random, folder: Path) -> str:
    """The table of runs under way, and what is printed above it."""
    progress = Progress(total_size=2.0)
    shown = screen(progress, evil(rng))
    about = {"node": evil(rng), "device": evil(rng), "phase": evil(rng), "last": {"step": 3, evil(rng): 1.0}}
    progress.update("a", evil(rng), 1.0, 3, 10, about)
    shown.update("a", evil(rng))
    shown.say(evil(rng).replace("\n", " "))
    print(evil(rng).replace("\n", " "), file=_through(shown))
    shown.close()
    return "drawn"


def _through(shown: Any) -> Any:
    """Standard error, as a command's: behind the door."""
    from benchmark.door import through

    return through(sys.stderr)


def _logged(good: Any, rng: random.Random, folder: Path) -> str:
    text = evil(rng).replace("\n", " ")
    with runlog.logged(folder):
        logging.getLogger("benchmark.fuzz").info("%s", text)
        try:
            raise RuntimeError(text)
        except RuntimeError:
            logging.getLogger("benchmark.fuzz").info("failed", exc_info=True)
    check((folder / runlog.NAME).read_text(encoding="utf-8"))
    return "logged"
