"""One run: exact resume from any moment, separate streams, divergence, damaged checkpoints, refusals."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.train import checkpoint, session
from benchmark.train import run as room
from benchmark.train.run import run
from benchmark.train.sampler import Sampler
from benchmark.train.streams import noise, stream
from tests.conftest import protocol, recipe

DATA = read("shapes", "train", 28, 1, images=200)
BITS = ("status", "steps", "final", "history", "samples")


def bits(result: dict) -> dict:
    """All that must be equal, bit for bit."""
    return {key: result[key] for key in BITS}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return run(TRANSLATED, protocol(), 0, DATA, tmp_path_factory.mktemp("undisturbed"))


TRANSLATED = recipe(
    parts=(("spectral-norm", {"player": "D"}), ("translations", {"shift": 2, "copies": 2, "fill": -1.0}))
)


@given(stops=st.sets(st.integers(1, 16), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_a_run_stopped_anywhere_ends_with_the_same_bits(
    undisturbed: dict, tmp_path_factory: pytest.TempPathFactory, stops: set[int]
) -> None:
    folder, result = tmp_path_factory.mktemp("stopped"), None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHECK_STEPS", 1)
        while result is None:
            result = run(
                TRANSLATED,
                protocol(),
                0,
                DATA,
                folder,
                tick=lambda done, todo: done in stops and not stops.remove(done),
            )
    assert bits(result) == bits(undisturbed)
    assert result["segments"][-1]["to_step"] == 16


def test_a_run_until_an_epoch_is_partial_and_goes_on_to_the_same_bits(undisturbed: dict, tmp_path: Path) -> None:
    part = run(TRANSLATED, protocol(), 0, DATA, tmp_path, until_epoch=3)
    assert part["status"] == "partial" and part["steps"] == 12 and part["final"]["jac_G"]
    assert bits(run(TRANSLATED, protocol(), 0, DATA, tmp_path)) == bits(undisturbed)


def test_measuring_more_changes_no_number(undisturbed: dict, tmp_path: Path) -> None:
    seldom = run(TRANSLATED, protocol(every_epochs=4, metrics=("V_g",)), 0, DATA, tmp_path)
    assert seldom["final"]["V_g"] == undisturbed["final"]["V_g"] and seldom["samples"] == undisturbed["samples"]


def test_two_protocols_of_one_run_are_never_mixed(undisturbed: dict, tmp_path: Path) -> None:
    """A kept checkpoint under another protocol is measured again; its first protocol's history stays as it was."""
    first = run(TRANSLATED, protocol(), 0, DATA, tmp_path, until_epoch=2)
    other = run(TRANSLATED, protocol(generated=20), 0, DATA, tmp_path)
    assert [e["epoch"] for e in other["history"]] == [3, 4] and other["final"] != undisturbed["final"]
    assert run(TRANSLATED, protocol(generated=20), 0, DATA, tmp_path / "fresh")["final"] == other["final"]
    back = run(TRANSLATED, protocol(), 0, DATA, tmp_path)
    assert back["history"] == first["history"] and back["final"] == undisturbed["final"]


def test_measuring_puts_every_buffer_and_mode_back(tmp_path: Path) -> None:
    """Also with BatchNorm in train mode, where a forward pass would move its running statistics."""
    from benchmark.train.evaluate import evaluate, sample_grid
    from benchmark.train.gan import Gan

    gan = Gan(TRANSLATED, 0)
    before = {k: v.clone() for k, v in [*gan.G.state_dict().items(), *gan.D.state_dict().items()]}
    for mode in ("eval", "train"):
        evaluate(gan, protocol(bn_mode=mode, metrics=("V_g",)), 0, 0, 0, False)
        sample_grid(gan, protocol(bn_mode=mode), 0)
    after = dict([*gan.G.state_dict().items(), *gan.D.state_dict().items()])
    assert all(torch.equal(before[k], after[k]) for k in before) and gan.G.training and gan.D.training


def test_a_disk_that_fills_up_costs_the_checkpoints_and_not_the_result(
    undisturbed: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, state: dict) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session.checkpoint, "save", full)
    result = run(TRANSLATED, protocol(), 0, DATA, tmp_path, checkpoint_s=0)
    assert bits(result) == bits(undisturbed) and "No space left" in result["trouble"]


def test_seeds_differ_and_the_initialisation_leaves_the_global_stream_alone(undisturbed: dict, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    other = run(TRANSLATED, protocol(), 1, DATA, tmp_path)
    assert other["final"]["V_g"] != undisturbed["final"]["V_g"]
    assert torch.equal(before, torch.random.get_rng_state())


def test_nan_ends_a_run_as_diverged(tmp_path: Path) -> None:
    result = run(recipe(lr_g=1e30, lr_d=1e30), protocol(), 0, DATA, tmp_path)
    assert result["status"] == "diverged" and result["final"] is None and result["steps"] < 16
    assert run(recipe(lr_g=1e30, lr_d=1e30), protocol(), 0, DATA, tmp_path)["steps"] == result["steps"]


def test_another_recipe_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(recipe(epochs=1), protocol(), 0, DATA, tmp_path)
    with pytest.raises(GanbenchError, match="lr_d: 0.1 != 0.0002"):
        run(recipe(epochs=1, lr_d=0.1), protocol(), 0, DATA, tmp_path)
    with pytest.raises(GanbenchError, match="seed: 1 != 0"):
        run(recipe(epochs=1), protocol(), 1, DATA, tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    for value in (1, 2):
        checkpoint.save(tmp_path, {"value": value, "tensor": torch.arange(1000.0)})
    path = tmp_path / checkpoint.CURRENT
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    path.write_bytes({"truncated": data[: len(data) // 2], "flipped": data, "empty": b""}[damage])
    with caplog.at_level(logging.WARNING):
        assert checkpoint.load(tmp_path)["value"] == 1
    assert "damaged" in caplog.text


def test_a_checkpoint_can_run_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "owned",))

    checkpoint.save(tmp_path, {"evil": Evil()})
    with pytest.raises(GanbenchError, match="cannot be read.*move it away"):
        checkpoint.load(tmp_path)
    assert not (tmp_path / "owned").exists() and (tmp_path / checkpoint.CURRENT).exists()


def test_a_full_disk_keeps_the_checkpoints_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, {"value": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path, {"value": 2})
    assert checkpoint.load(tmp_path)["value"] == 1 and not list(tmp_path.glob("*.tmp"))


def test_sampler_sees_every_image_once_an_epoch_and_keeps_the_last_batch() -> None:
    sampler = Sampler(DATA.images, DATA.labels, 64, False, 0, torch.device("cpu"))
    epoch = [sampler.next()[0] for _ in range(sampler.batches)]
    assert [len(b) for b in epoch] == [64, 64, 64, 8]
    seen = torch.cat(epoch).add(1).mul(127.5).round().byte().flatten(1)
    assert sorted(map(bytes, seen.numpy())) == sorted(map(bytes, DATA.images.reshape(200, -1)))
    assert not torch.equal(sampler.next()[0], epoch[0]), "the next epoch is shuffled anew"
    assert Sampler(DATA.images, DATA.labels, 64, True, 0, torch.device("cpu")).batches == 3


def test_noise_has_the_declared_distribution() -> None:
    u = noise(4000, 5, "uniform", 100.0, stream(0, "x"))
    assert u.abs().max() <= 100 and abs(u.std().item() - 100 / 3**0.5) < 1
    n = noise(4000, 5, "normal", 2.0, stream(0, "x"))
    assert abs(n.std().item() - 2) < 0.05 and abs(n.mean().item()) < 0.05
    assert torch.equal(n, noise(4000, 5, "normal", 2.0, stream(0, "x")))
    assert not torch.equal(n, noise(4000, 5, "normal", 2.0, stream(0, "y")))
