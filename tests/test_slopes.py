"""Probes of GraN-GAN's section 7 and GAN-SDP's section III: closed forms on players of the test's own, and where suites
measure them.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor, nn

from benchmark.collate.judging.join import join
from benchmark.collate.presenting.site.boxes import FIVE
from benchmark.collate.presenting.site.boxes import boxes as boxes_of
from benchmark.collate.presenting.site.plot import Plot
from benchmark.collate.presenting.site.png import png
from benchmark.collate.presenting.site.svg import svg
from benchmark.collate.presenting.site.symbols import DEFINITIONS, drawn
from benchmark.collate.presenting.site.training import training
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.metrics.names import IMAGE, PAIRS, SLOPES
from benchmark.records.bounds import impossible_in
from benchmark.suite.load import load
from benchmark.suite.model import METRICS
from benchmark.train.gan import Gan
from benchmark.train.pairs import K, means, pairs
from benchmark.train.probes import Probes
from benchmark.train.slopes import DELTAS, box, boxes, slopes
from benchmark.train.twin import twin_of
from tests.conftest import protocol, recipe
from tests.test_collate import record_for

DATA = read("shapes", "train", 28, 1, images=40)


class Own(nn.Module):
    """A D of which all is known: ``h`` of the flattened image, and one block of features that is the image itself."""

    def __init__(self, h: str) -> None:
        super().__init__()
        self.h, self.w = h, nn.Parameter(torch.linspace(-1, 1, 784))

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        flat = x.flatten(1)
        if taps is not None:
            taps.append(flat)
        return {"linear": flat @ self.w, "square": flat.square().sum(1) / 2, "constant": 0 * flat @ self.w}[self.h]


def looked(h: str) -> tuple[Gan, tuple[Tensor, None], tuple[Tensor, None]]:
    gan = Gan(recipe(parts=(), batch_d=8, batch_g=8), 0)
    gan.D = Own(h)
    gan.judges = nn.ModuleList([gan.D])
    real, fake = (torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(i)) / 3 for i in (1, 2))
    return gan, (real, None), (fake, None)


@pytest.mark.parametrize("h", ["linear", "square", "constant"])
def test_slopes_of_known_functions(h: str) -> None:
    """‖w‖ everywhere of ⟨w, x⟩; ‖x‖ of ‖x‖²/2, whose difference along the gradient is ‖x‖ + δ/2; 0 of a constant."""
    gan, real, fake = looked(h)
    found = slopes(lambda: twin_of(gan, 0, 0, 0), real, fake)
    for side, (images, _) in (("real", real), ("fake", fake)):
        norm = {"linear": gan.D.w.detach().norm().expand(8), "square": images.flatten(1).norm(dim=1)}.get(h)
        norm = torch.zeros(8) if norm is None else norm
        more = torch.tensor(DELTAS) / 2 if h == "square" else torch.zeros(len(DELTAS))
        assert torch.allclose(found[f"grad_{side}"], norm, rtol=1e-5)
        assert torch.allclose(found[f"difference_{side}"], norm[:, None] + more, rtol=2e-2)
        assert torch.allclose(found[f"difference_{side}"][:, 1:], norm[:, None] + more[1:], rtol=2e-3)


@pytest.mark.parametrize("eps", [1e-8, 10.0])
def test_gran_has_the_slope_of_its_equation(eps: float) -> None:
    """K·n²/(n² + ε) on a piecewise linear D, by n of the network inside: section 5, equation 16 and after."""
    gan = Gan(recipe(parts=(("gran", {"tau": 1.2, "eps": eps}),), batch_d=8, batch_g=8), 0)
    _, real, fake = looked("linear")
    found = slopes(lambda: twin_of(gan, 0, 0, 0), real, fake)
    x = real[0].clone().requires_grad_()
    n = torch.autograd.grad(gan.D.net(x).sum(), x)[0].flatten(1).norm(dim=1)
    assert torch.allclose(found["grad_real"], n.square() / (n.square() + eps) / 1.2, rtol=1e-4)
    assert eps > 1 or (found["grad_real"] - 1 / 1.2).abs().max() < 1e-4
    within = found["difference_real"][:, 0].median().item()
    assert eps > 1 or within == pytest.approx(1 / 1.2, rel=1e-2), "most steps so short end in the piece they start in"


def test_what_a_box_is_drawn_of() -> None:
    found = box(torch.tensor([5.0, 1, 2, 4, 3], dtype=torch.float64))
    assert found == {
        "value": 3, "std": pytest.approx(math.sqrt(2.5)), "least": 1, "q25": 2, "median": 3, "q75": 4, "most": 5
    }  # fmt: skip
    batch = {"grad_real": torch.ones(2), "difference_real": torch.tensor([[1.0] * 4, [3.0] * 4])}
    joined = boxes([batch, batch])
    assert joined["difference_real"]["value"] == 2 and joined["difference_real"]["most_at_10"] == 3
    assert joined["grad_real"]["std"] == 0 and {f"median_at_{d:g}" for d in DELTAS} <= joined["difference_real"].keys()


def test_pairs_are_those_of_the_equations() -> None:
    """Against loops over the images: the best fakes by score, the nearest real, and each quantity of the two."""
    gan, real, fake = looked("square")
    found = pairs(twin_of(gan, 0, 0, 0), real, fake)
    r, f = (side[0].flatten(1).double() for side in (real, fake))
    best = sorted(range(8), key=lambda i: -f[i].square().sum().item())[:K]
    for n, i in enumerate(best):
        j = min(range(8), key=lambda j: (r[j] - f[i]).norm().item())
        gap = (f[i].square().sum() - r[j].square().sum()) / 2
        apart = (f[i] / f[i].square().sum() - r[j] / r[j].square().sum()).square().sum()  # equation 6, a block
        expected = {
            "pair_gap": gap.square(),
            "pair_feature_gap": apart,
            "pair_slope": gap.abs() / (r[j] - f[i]).norm(),
            "pair_grad": r[j].norm(),  # ∇‖x‖²/2 = x
        }
        assert {m: found[m][n].item() for m in PAIRS} == {
            m: pytest.approx(v.item(), rel=1e-3) for m, v in expected.items()
        }
    joined = means([found, {m: 2 * v for m, v in found.items()}])
    assert joined["pair_grad"]["value"] == pytest.approx(1.5 * found["pair_grad"].mean().item())
    assert joined["pair_grad"]["largest"] == pytest.approx(2 * found["pair_grad"].max().item())


def test_d_loss_is_the_adversarial_loss_alone() -> None:
    """Wasserstein: mean of D on fakes minus that on real images, whatever penalty is trained with."""
    penalty = ("gradient-penalty", {"weight": 10.0, "target": 1.0, "sides": "two"})
    r = recipe(parts=(penalty,), loss=("wasserstein", {}), batch_d=8, batch_g=8)
    asked = protocol(metrics=("D_loss", "D_real", "D_fake"), probe_images=16, every_epochs=None)
    found = Probes(r, asked, DATA).measure(Gan(r, 0), 0, 0)
    assert found["D_loss"]["value"] == pytest.approx(found["D_fake"]["value"] - found["D_real"]["value"], abs=1e-6)
    assert set(found) == {"D_loss", "D_real", "D_fake"} and found["D_loss"]["std"] > 0


@pytest.mark.parametrize("probe", [*SLOPES, *PAIRS])
def test_no_norm_is_negative(probe: str) -> None:
    assert impossible_in(probe, [{"value": -0.1}], 1) and not impossible_in(probe, [{"value": 0.1, "q25": 0.0}], 1)


def test_several_logits_have_no_slope() -> None:
    gan, real, fake = looked("linear")
    gan.D.forward = lambda x, labels=None, taps=None: x.flatten(1)[:, :2]
    with pytest.raises(GanbenchError, match="one logit"):
        slopes(lambda: gan, real, fake)


# --- in the suites --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suite", "table", "rows", "every"),
    [("gran", "Fig3", 5, (50_000, 150)), ("gran", "Fig4", 5, (50_000, 150)), ("sdp", "Fig3b", 5, (1_000, 50))],
)
def test_figures_are_tables_without_numbers(suite: str, table: str, rows: int, every: tuple[int, int]) -> None:
    """Halfway is measured, as the paper draws it; images are not, in any profile."""
    for profile, steps in zip(("full", "reduced"), every):
        cells = [c for c in load(Path(f"suites/{suite}.yaml"), profile).cells if c.table == table]
        assert len(cells) == rows and all(not c.published for c in cells)
        for cell in cells:
            assert cell.protocol.every_steps == steps and not set(cell.protocol.metrics) & set(IMAGE)
            assert suite != "gran" or cell.recipe.steps == 2 * steps


def test_figures_3_and_4_are_one_run() -> None:
    cells = load(Path("suites/gran.yaml")).cells
    assert len({c.protocol.fingerprint() for c in cells if c.table in ("Fig3", "Fig4")}) == 1


ON_TABLE = "table=Fig3b: {every_steps: 50"


def test_a_profiles_protocol_may_differ_by_table_and_nothing_else_may(tmp_path: Path) -> None:
    text = Path("suites/sdp.yaml").read_text()
    assert ON_TABLE in text
    looks = {c.table: c.protocol.every_steps for c in load(Path("suites/sdp.yaml"), "reduced").cells}
    assert looks["Fig3b"] == 50 != looks["Fig3"]
    (tmp_path / "sdp.yaml").write_text(text.replace("network=autogan: {ema: 0.99}", "table=I: {ema: 0.99}"))
    with pytest.raises(GanbenchError, match="table"):
        load(tmp_path / "sdp.yaml", "reduced")


# --- drawn ----------------------------------------------------------------------------------------------------------


def shown(table: str, history: list[dict[str, object]]) -> list[Plot]:
    """What the site draws of a table one of whose cells has such a run, in profile ``reduced``."""
    paper = table.split("/")[0]
    suite = load(Path(f"suites/{paper}.yaml"), "reduced")
    cell = next(c for c in suite.cells if c.table == table.split("/")[1])
    record = dataclasses.replace(
        record_for(cell, 0, {}), history=history, final=history[-1], total_steps=300, steps=300
    )
    joined = join(suite, [record])[table]
    return boxes_of(table, joined) or training(table, joined)


def test_boxes_stand_where_training_is_halfway() -> None:
    """Two a method, or two a δ; and their numbers in words, for those who do not see them."""
    names = [f"{key}{at}" for at in ("", *(f"_at_{d:g}" for d in DELTAS)) for key in FIVE]
    at = [
        {"step": step, "epoch": 0}
        | {m: {"value": 1.0, **{n: step + i + 1.0 for i, n in enumerate(names)}} for m in SLOPES}
        for step in (0, 150, 300)
    ]
    (norms,) = shown("gran/Fig3", at)
    assert [y for _, y in norms.marks[0].points] == [151, 152, 153, 154, 155] and len(norms.marks) == 2
    assert "153 (152 to 154, all 151 to 155)" in norms.text
    assert norms.marks[0].points[0][0] < norms.marks[1].points[0][0]
    (differences,) = shown("gran/Fig4", at)
    assert len(differences.marks) == 2 * len(DELTAS) and [n for _, n in differences.x.ticks] == [
        "0.01",
        "0.1",
        "1",
        "10",
    ]
    at[1]["grad_fake"] = {"value": None, **dict.fromkeys(FIVE)}
    assert len(shown("gran/Fig3", at)[0].marks) == 1, "what is not finite is not drawn"
    for plot in (norms, differences):
        drawn = ElementTree.fromstring(svg(plot))
        assert len([e for e in drawn.iter() if "Z" in e.get("d", "")]) == len(plot.marks)
        assert png(plot).startswith(b"\x89PNG") and png(plot) == png(plot)


def test_a_figure_of_curves_has_one_for_each_metric() -> None:
    at = [{"step": n, "epoch": 0} | {m: {"value": 1.0 + n} for m in ("D_loss", *PAIRS)} for n in (0, 150, 300)]
    assert [p.title.split()[0] for p in shown("sdp/Fig3b", at)] == ["D_loss", *PAIRS]


def test_a_method_has_one_colour_in_all_of_them() -> None:
    suite, records = load(Path("suites/sdp.yaml"), "reduced"), []
    cells = [c for c in suite.cells if c.table == "Fig3b"][:3]
    for lacks, cell in zip(("D_loss", *PAIRS[:2]), cells):
        at = [
            {"step": n, "epoch": 0} | {m: {"value": 1.0 + n} for m in ("D_loss", *PAIRS) if m != lacks}
            for n in (0, 300)
        ]
        records.append(
            dataclasses.replace(record_for(cell, 0, {}), history=at, final=at[-1], total_steps=300, steps=300)
        )
    plots = training("sdp/Fig3b", join(suite, records)["sdp/Fig3b"])
    found = {(m.label.partition(":")[0], m.style) for plot in plots for m in plot.marks}
    assert sorted(style for _, style in found) == ["s0", "s1", "s2"] and len(plots) == 1 + len(PAIRS)


def test_every_metric_has_a_symbol_and_a_meaning() -> None:
    assert tuple(m for m in METRICS if m in DEFINITIONS) == METRICS
    for m in METRICS:
        ElementTree.fromstring(f"<text>{drawn(m)}</text>")
