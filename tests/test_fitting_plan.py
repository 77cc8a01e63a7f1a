"""``plan`` fits the terminal that it is printed to; where downloads fail, addresses are as they were asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.commands import columns
from benchmark.data import fetch as fetching
from benchmark.data.home import data_root
from benchmark.errors import GanbenchError
from tests.test_working_directory import MINI


def test_no_line_of_a_plan_is_longer_than_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    columns_of = ", ".join(f"{{dataset: shapes, resolution: {size}}}" for size in (28, 32, 36, 40))
    text = MINI.replace(
        "metrics: {V_g: lower},", f"metrics: {{V_g: lower}}, columns: [{columns_of}, {{dataset: mnist}}],"
    )
    Path("mini.yaml").write_text(text.replace("V_g: -0.5", "V_g: [1, 2, 3, 4, 5]"))
    monkeypatch.setattr(columns, "width", lambda: 80)
    for words in (["plan", "mini.yaml"], ["plan", "mini.yaml", "--explain"]):
        assert main(words) == 0
        out = capsys.readouterr().out
        assert "run: ganbench data" in " ".join(out.split()) and max(map(len, out.splitlines())) <= 80, out
    monkeypatch.setattr(columns, "width", lambda: 100_000)
    assert main(["plan", "mini.yaml"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) > 80, "one that is wide is used"


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_an_address_that_failed_is_the_one_that_was_asked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    asked: list[str] = []

    def nowhere(url: str, *more: object) -> Path:
        asked.append(url)
        raise GanbenchError("Name or service not known")

    monkeypatch.setattr(fetching, "download", nowhere)
    monkeypatch.setattr(fetching.shutil, "which", lambda program: None)
    with pytest.raises(GanbenchError) as found:
        fetching.fetch(name, False, str)
    said = str(found.value)
    assert asked and "{" not in said and all(url.rpartition("/")[0] in said for url in asked), said
    assert name != "cifar10" or asked[0] in said
    assert data_root() == tmp_path / "data"
