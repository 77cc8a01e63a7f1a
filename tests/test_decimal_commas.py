"""Numbers with a comma, on the command line: never taken for what may not be meant."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from benchmark.arguments.numbers import numbers
from benchmark.cli import main


@pytest.mark.parametrize(
    ("given", "one", "several"),
    [
        ("24,1", "24.1", "24.0,1.0"),
        ("-0,5", "-0.5", "-0.0,5.0"),
        ("24, 1", "24.1", "24.0,1.0"),
        ("877,05", "877.05", "877.0,05.0"),
        ("2,4e1", "2.4e1", "2.0,4e1"),
        ("24,1,25,3", "24.1,25.3", "24.0,1.0,25.0,3.0"),
        ("1,234.5", "1234.5", "1.0,234.5"),
        ("1.234,5", "1234.5", "1.234,5.0"),
        ("1,234,567.8", "1234567.8", "1.0,234.0,567.8"),
        ("-1,234.5,1,300.2", "-1234.5,1300.2", "-1.0,234.5,1.0,300.2"),
        ("1.234,56,2.345,67", "1234.56,2345.67", "1.234,56.0,2.345,67.0"),
        ("2,4e1,2,5e1", "2.4e1,2.5e1", "2.0,4e1,2.0,5e1"),
        ("24,1,1.234,5", "24.1,1234.5", "24.0,1.0,1.234,5.0"),
    ],
)
def test_what_may_be_a_decimal_comma_is_refused_and_both_ways_to_write_it_are_read(
    given: str, one: str, several: str
) -> None:
    with pytest.raises(ArgumentTypeError) as refused:
        numbers(f"FID={given}")
    assert f"write {one} with a point, or {several} for " in str(refused.value)
    for written in (one, several):
        assert numbers(f"FID={written}") == ("FID", [float(value) for value in written.split(",")])


def test_groups_of_a_whole_number_too() -> None:
    with pytest.raises(ArgumentTypeError, match="write 1234567 without commas, or 1.0,234.0,567.0 for 3 trainings"):
        numbers("FID=1,234,567")


@pytest.mark.parametrize("given", ["24", "24.1", "24.0,1.0", "24,25,23", "12.3,13", "12.3,12.9", "1e1,2e1", "24,-1"])
def test_what_cannot_be_one_is_read(given: str) -> None:
    assert numbers(f"FID={given}")[1] == [float(value) for value in given.split(",")]


def test_nothing_is_entered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["enter", "gran/2/NSGAN/cifar10", "FID=24,1", "--by", "me", "--results", str(tmp_path)])
    assert ended.value.code == 2 and "write 24.1 with a point" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
