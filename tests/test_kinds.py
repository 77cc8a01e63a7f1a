"""The kind of a value is data: it follows its value, the linter asks for it, and no key of a run knows it."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import yaml

import benchmark as gb
from benchmark.cli import main
from benchmark.suite.file import read
from benchmark.suite.kinds import KINDS, in_words, of_field
from benchmark.suite.lint import lint, unkinded
from benchmark.suite.load import load_node
from benchmark.suite.model import Cell
from benchmark.suite.nodes import Node, SuiteError
from tests.home import ROOT

PAPERS = ("chain", "pgn", "gran", "sdp", "theory")
MINI = """
suite: mini
paper: {title: t, venue: v}
protocol:
  {metrics: [V_g], generated: 8, bn_mode: eval, weights: raw, checkpoint: last, std_of: noises, every_epochs: 1,
  notes: {rest: r}, kinds: {inferred: [rest]}}
tolerance: {V_g: {relative: 0.05, source: s}}
recipes:
  A:
    {dataset: shapes, split: train, resolution: 28, channels: 1, data_percent: 100,
    network: {name: mlp, width: 0.1, bn_eps: 0.8}, z_dim: 10, z_distribution: normal, z_scale: 1.0,
    loss: {name: non-saturating, d_scale: 0.5}, parts: [spectral-norm: {player: D}], batch_d: 8, batch_g: 8, n_dis: 1,
    epochs: 1, drop_last: false, player_order: g-first, share_fakes: true, d_pass: separate, optimizer: adam,
    lr_g: 2.0e-4, lr_d: 2.0e-4, beta1: 0.5, beta2: 0.999, adam_eps: 1.0e-8, precision: float32,
    stated: {page 1: [z_dim]}, notes: {rest: r},
    kinds: {code: [rest], stated: [parts], chosen: [n_dis, network.width, parts.spectral-norm.player]}}
  B: {from: A, BLOCK}
tables:
  "1": {caption: c, metrics: {V_g: lower}, TABLE rows: {B: {ROW V_g: NUMBER}}}
"""


def mini(tmp_path: Path, block: str = "", table: str = "", row: str = "", number: str = "-0.5") -> Path:
    path = tmp_path / "mini.yaml"
    text = MINI.replace("BLOCK", block).replace("TABLE", table).replace("ROW", row).replace("NUMBER", number)
    path.write_text(text.replace("{from: A, }", "{from: A}"), encoding="utf-8")
    return path


@functools.cache
def cells(paper: str) -> tuple[Cell, ...]:
    return gb.load(ROOT / f"suites/{paper}.yaml").cells


def cell(path: Path) -> Cell:
    return gb.load(path).cells[0]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_value_of_the_papers_suites_has_a_kind(paper: str) -> None:
    for c in cells(paper):
        assert not unkinded(c), c.id
        assert set(c.kinds.values()) <= set(KINDS)
        for field in c.stated:  # an argument may be of another kind than its field
            assert "stated" in of_field(c.kinds, field).values() or (field == "parts" and not c.full_recipe.parts)
        for field, why in c.notes.items():
            if "unknown: chosen)" in why and field in ("parts", "loss", "steps", "epochs", "checkpoint", "best_by"):
                assert "chosen" in of_field(c.kinds, field).values(), (c.id, field)


@pytest.mark.parametrize(
    ("name", "field", "kind"),
    [
        ("gran/2/GraND-GAN/cifar10", "parts.gran.tau", "inferred"),
        ("gran/2/GraND-GAN/cifar100", "parts.gran.tau", "chosen"),
        ("gran/3/GraNC-GAN/celeba", "parts.gran.tau", "chosen"),
        ("gran/2/SNGAN†/cifar10", "parts.output-scale.k", "chosen"),
        ("gran/2/SNGAN/cifar10", "lr_decay", "lineage"),
        ("gran/2/NSGAN/stl10", "lr_g", "chosen"),
        ("gran/Fig2/GraND-GAN (A)/cifar10", "lr_g", "stated"),
        ("pgn/II/PGN-GAN[ResNet]/cifar10", "lr_d", "stated"),
        ("pgn/II/PGN-GAN[ResNet]/cifar10", "parts.pgn.form", "stated"),
        ("pgn/IV/PGN-GAN[CNN]/stl10", "steps", "inferred"),
        ("pgn/II/GN-GAN[CNN]/cifar10", "lr_d", "lineage"),
        ("pgn/VI/SN-GAN/celeba-hq@256px", "steps", "chosen"),
        ("chain/cifar/BigGAN+CHAIN/cifar10@10%", "d_pass", "stated"),
        ("chain/cifar/BigGAN+CHAIN/cifar10@10%", "parts.chain.blocks", "chosen"),
        ("chain/fewshot/FastGAN-D_big+CHAIN/shells", "parts.chain.p0", "code"),
        ("chain/fewshot/FastGAN-D_big+CHAIN/pokemon", "steps", "chosen"),
        ("chain/fewshot/FastGAN-D_big+CHAIN/art-painting", "steps", "code"),
        ("chain/cifar/BigGAN/cifar10", "seeds", "inferred"),
        ("sdp/I/LSGAN-SDP/cifar10", "parts.sdp.norm", "stated"),
        ("sdp/I/LSGAN-SDP/cifar10", "checkpoint", "chosen"),
        ("theory/1/B_z=10^0[MLP]/mnist", "loss.name", "chosen"),
        ("theory/2/sigma=sqrt(2)[MLP]/mnist", "parts.translations.copies", "stated"),
        ("theory/2/sigma=sqrt(2)[MLP]/mnist", "parts.translations.fill", "chosen"),
    ],
)
def test_kinds_as_the_notes_have_them(name: str, field: str, kind: str) -> None:
    assert next(c for c in cells(name.split("/")[0]) if c.id == name).kinds[field] == kind


@pytest.mark.parametrize("paper", PAPERS)
def test_no_key_knows_a_kind(paper: str) -> None:
    path = ROOT / f"suites/{paper}.yaml"
    bare = read(path)
    _strip(bare.raw)
    for profile in ("full", "ci"):
        with_them, without = gb.load(path, profile).cells, load_node(Node(bare.raw, bare.file), path, profile).cells
        assert not any(set(c.kinds.values()) - {"stated"} for c in without)
        assert [(c.id, c.recipe.fingerprint(), c.protocol.fingerprint()) for c in with_them] == [
            (c.id, c.recipe.fingerprint(), c.protocol.fingerprint()) for c in without
        ]


def _strip(raw: yaml.Node) -> None:
    if isinstance(raw, yaml.MappingNode):
        raw.value = [(key, value) for key, value in raw.value if key.value != "kinds"]
    for child in raw.value if isinstance(raw.value, list) else ():
        for node in child if isinstance(child, tuple) else (child,):
            _strip(node)


INHERITED = {
    "lr_g": "code",
    "n_dis": "chosen",
    "network.width": "chosen",
    "z_dim": "stated",
    "parts.spectral-norm": "stated",
}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("", INHERITED),
        ("lr_g: 1.0e-3, notes: {lr_g: n}", {"lr_g": None, "lr_d": "code"}),
        ("lr_g: 2.0e-4, notes: {lr_g: n}", {"lr_g": None}),
        ("notes: {lr_g: n}", {"lr_g": None}),
        ("stated: {page 2: [lr_g]}", {"lr_g": "stated"}),
        ("lr_g: 1.0e-3, notes: {lr_g: n}, kinds: {lineage: [lr_g]}", {"lr_g": "lineage"}),
        ("epochs: 2, notes: {epochs: n}", {"epochs": None}),
        ("steps: 9, notes: {steps: n}, kinds: {chosen: [steps]}", {"steps": "chosen", "epochs": None}),
        ("network: {width: 0.2}, notes: {network: n}", {"network.width": None, "network.name": "code"}),
        ("network: {width: 0.1}, notes: {network: n}", {"network.width": "chosen"}),
        ("parts: [spectral-norm: {player: G}], notes: {parts: n}", {"parts.spectral-norm.player": None}),
        ("loss: {name: wasserstein}, notes: {loss: n}", {"loss.name": None}),
        ("notes: {rest: n}", {"lr_g": None, "n_dis": None, "parts.spectral-norm": None, "z_dim": None}),
        ("notes: {rest: n}, kinds: {lineage: [rest]}", {"lr_g": "lineage", "n_dis": "lineage", "z_dim": "lineage"}),
        ("kinds: {inferred: [rest], code: [network]}", {"lr_g": "inferred", "network.width": "code"}),
        ("on: {dataset=shapes: {n_dis: 2, notes: {n_dis: n}}}", {"n_dis": None}),
        ("on: {dataset=shapes: {kinds: {code: [n_dis]}}}", {"n_dis": "code"}),
        ("on: {dataset=mnist: {kinds: {code: [n_dis]}}}", INHERITED),
    ],
)
def test_a_kind_follows_its_value(block: str, expected: dict[str, str | None], tmp_path: Path) -> None:
    path = mini(tmp_path, block)
    found = cell(path)
    assert {p: found.kinds.get(p) for p in expected} == expected
    missing = {p for p, kind in expected.items() if kind is None and p != "epochs"} | (
        {"epochs"} if "epochs: 2" in block else set()
    )
    told = [line for line in lint([path]) if "'kinds'" in line]
    assert bool(told) == bool(missing) and all(p in told[0] for p in missing)


SIXTEEN = "generated: 16, notes: {generated: n}"


@pytest.mark.parametrize(
    ("table", "row", "kind"),
    [
        ("", "", "inferred"),
        ("protocol: {generated: 16, notes: {generated: n}},", "", None),
        ("protocol: {generated: 16, notes: {generated: n}, kinds: {code: [generated]}},", "", "code"),
        (f"columns: [{{dataset: shapes, protocol: {{{SIXTEEN}, kinds: {{chosen: [generated]}}}}}}],", "", "chosen"),
        ("", "protocol: {generated: 16, notes: {generated: n}, kinds: {lineage: [generated]}},", "lineage"),
        (f"protocol: {{{SIXTEEN}, kinds: {{code: [generated]}}}},", "protocol: {generated: 8},", None),
    ],
)  # fmt: skip
def test_a_protocols_kinds_follow_table_row_and_column(table: str, row: str, kind: str | None, tmp_path: Path) -> None:
    path = mini(tmp_path, table=table, row=row)
    assert cell(path).kinds.get("generated") == kind
    assert any("'kinds'" in line for line in lint([path])) == (kind is None)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("kinds: {guessed: [lr_g]}", "unknown kind 'guessed'"),
        ("kinds: {choosen: [lr_g]}", "did you mean 'chosen'"),
        ("kinds: {chosen: [lr_x]}", "no value is called 'lr_x'; did you mean 'lr_g'"),
        ("kinds: {chosen: [lr_g.a]}", "no value is called 'lr_g.a'"),
        ("kinds: {chosen: [parts.spectral-norm.plaier]}", "did you mean 'parts.spectral-norm.player'"),
        ("kinds: {chosen: [parts.gran.tau]}", "no value is called 'parts.gran.tau' here"),
        ("kinds: {chosen: [lr_g], code: [lr_g]}", "'lr_g' is chosen already"),
        ("stated: {p: [lr_g]}, kinds: {code: [lr_g]}", "'lr_g' is stated already"),
        ("kinds: {chosen: lr_g}", "expected a list"),
        ("kinds: [lr_g]", "expected a mapping"),
        ("kinds: {chosen: [dataset]}", "dataset needs no kind"),
    ],
)
def test_a_kind_of_nothing_is_refused_with_its_place(block: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"mini.yaml:\d+:\d+: ") as error:
        gb.load(mini(tmp_path, block))
    assert said in str(error.value)


@pytest.mark.parametrize(("number", "code"), [("-0.5", 1), ("not-reported", 0)])
def test_a_suite_of_before_is_asked_for_kinds_where_it_prints_numbers(
    number: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = mini(tmp_path, number=number)
    lines = path.read_text(encoding="utf-8").replace(", kinds: {inferred: [rest]}", "")
    start = lines.index(",\n    kinds: {code")
    path.write_text(lines[:start] + lines[lines.index("]}}", start) + 2 :], encoding="utf-8")
    assert main(["list", str(path), "--check"]) == code
    assert ("says which of stated, code, lineage, inferred, chosen" in capsys.readouterr().out) == bool(code)


def test_show_and_words_have_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = cell(mini(tmp_path))
    assert in_words(found.kinds, "lr_g") == "code" and in_words(found.kinds, "absent") == ""
    assert in_words(found.kinds, "parts") == "stated: spectral-norm; chosen: spectral-norm.player"
    assert main(["show", "theory/2/sigma=sqrt(2)[MLP]/mnist"]) == 0
    said = capsys.readouterr().out
    assert "  z_dim: 100    # [" in said and ", stated]" in said
    assert "chosen: translations.fill]" in said
