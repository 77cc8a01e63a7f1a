"""Forged and damaged statistics of real images: imported from a file, or lying in the cache."""

import io
import json
import os
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmark.canonical import content_hash
from benchmark.errors import GanbenchError
from benchmark.metrics import exchange, extractors, store
from benchmark.metrics.extract import Extracted
from benchmark.metrics.frechet import Moments
from benchmark.metrics.real import RealSet
from benchmark.metrics.stats import kept
from tests.faults.fuzz.damage import change, damaged, odd_file

NAME = "inception-2015-12-05"
REAL = RealSet("shapes", "train", 28, 1, None, None, 64)
SIX = 6
SHAPES: tuple[Any, ...] = ((), (0,), (5,), (6, 7), (64, 6), (1, 1, 1), (1500, 1500))
TYPES = ("f8", "f4", "i8", "u1", "?", "c16", "U3", "S2", "M8[s]", "V8", [("a", "f8"), ("b", "U9")], "f2", ">f8")


def prepare(folder: Path) -> bytes:
    """A file as ``--export`` writes it, of six dimensions."""
    identity = REAL.identity(NAME, extractors.weights_hash(NAME))
    about = {"set": REAL.to_json(), "images": 64, "extractor": NAME, "identity": identity}
    out = io.BytesIO()
    store.write(out, Extracted(Moments(64, np.zeros(SIX), np.eye(SIX)), None, None), about)
    return out.getvalue()


def case(good: bytes, rng: random.Random, folder: Path) -> str:
    """One file: to import, or in the cache under its name."""
    path = folder / "theirs.npz"
    if rng.random() < 0.1:
        odd_file(path, rng, good[:200])
    else:
        path.write_bytes(_forged(good, rng))
    with (
        patch.dict(os.environ, {"GANBENCH_CACHE": str(folder / "cache")}),
        patch.object(extractors, "dimension", lambda name: SIX),
    ):
        try:
            if rng.random() < 0.7:
                exchange.import_file(path)
                return "imported"
            return _in_cache(path, folder / "cache/features")
        except GanbenchError as error:
            words = str(error).replace(str(path), "").split()
            return f"refused: {' '.join(w for w in words[:9] if w.isalpha())}"


def _in_cache(path: Path, features: Path) -> str:
    features.mkdir(parents=True)
    target = features / f"{content_hash(REAL.identity(NAME, extractors.weights_hash(NAME)))}.npz"
    if path.is_file() and not path.is_symlink() and path.stat().st_size < 2**20:
        shutil.copy(path, target)
    else:
        path.rename(target)
    for line in kept():
        assert len(line) < 5000
    return "kept" if store.load(target, SIX, ()) else "counts as absent"


def _forged(good: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return damaged(good, rng)
    with np.load(io.BytesIO(good)) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays.pop("about")))
    for _ in range(rng.choice((0, 1, 2))):
        name, array = rng.choice(("mu", "sigma", "n", "features", "logits", "more")), _array(rng)
        arrays.pop(name, None) if rng.random() < 0.2 else arrays.update({name: array})
    about["digests"] = {name: _digest(array) for name, array in arrays.items()}
    for _ in range(rng.choice((0, 1, 3))):
        change(rng.choice((about, about["set"], about["identity"])) if isinstance(about.get("set"), dict)
               and isinstance(about.get("identity"), dict) else about, rng)  # fmt: skip
    out = io.BytesIO()
    np.savez(out, allow_pickle=True, **arrays, about=np.array(_text(about)))
    return _repacked(out.getvalue(), rng) if rng.random() < 0.2 else out.getvalue()


def _array(rng: random.Random) -> Any:
    if rng.random() < 0.1:
        return np.array([{"a": 1}, None], dtype=object)
    return np.full(rng.choice(SHAPES), 1, rng.choice(TYPES) if rng.random() < 0.5 else "f8")


def _digest(array: Any) -> str:
    try:
        return store.digest(array)
    except ValueError:  # numpy gives no bytes of such a type
        return ""


def _text(about: Any) -> str:
    try:
        return json.dumps(about, skipkeys=True, default=str)
    except (ValueError, RecursionError):
        return "[" * 3000


def _repacked(whole: bytes, rng: random.Random) -> bytes:
    """Members packed, doubled, bombs, or with headers that say more than there is."""
    out, what = io.BytesIO(), rng.randrange(4)
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(out, "w") as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            data = old.read(name)
            if name == chosen and what == 0:
                new.writestr(name, bytes(50 << 20), zipfile.ZIP_DEFLATED)
            elif name == chosen and what == 1:
                new.writestr(name, _header(rng) + bytes(100))
            else:
                new.writestr(name, data)
                if name == chosen and what == 2:
                    new.writestr(f"{name}.npy" if rng.random() < 0.5 else name, data)
    return out.getvalue()


def _header(rng: random.Random) -> bytes:
    out = io.BytesIO()
    shape = rng.choice(((10**10,), (10**18,), (10**5, 10**5), (-1,), (2**64,), (0,) * 33))
    text = repr(
        {"descr": rng.choice(("<f8", "|V1000000", "|O", "<U100000000")), "fortran_order": False, "shape": shape}
    )
    out.write(b"\x93NUMPY\x01\0" + (len(text) + 1).to_bytes(2, "little") + text.encode() + b"\n")
    return out.getvalue()
