"""`data fetch` of weights, and of all that a suite needs: checked by hash, whole or not at all, one line a failure."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.data import cards as card_room
from benchmark.data import download
from benchmark.weights.known import KNOWN
from benchmark.weights.place import find, missing
from tests.faults.fuzz.downloads import CONTENT, _answer, _say, port, scripts
from tests.test_hostile_server import BAD
from tests.test_weights_of_parts import SUITE

FETCHED = [name for name, weights in KNOWN.items() if weights.urls]
PACKAGED = [name for name, weights in KNOWN.items() if weights.package]
RIGHT = _say(_answer(CONTENT))
Serve = Callable[..., None]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Gives weights other addresses, each of which does what is given, and a small content; none are here."""
    for name, folder in (("TORCH_HOME", "torch"), ("GANBENCH_DATA", "data"), ("GANBENCH_CACHE", "cache")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.delenv("GANBENCH_WEIGHTS", raising=False)
    monkeypatch.setattr("benchmark.weights.place.lacks_package", lambda weights: None)
    monkeypatch.setattr(download, "TIMEOUT_S", 0.5)
    monkeypatch.chdir(tmp_path)

    def give(name: str, *acts: Callable) -> None:
        urls = tuple(f"http://127.0.0.1:{port()}/{tmp_path.name}/{name}/{n}" for n in range(len(acts)))
        scripts.update({url.partition(str(port()))[2]: act for url, act in zip(urls, acts)})
        small = dataclasses.replace(
            KNOWN[name], urls=urls, bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
        )
        monkeypatch.setitem(KNOWN, name, small)

    return give


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "torch").rglob("*") if path.is_file())


def test_all_that_are_no_package_can_be_fetched_from_https() -> None:
    assert set(FETCHED) == KNOWN.keys() - set(PACKAGED) and len(FETCHED) == 3
    for name in FETCHED:
        assert all(url.startswith("https://") for url in KNOWN[name].urls) and 2**26 < KNOWN[name].bytes < 2**30


@pytest.mark.parametrize("name", FETCHED)
def test_they_are_fetched_once_and_found(
    name: str, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(name, RIGHT)
    assert f"run: ganbench data fetch {name}; or get " in (missing(name) or "")
    assert main(["data", "fetch", name]) == 0
    assert f"{name}: {KNOWN[name].file} from http" in capsys.readouterr().out
    found = find(name)
    assert found and found.read_bytes() == CONTENT and missing(name) is None and left(tmp_path) == [found.name]
    scripts.clear()
    assert main(["data", "fetch", name]) == 0
    assert "nothing to fetch; it is " in capsys.readouterr().out
    assert main(["data", "verify", name]) == 0 and main(["data", "list", name]) == 0
    assert "here: " in capsys.readouterr().out


@pytest.mark.parametrize("what", [what for what in BAD if what not in ("no gzip", "other bytes")])
def test_every_failure_is_a_line_and_the_next_address_is_tried(
    what: str, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    act, why = BAD[what]
    serve("vgg16", act)
    assert main(["data", "fetch", "vgg16"]) == 1
    said = capsys.readouterr().err
    lines = said.splitlines()
    assert len(lines) == 3 and all(line.isprintable() for line in lines) and re.search(why, lines[1]), said
    assert "--weights" in lines[2] and not left(tmp_path)
    serve("vgg16", act, RIGHT)
    assert main(["data", "fetch", "vgg16"]) == 0


@pytest.mark.parametrize("wrong", [b"", b"x", CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + b"x"])
def test_other_bytes_are_refused_and_what_was_there_stays(
    wrong: bytes, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("vgg16", _say(_answer(wrong)))
    assert main(["data", "fetch", "vgg16"]) == 1
    assert "its sha256 is not " in capsys.readouterr().err and not left(tmp_path)
    place = tmp_path / "torch/hub/checkpoints" / KNOWN["vgg16"].file
    place.write_bytes(CONTENT)
    assert main(["data", "fetch", "vgg16", "--force"]) == 1
    assert place.read_bytes() == CONTENT and left(tmp_path) == [place.name]


def test_a_wrong_file_in_its_place_is_said_and_replaced_by_force(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("vgg16", RIGHT)
    place = tmp_path / "torch/hub/checkpoints" / KNOWN["vgg16"].file
    place.parent.mkdir(parents=True)
    place.write_bytes(b"cut short")
    assert main(["data", "fetch", "vgg16"]) == 1
    assert "to replace it, run: ganbench data fetch vgg16 --force" in capsys.readouterr().err
    assert main(["data", "verify", "vgg16"]) == 1
    assert main(["data", "fetch", "vgg16", "--force"]) == 0 and place.read_bytes() == CONTENT


@pytest.mark.parametrize("there", [None, b"another", CONTENT])
def test_what_the_user_names_goes_before_what_is_fetched(
    there: bytes | None, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("vgg16", RIGHT)
    mine = tmp_path / KNOWN["vgg16"].file
    if there is not None:
        mine.write_bytes(there)
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(mine))
    assert main(["data", "fetch", "vgg16"]) == (0 if there == CONTENT else 1) and not left(tmp_path)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["fetch", "inception-2015-12-50"], 2, "did you mean 'inception-2015-12-05'"),
        (["list", "vgg61"], 2, "did you mean 'vgg16'"),
        (["verify", "vgg61"], 2, "did you mean 'vgg16'"),
        (["add", "vgg16", "."], 2, "weights are not added"),
        (["fetch"], 2, "needs a name"),
        (["fetch", "mnist", "--only", "table=1"], 2, "--only chooses among"),
        (["fetch", "--for", "no-such"], 2, "no suite 'no-such'"),
        (["fetch", "--for", "theory", "--only", "table=none"], 2, "leaves no cell"),
        (["fetch", "--for", "theory", "--only", "tabel=1"], 2, "unknown field 'tabel'"),
    ],
)
def test_what_is_no_name_is_said(
    words: list[str], code: int, message: str, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", *words]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", PACKAGED)
def test_what_comes_with_a_package_is_not_fetched(
    name: str, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    assert main(["data", "fetch", name]) == 1
    assert f"run: pip install {KNOWN[name].source}" in capsys.readouterr().err


def _suite(dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows that take MNIST (which is served) and vgg16, and one whose ``dataset`` nobody can fetch."""
    file = {"file": "tiny.bin", "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    path = "/mnist/tiny.bin"
    scripts[path] = RIGHT
    mnist = card_room.cards()["mnist"]
    splits = {
        split: {**{k: v for k, v in s.items() if k == "count"}, "images": file} for split, s in mnist.splits.items()
    }
    served = dataclasses.replace(mnist, splits=splits, sources=({"url": f"http://127.0.0.1:{port()}{path}"},))
    every = {**card_room.cards(), "mnist": served}
    monkeypatch.setattr(card_room, "cards", lambda: every)
    text = SUITE.replace("parts: [frozen: {features: vgg16}]", "dataset: mnist, images: null")
    text = text.replace(
        "tables:",
        f"  far: {{from: base, dataset: {dataset}, split: all, channels: 3, resolution: 64,"
        " resize: bilinear}\ntables:",
    )
    text = text.replace("seen: {recipe: seen, V_g: -0.5}", "seen: {V_g: -0.5}, far: {V_g: -0.5}")
    Path("mini.yaml").write_text(text, encoding="utf-8")


def test_all_that_a_suite_needs_is_fetched_and_the_rest_is_said(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("vgg16", RIGHT)
    _suite("celeba", monkeypatch)
    monkeypatch.setattr("benchmark.plan.missing.needed", lambda recipe: ["vgg16"] if recipe.dataset == "mnist" else [])
    assert main(["list", "mini.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "all that can be fetched: ganbench data fetch --for mini.yaml"
    assert main(["data", "fetch", "--for", "mini.yaml", "--only", "method=seen"]) == 0
    assert capsys.readouterr().out.count("checksum right") == 2
    assert main(["data", "fetch", "--for", "mini.yaml"]) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith("missing here, 1 cell: dataset celeba: ") and "data add" in said
    assert main(["data", "fetch", "--for", "mini.yaml", "--only", "method!=far"]) == 0
    assert "nothing to fetch: all that these cells need is here" in capsys.readouterr().out


def test_what_cannot_be_had_does_not_keep_the_others(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("vgg16", _say(b"HTTP/1.1 404 Not Found\r\n\r\n"))
    serve("clip-vit-b32", RIGHT)
    assert main(["data", "fetch", "vgg16", "clip-vit-b32"]) == 1
    said = capsys.readouterr()
    assert "HTTP 404" in said.err and "clip-vit-b32: ViT-B-32.pt from" in said.out and left(tmp_path) == ["ViT-B-32.pt"]
