"""The name that was meant: found whatever its case, accents and punctuation, and written so that it works."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.errors import closest, misspelt
from tests.test_working_directory import MINI


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(MINI)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    capsys.readouterr()
    assert main(list(words)) == code
    out, err = capsys.readouterr()
    return (out + err).replace("\n", " ")


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("KID", ("FID", "IS", "KIDx1000"), "KIDx1000"),
        ("CIFAR-10", ("celeba", "cifar10", "cifar100"), "cifar10"),
        ("Cifar_100", ("celeba", "cifar10", "cifar100"), "cifar100"),
        ("etude", ("exude", "étude"), "étude"),
        ("sngan+", ("SNGAN", "SNGAN+"), "SNGAN+"),
        ("basline", ("base", "baseline"), "baseline"),
        ("", ("a",), None),
        ("†", ("‡", "a"), None),
    ],
)
def test_what_is_closest(name: str, known: tuple[str, ...], meant: str | None) -> None:
    assert closest(name, known) == meant


@pytest.mark.parametrize(
    ("name", "known", "sure"),
    [
        ("sngan-cn", "sngan-cnn", True),
        ("ema_anchor", "ema-anchor", True),
        ("CauchY", "cauchy", True),
        ("stylegan3", "stylegan2", False),
        ("sngan-cnn2", "sngan-cnn", False),
        ("exiter", "chain", False),
    ],
)
def test_what_is_surely_misspelt(name: str, known: str, sure: bool) -> None:
    assert misspelt(name, [known]) == (known if sure else None)


@pytest.mark.parametrize(
    ("given", "meant"), [("étude.yml", "étude.yaml"), ("./etude", "./étude.yaml"), ("x", "x.yaml"), ("grna", "gran")]
)
def test_a_file_beside_is_named(given: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("étude.yaml").write_text(MINI)
    assert f"no suite '{given}'; did you mean '{meant}'?" in said(capsys, "list", given)


@pytest.mark.parametrize("command", ["list", "plan", "compare", "published"])
@pytest.mark.parametrize(
    ("only", "why"),
    [
        ("method=plian", ": no method 'plian', the nearest is 'plain'; see"),
        ("dataset=Shape & method~sn-d", ": no dataset 'Shape', the nearest is 'shapes'; see"),
        ("table=99", "leaves no cell; see"),
        ("method=plain & method=SN-D", "leaves no cell; see"),
    ],
)
def test_only_names_the_nearest_value(command: str, only: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert why in said(capsys, command, "x.yaml", "--only", only)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("./x.yaml/1/plian/shapes", "./x.yaml/1/plain/shapes"),
        ("x.yaml/mini/1/SN-D/shape", "x.yaml/1/SN-D/shapes"),
        ("mini/1/Plain/shape", "mini/1/plain/shapes"),
        ("./few.yaml/mini/1/SND/shapes", "./few.yaml/mini/1/SN-D/shapes"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [["show"], ["diff", "mini/1/plain/shapes"], ["enter", "V_g=1", "--by", "me"], ["measure", "x.yaml", "--as"]],
    ids=lambda words: words[0],
)
def test_the_cell_that_is_meant_can_be_pasted(
    command: list[str], given: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("suites").mkdir()
    for file, text in (("suites/mini.yaml", MINI), ("few.yaml", "suite: few\ninclude: [{suite: x}]")):
        Path(file).write_text(text)
    words = [*command, given] if command[0] in ("diff", "measure") else [command[0], given, *command[1:]]
    assert f"no cell '{given}'; did you mean '{meant}'?" in said(capsys, *words)
    assert main(["show", meant]) == 0 and main(["show", "mini/1"]) == 2
    assert capsys.readouterr().err == "ganbench: no cell 'mini/1'; see: ganbench list mini\n"
