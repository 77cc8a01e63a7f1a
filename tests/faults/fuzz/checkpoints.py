"""Forged and damaged checkpoints, with right checksums where that reaches deeper: the run goes on from the one before,
or is refused; what it comes to is a record that can be read.
"""

import copy
import dataclasses
import hashlib
import io
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import torch

from benchmark.canonical import json_text
from benchmark.data.read import ImageSet, read
from benchmark.errors import GanbenchError
from benchmark.keys import evaluation_key, run_key
from benchmark.records.format import file_bytes, parse
from benchmark.records.record import Record
from benchmark.train import checkpoint
from benchmark.train.run import run
from tests.conftest import protocol, recipe
from tests.faults.fuzz.damage import bomb, change, damaged, odd_file

RECIPE = recipe(epochs=1, images=96, batch_d=32, batch_g=32, ema=0.9, network=("mlp", {"width": 0.02, "bn_eps": 0.8}),
                parts=(("lecam", {"weight": 0.1, "decay": 0.9, "start": 0}),))  # fmt: skip
PROTOCOL = protocol(metrics=("D_G",), every_epochs=None, every_steps=1, jac_G_every_epochs=None, generated=8)


@dataclasses.dataclass
class Good:
    """What a run of three steps keeps after the second, and the images that it trains on."""

    data: ImageSet
    state: dict[str, Any]
    content: bytes


def prepare(folder: Path) -> Good:
    """A run that was stopped."""
    data = read("shapes", "train", 28, 1, images=96)
    _run(data, folder, tick=lambda done, todo: done == 2)
    state = checkpoint.load(folder)
    assert state is not None and state["gan"]["step"] == 2
    return Good(data, state, (folder / checkpoint.CURRENT).read_bytes())


def _run(data: ImageSet, folder: Path, **options: Any) -> dict[str, Any] | None:
    return run(RECIPE, PROTOCOL, 0, data, folder, **options)


def case(good: Good, rng: random.Random, folder: Path) -> str:
    """One odd checkpoint, beside a good one in half of the cases."""
    before = rng.random() < 0.5
    if before:
        (folder / checkpoint.PREVIOUS).write_bytes(good.content)
    what = _lay(good, rng, folder / checkpoint.CURRENT)
    try:
        result = _run(good.data, folder)
    except GanbenchError as error:
        other = "another run" in str(error)
        assert other or not before, f"{what}: not passed over: {error}"
        return f"refused: {'another run' if other else what}"
    assert result is not None
    _check_record(result)
    return f"accepted: {what}"


def _lay(good: Good, rng: random.Random, path: Path) -> str:
    match rng.randrange(8):
        case 0:
            return odd_file(path, rng, good.content[:32])
        case 1:
            path.write_bytes(damaged(good.content, rng))
            return "damaged"
        case 2:
            return _sealed(path, damaged(good.content[32:], rng), "sealed damage")
        case 3:
            return _sealed(path, _repacked(good.content[32:], rng), "archive")
        case 4:
            found = pickle.dumps(rng.choice((Evil(), [good.state["book"]], bytearray(5), {1, 2})), rng.choice((2, 4)))
            return _sealed(path, found, "bare pickle")
    state = copy.deepcopy(good.state)
    for _ in range(rng.choice((1, 1, 3))):
        inner = [state.get(key) for key in ("book", "gan", "identity")]
        inner += [inner[1].get("opt_D")] if isinstance(inner[1], dict) else []
        part = rng.choice([state, *(one for one in inner if isinstance(one, dict))])
        change(part, rng, _value if rng.random() < 0.5 else lambda r: _tensor(r, part))
    stream = io.BytesIO()
    try:
        torch.save(state, stream)
    except Exception:  # a value that cannot be written
        return _sealed(path, b"", "nothing")
    return _sealed(path, stream.getvalue(), "forged")


def _value(rng: random.Random) -> Any:
    from tests.faults.fuzz.damage import value

    return value(rng)


def _tensor(rng: random.Random, near: Any) -> Any:
    """Tensors of other shapes, types and layouts, and those that claim more than they hold."""
    numbers = torch.tensor([1.0, float("nan"), 3.0])
    return rng.choice(
        (
            numbers, numbers.double(), numbers.long(), numbers.bool(), numbers.to(torch.complex64), numbers.half(),
            torch.zeros(()), torch.zeros(0), torch.zeros(1).expand(10**6, 10**6), torch.zeros(5, 5).to_sparse(),
            torch.empty(3, 3, device="meta"), torch.zeros(5056, dtype=torch.uint8), torch.zeros(16, dtype=torch.uint8),
            torch.quantize_per_tensor(numbers[:1], 0.1, 0, torch.quint8), torch.nn.Parameter(numbers), "text", None,
        )
    )  # fmt: skip


class Evil:
    """Builds what takes all memory."""

    def __reduce__(self) -> Any:
        return bytearray, (2**36,)


def _repacked(content: bytes, rng: random.Random) -> bytes:
    """The archive with one of its files changed, packed, doubled, or gone."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen, what = rng.choice(names), rng.randrange(6)
        for name in names:
            data = old.read(name)
            if name == chosen or name.endswith("data.pkl"):
                if what == 0:
                    data = damaged(data, rng)
                elif what == 1:
                    new.writestr(name, bytes(rng.choice((0, 50)) << 20), zipfile.ZIP_DEFLATED)
                    continue
                elif what == 2 and name.endswith("data.pkl"):
                    data = pickle.dumps({"gan": Evil(), **dict.fromkeys(("identity", "book", "position"), 1)}, 2)
                elif what == 3:
                    new.writestr(name, data)
                elif what == 4 and name == chosen:
                    continue
                elif what == 5:
                    data = data.replace(b"K\x02", b"J\xff\xff\xff\x7f", 1)
            new.writestr(name, data)
    return out.getvalue() if rng.random() < 0.95 else out.getvalue() + bomb(1 << 20)


def _sealed(path: Path, payload: bytes, what: str) -> str:
    path.write_bytes(hashlib.sha256(payload).digest() + payload)
    return what


def _check_record(result: dict[str, Any]) -> None:
    """Raises where the result makes a record that cannot be written, or that the reader refuses."""
    json_text(result["segments"])
    run_ = run_key(RECIPE, result["content"], result["subset"], 0, {})
    fields = {f.name: result.get(f.name) for f in dataclasses.fields(Record)}
    fields |= {"run": run_, "evaluation": evaluation_key(run_, PROTOCOL, 1, None), "seed": 0, "profile": "ci"}
    fields |= {"cell": "c", "recipe": RECIPE, "protocol": PROTOCOL, "versions": {}, "measure_version": 1, "planned": 1}
    fields |= {"provenance": {"libraries": result["libraries"], "segments": result["segments"]}}
    parse(file_bytes(Record(**fields)), Path("made.json"))
