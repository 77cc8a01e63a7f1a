"""Cells that try what the papers leave open: which fields they change, and that nothing else differs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.collate.judging.join import join
from benchmark.collate.judging.recipes_apart import fields_apart
from benchmark.collate.presenting.report import judged_claims
from benchmark.errors import GanbenchError
from benchmark.methods import chain, non_saturating
from benchmark.methods.part import Moment, Side
from benchmark.suite.load import load
from benchmark.suite.model import Cell

ROOT = Path(__file__).resolve().parents[1]
CHAIN = dict(version="batch", norm="arms", weight=20, p0=0.0, tau=0.5, delta_p=0.001, start=0, decay=0.0, eps=1e-5)


def cells(paper: str, table: str) -> dict[str, Cell]:
    """The cells of one table, by id without paper and table."""
    return {c.id.split("/", 2)[2]: c for c in load(ROOT / f"suites/{paper}.yaml").cells if c.table == table}


def moves(r_decay: dict[str, float], signs: list[float]) -> list[tuple[float, float]]:
    """(r, p) after each update with D's outputs on real images all of a sign."""
    part = chain.build(**CHAIN, blocks="all", **r_decay)
    found = []
    for sign in signs:
        side = Side(torch.empty(0), torch.empty(0), sign * torch.ones(8), [])
        loss, empty = non_saturating.build(d_scale=1.0), torch.empty(0)
        pair = nn.Identity(), nn.Identity()
        part.after_d(Moment(0, *pair, side, side, empty, loss, torch.zeros(()), torch.Generator()))
        found.append((part.r, part.shared.p))
    return found


def test_chains_r_is_smoothed_as_its_recipe_says() -> None:
    assert moves({"r_decay": 0.0}, [1, 1, -1]) == [(1.0, 0.001), (1.0, 0.002), (-1.0, 0.001)]  # as the slides print it
    assert moves({}, [1, 1, -1]) == moves({"r_decay": 0.9}, [1, 1, -1])  # existing recipes: the released code's 0.9
    assert [r for r, _ in moves({}, [1, 1])] == pytest.approx([0.1, 0.19])


@pytest.mark.parametrize("r_decay", [1.0, -0.1, 1.5, float("nan")])
def test_an_r_that_would_never_move_is_refused(r_decay: float) -> None:
    with pytest.raises(GanbenchError, match="at least 0 and less than 1"):
        moves({"r_decay": r_decay}, [])


def test_chain_as_the_slides_print_it_stands_beside_the_released_defaults() -> None:
    rows = cells("chain", "open")
    slides, released, plain = (
        rows[f"{m}/cifar10@10%"].full_recipe for m in ("BigGAN+CHAIN (slides)", "BigGAN+CHAIN", "BigGAN")
    )
    said = {"version": "batch", "start": 0, "decay": 0.0, "r_decay": 0.0}
    assert dict(slides.parts)["chain"] == dict(released.parts)["chain"] | said
    assert "r_decay" not in dict(released.parts)["chain"] and fields_apart(slides, released) == []
    assert fields_apart(slides, plain) == ["d_pass separate / joint"]


def test_gran_k_is_tried_on_every_data_set_of_its_tables() -> None:
    rows, published = cells("gran", "K"), cells("gran", "2") | cells("gran", "3")
    columns = {name.split("/")[1] for name in published}
    assert {name.split("/")[1] for name in rows} == columns and len(rows) == 3 * len(columns)
    for name, cell in rows.items():
        own = published[f"GraND-GAN/{name.split('/')[1]}"].full_recipe
        mine, theirs = dict(cell.full_recipe.parts)["gran"], dict(own.parts)["gran"]
        assert fields_apart(cell.full_recipe, own) == [] and {**mine, "tau": 0} == {**theirs, "tau": 0}
        assert f"τ={mine['tau']:g}" in name


def test_the_tuned_rows_k_is_tried_where_they_stand() -> None:
    rows, published = cells("gran", "K-tuned"), cells("gran", "2") | cells("gran", "3")
    assert len(rows) == 4 * 3 * 5
    for name, cell in rows.items():
        method, column = name.split("/")
        if "K=1" in method:  # the rows that are not tuned
            assert cell.full_recipe == published[f"{method.partition(' ')[0]}/{column}"].full_recipe
            continue
        own = published[f"{method.partition(' ')[0]}†/{column}"].full_recipe
        mine, theirs = dict(cell.full_recipe.parts), dict(own.parts)
        part, argument = ("gradient-penalty", "target") if "GP" in method else ("output-scale", "k")
        assert fields_apart(cell.full_recipe, own) == [] and mine.keys() == theirs.keys()
        assert {**mine[part], argument: 0} == {**theirs[part], argument: 0} and f"K={mine[part][argument]:g}" in name


def test_granc_differs_from_itself_in_the_loss_alone() -> None:
    rows = cells("gran", "losses")
    for column in ("cifar10", "lsun-bedroom", "celeba"):
        own = rows[f"GraNC-GAN/{column}"].full_recipe
        for loss in ("hinge", "Wasserstein"):
            other = rows[f"GraNC-GAN ({loss})/{column}"].full_recipe
            assert fields_apart(own, other) == [f"loss soft-hinge / {loss.lower()}"] and own.parts == other.parts


@pytest.mark.parametrize(
    ("paper", "claim", "name", "supports"),
    [
        ("gran", "tuning-k-elsewhere", "not judged", 0),
        ("gran", "soft-hinge-beats-hinge", "not judged", 0),
        ("gran", "wasserstein-is-unstable", "not judged", 0),
        ("gran", "smaller-k-on-larger-images", "not judged", 0),
        ("chain", "lowers-latent-gradients", "not judged", 0),
        ("chain", "improves-generalization-slides", "not judged", 0),
    ],
)
def test_their_sentences_are_claims(paper: str, claim: str, name: str, supports: int) -> None:
    suite = load(ROOT / f"suites/{paper}.yaml")
    (judged,) = (c for c in judged_claims(suite, join(suite, [])) if c.claim.id == claim)
    assert (judged.published.name, len(judged.published.supports)) == (name, supports)
