"""Numbers as people write them on a command line: plain digits, within bounds. What is none is said in words."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError
from collections.abc import Callable

WHOLE = re.compile(r"[+-]?[0-9]+")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
ONE = (
    r"([+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*"  # 1,234.5
    r"|[+-]?[0-9]{1,3}\.[0-9]{3},[0-9]+"  # 1.234,5
    r"|[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?)"  # 24,1
)
SOME = re.compile(f"{ONE}(,{ONE})*")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3}){2,}")  # 1,234,567
"""Values of several trainings, or numbers as some locales write them."""
LONGEST = 30  # digits; Python itself refuses to read thousands
SHOWN = 40  # characters of a wrong value

MOST_SEEDS = 10_000
LARGEST = 1e100
MOST_GPUS = 10_000
MANY = 100_000  # cores, threads, runs at a time
MOST_EPOCHS = 1_000_000_000
CENTURY_S = 100 * 365 * 86400.0  # longer than anybody waits, and short enough for whatever counts seconds


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number between these, both included."""

    def read(text: str) -> int:
        if not WHOLE.fullmatch(text):
            raise ArgumentTypeError(f"{shown(text)} is no whole number such as 3")
        value = int(text[:LONGEST])  # of a longer one, enough to see that it is out of bounds
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be at least {least:,} and at most {most:,}")
        return value

    return read


def decimal(least: float, most: float, example: str) -> Callable[[str], float]:
    """The type of an option that takes a number between these, both included; never nan or an infinity."""

    def read(text: str) -> float:
        if not DECIMAL.fullmatch(text):
            raise ArgumentTypeError(f"{shown(text)} is no number such as {example}")
        if not least <= (value := float(text)) <= most:
            raise ArgumentTypeError(f"must be at least {least:g} and at most {most:,.16g}")
        return value

    return read


def time(least_s: float = 0.0) -> Callable[[str], float]:
    """The type of an option that takes a time such as 90min; in seconds."""

    def read(text: str) -> float:
        from benchmark.plan.budget import parse_hours

        try:
            value = parse_hours(text)
        except ValueError:
            raise ArgumentTypeError(f"{shown(text)} is no time such as 500h, 90min or 2d") from None
        if not least_s <= value <= CENTURY_S:
            raise ArgumentTypeError(f"must be at least {least_s:g} s and at most a hundred years")
        return value

    return read


def cores(text: str) -> int:
    """So many cores of this machine, which it must have."""
    value, there = whole(1, MANY)(text), os.cpu_count() or 1
    if value > there:
        raise ArgumentTypeError(f"{value:,} are more than this machine's {there}")
    return value


def priority(text: str) -> tuple[str, int]:
    """``gran=2``: a suite and its number."""
    name, _, number = text.rpartition("=")
    if not name or not WHOLE.fullmatch(number):
        raise ArgumentTypeError(f"{shown(text)} is no priority such as gran=2")
    return name, whole(-MANY, MANY)(number)


def numbers(text: str) -> tuple[str, list[float]]:
    """``FID=12.3``, or ``FID=12.3,12.9``: a metric and its value of each training."""
    name, _, values = text.partition("=")
    found = values.split(",")
    if not name or not all(DECIMAL.fullmatch(value.strip()) for value in found):
        raise ArgumentTypeError(f"{shown(text)} is no number such as FID=12.3 (of several trainings: FID=12.3,12.9)")
    together = "".join(values.split())
    if SOME.fullmatch(together) or GROUPED.fullmatch(together):
        raise ArgumentTypeError(f"{shown(text)} may be one number or several: {_two_ways(together)}")
    return name, [decimal(-LARGEST, LARGEST, "12.3")(value.strip()) for value in found]


def _two_ways(values: str) -> str:
    """How to write what has commas as a number, or as numbers of several trainings."""
    if SOME.fullmatch(values):
        one = f"{re.sub(ONE, lambda found: _pointed(found[0]), values)} with a point"
    else:
        one = f"{values.replace(',', '')} without commas"
    each = values.split(",")
    several = ",".join(f"{value}.0" if WHOLE.fullmatch(value) else value for value in each)
    return f"write {one}, or {several} for {len(each)} trainings"


def _pointed(number: str) -> str:
    """A number of some locale as Python writes it."""
    if "." in number and number.index(",") < number.index("."):
        return number.replace(",", "")
    return number.replace(".", "").replace(",", ".")


def shown(text: str) -> str:
    """A wrong value in quotation marks, cut where it is long."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
