"""A tolerance that would take nearly any number for the published one does not pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from tests.test_decide import write


@pytest.mark.parametrize("relative", ["1", "1.0", "5", "100", "1.0e+30"])
def test_all_of_the_number_and_more_is_refused_by_every_command(
    relative: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "tiny.yaml")
    path.write_text(path.read_text().replace("relative: 0.100000000", f"relative: {relative}"))
    for command in (["list", str(path), "--check"], ["plan", str(path)]):
        assert main(command) == 2
        said = "".join(capsys.readouterr())  # list --check: all faults, on standard output
        assert f"{path}:5:29: a tolerance is a share" in said and f" {100 * float(relative):g} %" in said


@pytest.mark.parametrize(("relative", "found"), [(0.99, True), (0.5, True), (0.26, True), (0.25, False), (0.05, False)])
def test_a_wide_one_is_found_by_check(
    relative: float, found: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "tiny.yaml", band=relative)
    main(["list", str(path), "--check"])
    assert (f"tiny: a tolerance of {100 * relative:g} % for V_g" in capsys.readouterr().out) == found


@pytest.mark.parametrize("within", ["100%", "500%", "-1%"])
def test_a_claim_of_closeness_needs_a_share_too(within: str, tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.yaml")
    claim = f"claims: [{{id: x, quote: q, where: w, holds: {{table: '1', close: {{A: B}}, within: {within}}}}}]\n"
    path.write_text(path.read_text() + claim)
    with pytest.raises(SuiteError, match=r"tiny.yaml:\d+:\d+: expected at least 0% and less than 100%"):
        load(path)
    path.write_text(path.read_text().replace(f"within: {within}", "within: 0%"))
    assert len(load(path).claims) == 1
