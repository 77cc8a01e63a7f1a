"""Profile ``overfit`` of the tables of few images: rows that are compared see the same images as often, and D is probed
with images that it has not seen.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.data.cards import card
from benchmark.metrics.real import held_out
from benchmark.suite.load import load
from benchmark.suite.model import Cell

COMPARED = {
    "fewshot": ("FastGAN-D_big", "FastGAN-D_big+CHAIN"),
    "100shot": ("StyleGAN2", "StyleGAN2+CHAIN", "DA", "DA+CHAIN"),
}


@pytest.fixture(scope="module")
def cells() -> tuple[Cell, ...]:
    return load(Path("suites/chain.yaml"), "overfit").cells


@pytest.mark.parametrize("table", COMPARED)
def test_compared_rows_differ_by_their_parts_only(table: str, cells: tuple[Cell, ...]) -> None:
    rows = [c for c in cells if c.table == table and c.method in COMPARED[table]]
    assert {c.method for c in rows} == set(COMPARED[table])
    alike = {tuple(str(v) for k, v in c.recipe.to_json().items() if k != "parts") for c in rows}
    measured = {str(dataclasses.replace(c.protocol, seeds=None).to_json()) for c in rows}
    assert len(alike) == len(measured) == 1


@pytest.mark.parametrize("table", COMPARED)
def test_d_is_probed_with_a_hundred_images_long_enough_and_with_others(table: str, cells: tuple[Cell, ...]) -> None:
    for c in (c for c in cells if c.table == table and c.method in COMPARED[table]):
        r, held = c.recipe, held_out(c.recipe, c.protocol)
        images = card(r.dataset).split(r.split)["count"]
        assert images == 100 and r.images is None and r.resolution == 64
        assert held is not None and held.split == "test"
        assert r.batch_d <= (c.protocol.probe_images or 0) <= card(r.dataset).split("test")["count"]
        assert (r.steps or 0) * r.n_dis * r.batch_d / images >= 400
        assert c.protocol.checkpoint == "last" and (r.steps or 0) / (c.protocol.every_steps or 1) == 10
