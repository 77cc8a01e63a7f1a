"""The networks that D learns from: what they are shown, CLIP's towers against formulas and the package, its file."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import clip, teachers
from benchmark.torchvision import beside_torchvision
from benchmark.train.gan import Gan
from benchmark.weights.known import KNOWN
from tests import penultimate_nets as nets
from tests.penultimate_nets import D, recipe_of, steps
from tests.test_kd_dlgan import CLIP, GIVEN, LITE, needs_lite, part_of

needs_clip = pytest.mark.skipif(not find_spec("open_clip"), reason="open-clip-torch is not installed")


class Shown(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images


def test_images_come_to_the_teachers_size_and_colours() -> None:
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    texts = torch.zeros(2, 3)
    nearest = teachers.Teacher(Shown(), texts, 224, "nearest", None)(x)
    assert torch.equal(nearest, x.repeat_interleave(7, 2).repeat_interleave(7, 3)), "as the released code"
    assert torch.equal(nearest[:, :1], teachers.Teacher(Shown(), texts, 224, "nearest", None)(x[:, :1])[:, :1])
    checks = (torch.arange(256)[:, None] + torch.arange(256)) % 2 * 2.0 - 1
    smooth = teachers.Teacher(Shown(), texts, 64, "bilinear", None)(checks.expand(1, 3, 256, 256))
    assert smooth.shape == (1, 3, 64, 64) and smooth.abs().max() < 0.1, "no aliasing"
    own = teachers.Normal(tuple(2 * m - 1 for m in teachers.MEAN), tuple(2 * s for s in teachers.STD))
    mean, std = (torch.tensor(v).view(-1, 1, 1) for v in (teachers.MEAN, teachers.STD))
    torch.testing.assert_close(own(x), ((x + 1) / 2 - mean) / std)


# CLIP

SMALL = {"images": dict(width=64, layers=2, outputs=512), "texts": dict(width=64, layers=2, known=60, outputs=512)}


def openai_names(part: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Random tensors of a tower's shapes, by OpenAI's names."""
    back = {ours: theirs for theirs, ours in clip.NAMES.items()}
    found, rng = {}, torch.Generator().manual_seed(len(prefix))
    for name, tensor in part.state_dict().items():
        words = [back.get(word, word) for word in name.split(".")]
        words = [w for word in words for w in (("mlp", word) if word.startswith("c_") else (word,))]
        found[prefix + ".".join(words)] = 0.1 * torch.randn(tensor.shape, generator=rng)
    return found


def test_the_towers_are_of_clips_size_and_names() -> None:
    """151,277,313 parameters of ViT-B/32, with the scale of its logits, which is none of them here."""
    with torch.device("meta"):
        images, texts = clip.Images(), clip.Texts()
    counts = [sum(p.numel() for p in m.parameters()) for m in (images, texts)]
    assert counts == [87_849_216, 63_428_096] and sum(counts) + 1 == 151_277_313
    with torch.device("meta"):
        small = clip.Images(64, 1)
    assert {"visual.class_embedding", "visual.positional_embedding", "visual.proj", "visual.conv1.weight"} | {
        f"visual.{norm}.{kind}" for norm in ("ln_pre", "ln_post") for kind in ("weight", "bias")
    } | {
        f"visual.transformer.resblocks.0.{layer}"
        for layer in (
            *("attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight", "attn.out_proj.bias"),
            *(f"{m}.{kind}" for m in ("ln_1", "ln_2", "mlp.c_fc", "mlp.c_proj") for kind in ("weight", "bias")),
        )
    } == set(openai_names(small, "visual."))


def test_an_image_goes_through_the_tower_as_the_formulas_say() -> None:
    """One layer, written out: two heads of 64 channels, x + attention(norm x), x + mlp(norm x)."""
    torch.manual_seed(0)
    tower = clip.Images(width=128, layers=1, grid=2, outputs=5).eval()
    given = openai_names(tower, "")
    tower.load_state_dict(clip.tower({f"visual.{k}": v for k, v in given.items()}, "visual."))
    x = torch.randn(2, 3, 64, 64)

    def norm(h: Tensor, name: str) -> Tensor:
        return F.layer_norm(h, (128,), given[f"{name}.weight"], given[f"{name}.bias"])

    patches = F.conv2d(x, given["conv1.weight"], stride=32).reshape(2, 128, 4).permute(0, 2, 1)
    h = torch.cat([given["class_embedding"].expand(2, 1, 128), patches], 1) + given["positional_embedding"]
    h = norm(h, "ln_pre")
    block = "transformer.resblocks.0."
    q, k, v = F.linear(
        norm(h, f"{block}ln_1"), given[f"{block}attn.in_proj_weight"], given[f"{block}attn.in_proj_bias"]
    ).chunk(3, 2)
    parted = [t.reshape(2, 5, 2, 64).transpose(1, 2) for t in (q, k, v)]
    mixed = ((parted[0] @ parted[1].mT / 8).softmax(-1) @ parted[2]).transpose(1, 2).reshape(2, 5, 128)
    h = h + F.linear(mixed, given[f"{block}attn.out_proj.weight"], given[f"{block}attn.out_proj.bias"])
    inner = F.linear(norm(h, f"{block}ln_2"), given[f"{block}mlp.c_fc.weight"], given[f"{block}mlp.c_fc.bias"])
    h = h + F.linear(
        inner / (1 + torch.exp(-1.702 * inner)), given[f"{block}mlp.c_proj.weight"], given[f"{block}mlp.c_proj.bias"]
    )
    with torch.no_grad():
        torch.testing.assert_close(tower(x), norm(h[:, 0], "ln_post") @ given["proj"], rtol=1e-4, atol=1e-4)


def test_a_text_is_read_up_to_its_end() -> None:
    tower = clip.Texts(width=64, layers=2, length=6, known=60, outputs=5).eval()
    tower.load_state_dict(clip.tower(openai_names(tower, ""), ""))
    tokens = torch.tensor([[58, 3, 59, 0, 0, 0], [58, 3, 59, 7, 7, 7], [58, 4, 59, 0, 0, 0]])
    a, b, c = tower(tokens)
    torch.testing.assert_close(a, b)
    assert (a - c).abs().max() > 1e-3


@needs_clip
def test_the_towers_equal_open_clips() -> None:
    package = beside_torchvision("open_clip", "open-clip-torch")
    torch.manual_seed(0)
    vision = package.CLIPVisionCfg(layers=2, width=128, patch_size=32, image_size=96)
    text = package.CLIPTextCfg(context_length=77, vocab_size=49408, width=64, heads=1, layers=2)
    theirs = package.CLIP(embed_dim=32, vision_cfg=vision, text_cfg=text, quick_gelu=True).eval()
    images, texts = clip.Images(128, 2, 3, 32).eval(), clip.Texts(64, 2, 77, 49408, 32).eval()
    images.load_state_dict(clip.tower(theirs.state_dict(), "visual."))
    texts.load_state_dict(clip.tower(theirs.state_dict(), ""))
    x, tokens = torch.randn(3, 3, 96, 96), clip.tokens(["a airplane", "a cat"])
    with torch.no_grad():
        torch.testing.assert_close(images(x), theirs.encode_image(x))
        torch.testing.assert_close(texts(tokens), theirs.encode_text(tokens))
    assert tokens[1, :5].tolist() == [49406, 320, 2368, 49407, 0]


class Named(nn.Module):
    """Tensors by dotted names, as a module that TorchScript takes."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        for name in {name.partition(".")[0] for name in tensors}:
            inner = {n.partition(".")[2]: t for n, t in tensors.items() if n.partition(".")[0] == name}
            if "" in inner:
                self.register_buffer(name, inner[""])
            else:
                self.add_module(name, Named(inner))

    def forward(self, x: Tensor) -> Tensor:
        return x


@pytest.fixture
def fabricated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """A TorchScript file as OpenAI's, in float16, of a narrow CLIP with random numbers. It counts as the right one."""
    nets.use(monkeypatch)
    for name, given in (("Images", SMALL["images"]), ("Texts", SMALL["texts"])):
        monkeypatch.setattr(teachers, name, functools.partial(getattr(clip, name), **given))
    tensors = {
        **openai_names(teachers.Images(), "visual."),
        **openai_names(teachers.Texts(), ""),
        "logit_scale": torch.tensor(4.6),
    }
    tensors = {name: t.half() for name, t in tensors.items()}
    path = tmp_path / KNOWN[CLIP].file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(Named(tensors)), path)
    own = dataclasses.replace(KNOWN[CLIP], sha256=hashlib.sha256(path.read_bytes()).hexdigest(), needs="json")
    monkeypatch.setitem(KNOWN, CLIP, own)
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(path))
    monkeypatch.setattr(
        teachers, "tokens", lambda prompts: torch.tensor([[58, len(p), 59] + [0] * 74 for p in prompts])
    )
    return tensors


def test_the_real_path_reads_the_file_and_trains(fabricated: dict[str, Tensor]) -> None:
    given = {**GIVEN, "teacher": CLIP, "size": 224, "prompts": "a cat, a large dog, it"}
    gan = Gan(recipe_of(("kd-dlgan", given), batch_d=2, batch_g=2), 0)
    teacher = gan.parts[0].teacher
    assert teacher.width == 512 and teacher.texts.shape == (3, 512) and teacher.texts.std(0).max() > 0
    assert torch.equal(teacher.network.conv1.weight, fabricated["visual.conv1.weight"].float())
    assert len(list(teacher.parameters())) == len([n for n in fabricated if n.startswith("visual.")]), "no texts' tower"
    before = [p.clone() for p in gan.parts[0].student.parameters()]
    steps(gan, 1)
    assert not any(torch.equal(a, b) for a, b in zip(before, gan.parts[0].student.parameters()))


def test_another_file_is_refused_and_a_missing_one_named(
    fabricated: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part = part_of(teacher=CLIP, size=224)
    here = KNOWN[CLIP]
    monkeypatch.setitem(KNOWN, CLIP, dataclasses.replace(here, needs="no_such_module"))
    with pytest.raises(GanbenchError, match="run: pip install open-clip-torch"):
        part.build(nn.Identity(), D())
    monkeypatch.setitem(KNOWN, CLIP, dataclasses.replace(here, sha256="0" * 64))
    with pytest.raises(GanbenchError, match="is not the weights file of clip-vit-b32") as error:
        part.build(nn.Identity(), D())
    assert error.value.exit_code == 2
    (tmp_path / KNOWN[CLIP].file).unlink()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(GanbenchError, match="get ViT-B-32.pt from OpenAI's CLIP .* pip install open-clip-torch"):
        part.build(nn.Identity(), D())


@pytest.mark.parametrize("teacher", [CLIP, pytest.param(LITE, marks=needs_lite)])
def test_work_is_counted_without_weights(teacher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teachers, "state", None)
    with torch.device("meta"):
        part = part_of(teacher=teacher, size=224)
        part.build(nn.Identity(), D())
        found = part.teacher(torch.empty(2, 3, 256, 256))
    assert found.is_meta and found.shape == (2, part.teacher.width) == (2, 512 if teacher == CLIP else 1280)
