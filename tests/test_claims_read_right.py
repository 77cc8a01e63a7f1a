"""Claims on the rows, and by the margins, that their sentences are about: verdicts against numbers typed in from the
papers by hand, not read from the suites.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
import torch

from benchmark.cli import main
from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.join import join
from benchmark.collate.presenting.report import judged_claims
from benchmark.methods import translations
from benchmark.suite.claim import Check, Rank
from benchmark.suite.load import load, load_all
from benchmark.suite.nodes import SuiteError
from benchmark.suite.words import MARGINS

ROOT = Path(__file__).resolve().parents[1]


@functools.cache
def judged(paper: str) -> dict[str, JudgedClaim]:
    """Every claim of a paper, by the published numbers alone."""
    suite = load(ROOT / f"suites/{paper}.yaml")
    return {c.claim.id: c for c in judged_claims(suite, join(suite, []))}


def counts(claim: JudgedClaim) -> tuple[str, int, int, int]:
    """Verdict, and comparisons for, against and left out."""
    p = claim.published
    return p.name, len(p.supports), len(p.contradicts), len(p.undecided)


def test_sdp_mitigates_collapse_is_about_the_aggressive_settings() -> None:
    claim = judged("sdp")["mitigates-collapse"]
    pairs = {
        "WGAN-GP-SDP (lr=0.001) 38.55, WGAN-GP (lr=0.001) 116.69",
        "WGAN-GP-SDP (No Norm) 34.76, WGAN-GP (No Norm) 49.74",
    }
    assert counts(claim) == ("holds", 2, 0, 0)
    assert set(claim.published.supports) == {f"FID cifar10: {pair}" for pair in pairs}


SAID = {
    r"[Ss]ignifican(t|ce)": "significantly",
    r"much (smaller|larger|better)|substantially": "much",
    r"same as|equal quality|almost as good|little impact|no clear difference": "equally",
    r"slightly": "slightly",
    r"competitive|comparable|small margin": "competitively",
    r"quite robust|still be well trained": "robustly",
}
OTHERWISE = {
    "sdp/improves-almost-all": "weaker reading",  # significantly-improves-almost-all has the word
    "theory/larger-domain-better": "slightly-worse-domain",
}
EVERY = [(s.name, c) for s in load_all([]) for c in s.claims]


def test_every_word_for_a_difference_has_its_one_meaning_in_all_papers() -> None:
    found = []
    for paper, claim in EVERY:
        for pattern, word in SAID.items():
            if not re.search(pattern, claim.quote):
                continue
            if hint := OTHERWISE.get(f"{paper}/{claim.id}"):
                assert hint in claim.note
                continue
            shares = {leaf.margin for leaf in claim.leaves() if isinstance(leaf, Check)}
            assert MARGINS[word] in shares or -MARGINS[word] in shares, (paper, claim.id, word)
            found.append((paper, claim.id))
    assert len(found) >= 15 and {paper for paper, _ in found} >= {"gran", "pgn", "sdp", "theory"}


def test_a_margin_is_a_percentage_or_a_known_word(tmp_path: Path) -> None:
    text = (ROOT / "suites/sdp.yaml").read_text(encoding="utf-8")
    for old, new, known in (("by: robustly", "by: robust", "robustly"), ("within: equally", "within: much", "equally")):
        assert old in text
        (tmp_path / "sdp.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(SuiteError, match=f"sdp.yaml:\\d+.*percentage.*{known}"):
            load(tmp_path / "sdp.yaml")


@pytest.mark.parametrize(
    ("paper", "name", "expected"),
    [
        ("theory", "slightly-worse-domain", ("holds", 2, 0, 0)),  # V_g 4 %, D_G 3 %
        ("gran", "better-or-competitive", ("fails", 64, 1, 0)),
    ],
)
def test_words_decide(paper: str, name: str, expected: tuple[str, int, int, int]) -> None:
    assert counts(judged(paper)[name]) == expected


def test_tuning_k_has_a_margin_and_leaves_out_what_neither_reached() -> None:
    claim = judged("gran")["tuning-k-gains"]
    assert claim.published.name == "holds"  # each of the four somewhere
    by_table = {t: [0, 0, 0] for t in ("2", "3")}
    of_2 = ("cifar10", "cifar100", "stl10")
    for i, texts in enumerate((claim.published.supports, claim.published.contradicts, claim.published.undecided)):
        for text in texts:
            by_table["2" if text.split()[1].rstrip(":") in of_2 else "3"][i] += 1
    assert by_table == {"2": [4, 8, 0], "3": [4, 3, 1]}  # WGAN-GP† beside WGAN-GP on CelebA: two dashes


def test_convergence_is_by_fid() -> None:
    claim = judged("gran")["nsgan-does-not-converge"]
    assert counts(claim) == ("holds", 3, 0, 0)  # NSGAN on both data sets, WGAN-GP on CelebA


@pytest.mark.parametrize(
    ("paper", "name", "line"),
    [
        (
            "pgn",
            "better-than-gn-gan",
            "PGN-GAN[CNN], GN-GAN[CNN] (stl10); PGN-GAN-CR[CNN], GN-GAN-CR[CNN] (stl10): network.init kaiming / N02, "
            "loss hinge / non-saturating, steps 500000 / 200000",
        ),
        (
            "pgn",
            "better-than-gn-gan",
            "PGN-GAN[ResNet], GN-GAN[ResNet] (stl10); PGN-GAN-CR[ResNet], GN-GAN-CR[ResNet] (stl10): "
            "steps 500000 / 200000",
        ),
        ("sdp", "mitigates-collapse", "2 pair(s) of recipes: nothing beside the method's parts"),
        ("gran", "figure-1-order", "GraND-GAN, SNGAN (lsun-bedroom): loss non-saturating / hinge"),
        ("chain", "reduces-discrepancies", "BigGAN+CHAIN, BigGAN (cifar10@10%): d_pass separate / joint"),
        ("theory", "larger-domain-better", "B_z=10^2[MLP], B_z=10^0[MLP] (mnist): z_scale 100.0 / 1.0"),
    ],
)
def test_a_claim_shows_in_what_its_recipes_differ_beside_the_method(paper: str, name: str, line: str) -> None:
    assert line in judged(paper)[name].recipes


def test_columns_differ_by_design_and_every_pair_of_one_column_is_counted() -> None:
    assert judged("sdp")["cifar100-is-harder"].recipes == ()
    for paper in ("chain", "gran", "pgn", "sdp", "theory"):
        for claim in judged(paper).values():
            within = {
                (leaf.a.cell, b.cell)
                for leaf in claim.claim.leaves()
                for b in (leaf.rivals if isinstance(leaf, Rank) else (leaf.b,))
                if b and leaf.a.cell.rsplit("/", 1)[1] == b.cell.rsplit("/", 1)[1] and leaf.a.cell != b.cell
            }
            assert bool(within) == bool(claim.recipes), (paper, claim.claim.id)


def test_the_command_prints_the_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "sdp", "--published-only"]) == 0
    out = capsys.readouterr().out
    assert "sdp: sn-gan-sdp-best" in out and "  recipes: SN-GAN-SDP, LSGAN (cifar10, cifar100)" in out


def test_pgn_at_equal_recipes_differs_in_the_method_alone() -> None:
    claim = judged("pgn")["better-than-gn-gan-equal"]
    assert claim.recipes == ("6 pair(s) of recipes: nothing beside the method's parts",)
    cells = {c.id: c for c in load(ROOT / "suites/pgn.yaml").cells}
    equal = {name: c.full_recipe for name, c in cells.items() if c.table == "equal"}
    assert {r.steps for r in equal.values()} == {200000} and len(equal) == 14
    released = equal["pgn/equal/PGN-GAN (BCE, N02)[CNN]/stl10"]
    assert released.loss[0] == "non-saturating" and released.network[1]["init"] == "N02"
    for name in ("GN-GAN (BCE, N02)[CNN]", "GN-GAN[ResNet]"):  # GN-GAN's own rows: nothing more to train
        backbone = name[-5:] if name.endswith("[CNN]") else "[ResNet]"
        assert equal[f"pgn/equal/{name}/stl10"] == cells[f"pgn/IV/GN-GAN{backbone}/stl10"].full_recipe


def test_the_sentence_on_gn_gans_losses_is_tested_on_gn_gan() -> None:
    numbers = judged("pgn")["loss-matters-little"].claim.numbers()
    assert numbers and all("/GN-GAN " in n.cell for n in numbers)
    assert judged("pgn")["loss-matters-little"].recipes == (
        "GN-GAN (hinge, N02)[CNN], GN-GAN (BCE, N02)[CNN] (cifar10, stl10): loss hinge / non-saturating",
    )


def test_claims_of_pgn_over_gn_say_that_more_differs() -> None:
    said = [
        name
        for name, c in judged("pgn").items()
        if any("PGN-GAN[CNN], GN-GAN" in line and "steps 500000 / 200000" in line for line in c.recipes)
    ]
    assert len(said) >= 5
    assert all("differ in more than the method" in judged("pgn")[name].claim.note for name in said)
    note = judged("pgn")["state-of-the-art-for-most"].claim.note
    assert "4 of 5" in note and "3 of 3" in note


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no-norm-diverges", ("holds", 1, 0, 0)),  # 49.74 is 31 % above 38.06
        ("tiny-imagenet-is-hardest", ("holds", 8, 0, 0)),  # 39.14, 38.50, … below 61.45, 53.91, …
        ("improves-under-sums", ("not judged", 0, 0, 0)),
    ],
)
def test_sdps_sentences_that_nothing_held_it_to(name: str, expected: tuple[str, int, int, int]) -> None:
    assert counts(judged("sdp")[name]) == expected


def test_sums_over_the_batch_weigh_sdp_a_64th() -> None:
    rows = {c.method: c.full_recipe for c in load(ROOT / "suites/sdp.yaml").cells if c.table == "readings"}
    for method in ("LSGAN-SDP", "WGAN-GP-SDP", "SN-GAN-SDP"):
        means, sums = (dict(rows[name].parts)["sdp"] for name in (method, f"{method} (sums)"))
        assert sums == means | {"weight": 0.01 / 64} and rows[method].batch_d == 64
    assert [rows[f"{m} (one D step)"].n_dis for m in ("AutoGAN", "AutoGAN-SDP")] == [1, 1]


def test_what_another_table_lacks_is_refused_by_name(tmp_path: Path) -> None:
    text = (ROOT / "suites/sdp.yaml").read_text(encoding="utf-8")
    for old, new, said in (
        ("against: II", "against: IV", "IV"),
        ("{LSGAN: LSGAN, LSGAN-SDP", "{LSGAN: LSGEN, LSGAN-SDP", "LSGAN"),
    ):
        at = text.index("tiny-imagenet-is-hardest")
        (tmp_path / "sdp.yaml").write_text(text[:at] + text[at:].replace(old, new, 1), encoding="utf-8")
        with pytest.raises(SuiteError, match=f"sdp.yaml:\\d+.*{said}"):
            load(tmp_path / "sdp.yaml")


def test_augmentation_without_shifts_and_of_fakes_alone_stand_beside_table_2() -> None:
    cells = {c.id: c for c in load(ROOT / "suites/theory.yaml").cells}
    rows = {c.method: c.full_recipe for c in cells.values() if c.table == "augmented"}
    assert rows["sigma=0"] == cells["theory/Fig1/SN-D[MLP]/mnist"].full_recipe
    for sigma in ("sigma=sqrt(2)", "sigma=sqrt(24)"):
        assert rows[sigma] == cells[f"theory/2/{sigma}[MLP]/mnist"].full_recipe
        both, fakes = (dict(rows[name].parts)["translations"] for name in (sigma, f"{sigma} fake"))
        assert fakes == both | {"of": "fake"} and "of" not in both
    figure = {c.method: c.full_recipe for c in cells.values() if c.table == "Fig4"}
    assert figure == {name: rows[name] for name in ("sigma=sqrt(2)", "sigma=sqrt(24)")}


@pytest.mark.parametrize(("of", "real", "copies"), [("both", True, 4), ("fake", True, 1), ("fake", False, 4)])
def test_translations_of_fakes_leave_real_images_alone(of: str, real: bool, copies: int) -> None:
    images = torch.rand(2, 1, 8, 8)
    part = translations.build(shift=2, copies=3, fill=-1.0, of=of)
    seen = part.augment(images, real, torch.Generator().manual_seed(0))
    assert len(seen) == 2 * copies and torch.equal(seen[:2], images)


FIGURE_1 = ("unsteady-without-penalty", "sn-on-g-learns-nothing", "sn-on-d-behaves-well", "both-avoid-it")


def test_theorys_figures_are_held_to_their_captions_by_our_runs() -> None:
    for name in (*FIGURE_1, "no-clear-difference-third-panel", "fakes-alone-constrain-d", "augmentation-regularises"):
        assert counts(judged("theory")[name]) == ("not judged", 0, 0, 0)
