"""What was found, in one JSON file that is whole after every item, and what it was found with."""

from __future__ import annotations

import json
import os
import platform
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from benchmark.process.installed import installed
from benchmark.records.provenance import code_version, processor
from tests.gpu.agenda import Item

NAME = "gpu.json"
PACKAGES = ("torch", "numpy", "triton", "efficientnet-lite-pytorch", "torch-fidelity")
DONE = ("ok", "not tried")


class Book:
    """Results by section and name; begun from what the folder has, if the same code found it on the same device."""

    def __init__(self, folder: Path, device: str, images: int, planned: list[Item], blocked: dict[str, str]) -> None:
        self.path = folder / NAME
        self.provenance = provenance(device) | {"images": images}
        self.planned, self.blocked = planned, blocked
        known = _read(self.path)
        if known.get("provenance") != self.provenance:
            known = {"results": {}, "seconds": 0.0}
        self.results: dict[str, dict[str, dict[str, Any]]] = known["results"]
        self.begun, self.before = time.time(), float(known["seconds"])

    def todo(self) -> list[Item]:
        """What is not done yet; what failed is tried again."""
        return [item for item in self.planned if self._state(item.section, item.name) not in DONE]

    def keep(self, item: Item, found: dict[str, Any]) -> None:
        """Write it down."""
        self.results.setdefault(item.section, {})[item.name] = found
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.to_json(), indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, self.path)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        states = Counter(found["state"] for section in self.results.values() for found in section.values())
        return {
            "provenance": self.provenance,
            "seconds": self.before + time.time() - self.begun,
            "states": dict(states),
            "failed": self.names("failed"),
            "not_reached": self.names("not reached"),
            "not_implemented": self.blocked,
            "results": self.results,
        }

    def names(self, state: str) -> list[str]:
        """Section and name of what ended so, now or before."""
        known = [(item.section, item.name) for item in self.planned]
        known += [(section, name) for section, found in self.results.items() for name in found]
        return [": ".join(one) for one in dict.fromkeys(known) if self._state(*one) == state]

    def _state(self, section: str, name: str) -> str:
        return str(self.results.get(section, {}).get(name, {"state": "not reached"})["state"])


def provenance(device: str) -> dict[str, Any]:
    """The code, the libraries, the device and its host."""
    about: dict[str, Any] = {
        **code_version(),
        "python": platform.python_version(),
        "libraries": {name: installed(name) for name in PACKAGES},
        "host": processor(),
        "threads": torch.get_num_threads(),
        "device": processor() if device == "cpu" else torch.cuda.get_device_name(),
    }
    if device != "cpu":
        found = torch.cuda.get_device_properties(device)
        about |= {"memory": found.total_memory, "capability": f"{found.major}.{found.minor}"}
        about |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return about


def _read(path: Path) -> dict[str, Any]:
    """The book that is there; an unreadable one counts as none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("results"), dict) else {}
