"""Checkpoints that zipfile and torch read differently: what is checked is what torch reads, or they are refused."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import serialization

from benchmark.train.checkpoint import _unpacked


class Evil:
    """Builds something that is no tensor."""

    def __reduce__(self) -> Any:
        return bytearray, (2**10,)


EVIL, LONG = pickle.dumps({"gan": Evil()}, 2), pickle.dumps([1] * 1000, 2)


def _good() -> bytes:
    stream = io.BytesIO()
    torch.save({"gan": {"weight": torch.ones(3)}}, stream)
    return stream.getvalue()


def _repacked(put: Callable[[str], list[tuple[str, bytes]]]) -> bytes:
    """The good one, with ``put`` in the place of its program."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_good())) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            for member, data in put(name) if name.endswith("data.pkl") else [(name, old.read(name))]:
                new.writestr(member, data)
    return out.getvalue()


def _before_an_archive() -> bytes:
    """A checkpoint as torch wrote them before it wrote archives, and then one."""
    out = io.BytesIO()
    for part in (serialization.MAGIC_NUMBER, serialization.PROTOCOL_VERSION, {"little_endian": True}):
        pickle.dump(part, out, 2)
    out.write(EVIL)
    pickle.dump([], out, 2)
    return out.getvalue() + _good()


CASES = {
    "as it is": lambda: _repacked(lambda name: [(name, EVIL)]),
    "in capitals": lambda: _repacked(
        lambda name: [(name.upper().replace("ARCHIVE", "archive"), EVIL), ("x.pkl", LONG)]
    ),
    "twice": lambda: _repacked(lambda name: [(name.replace(".pkl", ".PKL"), EVIL), (name, LONG)]),
    "before the archive": _before_an_archive,
}


@pytest.mark.parametrize("case", CASES)
def test_no_program_but_those_that_were_checked_is_run(case: str) -> None:
    with pytest.raises(ValueError, match=r"may hold tensors|from its first byte on|have one name"):
        _unpacked(CASES[case]())


def test_a_whole_one_is_read() -> None:
    assert _unpacked(_good())["gan"]["weight"].tolist() == [1.0, 1.0, 1.0]
