"""Status files and statistics from anyone: a damaged one is said to be so, and no command ends by it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli import main
from benchmark.metrics import store
from benchmark.metrics.real import RealSet

STATUS = {
    "pid": 1,
    "time": 1.7e9,
    "eta_s": 60.0,
    "counts": {"done": 1},
    "runs": [
        {"run": "a", "state": "running", "name": "a", "step": 1, "of": 10, "ran_s": 5.0, "silent_s": 1.0, "rate": 2.0}
    ],
}
NUMBERS = ("1e999", "-1e999", "NaN", "9" * 400, "-" + "9" * 400, "9" * 5000, "1e308", "-1e308", '"x"', "[]", "{}")


def with_number(place: str, number: str) -> str:
    data = json.loads(json.dumps(STATUS))
    there = data
    *way, last = place.split(".")
    for key in way:
        there = there[int(key) if isinstance(there, list) else key]
    there[last] = "HERE"
    return json.dumps(data).replace('"HERE"', number)


@pytest.mark.parametrize(
    "place",
    ["time", "eta_s", "counts.done", "runs.0.step", "runs.0.of", "runs.0.ran_s", "runs.0.silent_s", "runs.0.rate"],
)
def test_no_number_in_a_status_file_ends_the_command(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "runs/status.json"
    path.parent.mkdir()
    path.write_text(with_number(place, "1.0"))
    assert main(["status", "--results", str(tmp_path)]) == 0
    for number in NUMBERS:
        path.write_text(with_number(place, number))
        code = main(["status", "--results", str(tmp_path)])
        said = capsys.readouterr()
        assert "unexpected" not in said.err and len(said.out) < 2_000
        assert code == 0 or (code == 1 and "status.json is damaged" in said.err), number


@pytest.mark.parametrize("number", NUMBERS[:6])
def test_numbers_beyond_counting_are_damage(number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/status.json").write_text(with_number("time", number))
    assert main(["status", "--results", str(tmp_path)]) == 1
    assert "status.json is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["counts.long", "runs.0.name", "runs.0.node", "runs.0.device", "runs.0.why"])
def test_endless_texts_are_damage(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    text = with_number(place, "1" if place == "counts.long" else json.dumps("x" * 100_000))
    (tmp_path / "runs/status.json").write_text(text.replace('"long"', f'"{"x" * 100_000}"'))
    assert main(["status", "--results", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "status.json is damaged" in said.err and not said.out


KINDS = {
    "datetimes": np.array(["2020-01-01"] * 3, "datetime64[s]"),
    "durations": np.array([1, 2], "timedelta64[s]"),
    "texts": np.array(["a", "b"]),
    "bytes": np.array([b"a"]),
    "complex": np.ones(2, complex),
    "booleans": np.ones(2, bool),
    "structures": np.zeros(2, [("a", "i4"), ("b", "M8[s]")]),
    "voids": np.zeros(2, "V8"),
}


@pytest.mark.parametrize("name", ["mu", "sigma", "n", "features"])
@pytest.mark.parametrize("kind", KINDS)
def test_statistics_that_are_no_numbers_are_refused(
    kind: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.npz"
    arrays = {"mu": np.zeros(2), "sigma": np.eye(2), "n": np.array(2), name: KINDS[kind]}
    real = RealSet("shapes", "train", 28, 1, None, None, 80)
    about = {"set": dataclasses.asdict(real), "images": 80, "extractor": "efficientnet-lite0"}
    about |= {"identity": {}, "digests": {}}
    np.savez(path, about=np.array(json.dumps(about)), **arrays)
    assert main(["data", "stats", "--import", str(path)]) == 1
    said = capsys.readouterr().err
    assert f"x.npz: values are not floating-point numbers: {name}" in said and "unexpected" not in said
    assert not store.folder().exists() or not list(store.folder().glob("*.npz"))
