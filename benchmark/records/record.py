"""One record: what is known of one measured run. Its file is read and written by ``store.py``."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.canonical import canonical_bytes, content_hash
from benchmark.errors import GanbenchError, plain
from benchmark.recipe import Protocol, Recipe

SCHEMA = 1
OPTIONAL = ("real", "floor", "planned", "train_cpu_s", "eval_cpu_s")
"""Left out of the file where they are absent, as in files of before they were."""
LONGEST = 1_000
"""Characters of what is said of a file."""
OUTCOME = ("run", "evaluation", "status", "steps", "final", "history", "samples")


class RecordError(GanbenchError):
    """A record that cannot be used: the file and what is wrong with it.

    ``damaged``: no version of ganbench could use it. (A newer schema, or a file that may not be read, is not damaged.)
    ``unread``: nobody has seen what is in it: a file that may not be read, a broken disk, something that is no file.
    """

    def __init__(self, path: Path, what: str, damaged: bool = False, unread: bool = False) -> None:
        what = what if len(what) <= LONGEST else f"{what[:LONGEST]}…"  # it may hold what a file holds
        super().__init__(f"{plain(str(path))}: {what}")
        self.path, self.what, self.damaged, self.unread = path, what, damaged, unread


@dataclass(frozen=True)
class Record:
    """One measured run."""

    run: str  # run key
    evaluation: str  # evaluation key
    seed: int
    profile: str
    cell: str  # id of the cell it was run for; other cells may share it
    recipe: Recipe
    protocol: Protocol
    versions: dict[str, Any]  # algorithm versions of the parts used
    measure_version: int  # of the measuring code
    status: str  # "finished", "partial" (stopped before its last step) or "diverged"
    steps: int
    total_steps: int
    epochs: float
    final: dict[str, Any] | None  # metric -> {"value", "std", …}; None if diverged
    history: list[dict[str, Any]]
    samples: str  # PNG, base64
    train_s: float
    eval_s: float
    content: str  # sha256 of the dataset's split
    subset: str  # sha256 of the training subset's indices
    provenance: dict[str, Any]  # code, hardware and libraries of every stretch
    real: str | None = None  # sha256 of the real images compared with; None where the metrics need none
    train_cpu_s: float | None = (
        None  # of the training process: on a busy machine longer, but much less than wall seconds
    )
    eval_cpu_s: float | None = None
    floor: dict[str, Any] | None = (
        None  # the same metrics of other real images (``metrics/floor.py``), with a proxy extractor
    )
    planned: int | None = (
        None  # how many seeds the plan that it was made in asked for; 0: as many as it takes to decide; None: not said
    )

    @property
    def asked(self) -> int:
        """How many seeds the largest plan asked for that the training is of, also where plans disagree.

        No part of the record: ``furthest.by_evaluation`` notes it where it is not the record's own plan.
        """
        return int(self.__dict__.get("asked", self.planned or 0))

    @property
    def contested(self) -> str:
        """How another result of the same run, in another file or from another lab, differs; "" if there is none.

        No part of the record: those who read all records of a folder note it (``contested.py``).
        """
        return str(self.__dict__.get("contested", ""))

    @property
    def contradiction(self) -> str:
        """In what the record, as it was read, contradicts itself (``contradictions.py``); "" if in nothing."""
        return str(self.__dict__.get("contradiction", ""))

    @property
    def name(self) -> str:
        """File name: the evaluation key and the seed; a partial result also says where it stopped."""
        return f"{self.evaluation}-s{self.seed}{f'.step{self.steps}' if self.status == 'partial' else ''}.json"

    @functools.cached_property
    def outcome(self) -> str:
        """sha256 of all that must be equal, bit for bit, when the same run is made again."""
        kept = {key: getattr(self, key) for key in OUTCOME} | ({"floor": self.floor} if self.floor else {})
        pieces = (
            b'"%b":%b' % (key.encode(), canonical_bytes(kept[key])) for key in sorted(kept)
        )  # as content_hash of them all, and faster
        return hashlib.sha256(b"{%b}" % b",".join(pieces)).hexdigest()

    @property
    def seal(self) -> str:
        """sha256 that holds ``planned`` to the outcome: the plan is no part of what must be equal when the run is made
        again.
        """
        return content_hash([self.outcome, self.planned])

    def fields(self) -> dict[str, Any]:
        """What the file holds, in order; recipe and protocol as they are."""
        plain = {k: v for k in self.__dataclass_fields__ if (v := getattr(self, k)) is not None or k not in OPTIONAL}
        return {
            "schema": SCHEMA,
            **plain,
            "outcome": self.outcome,
            **({"seal": self.seal} if self.planned is not None else {}),
        }

    def to_json(self) -> dict[str, Any]:
        """The file's content."""
        return self.fields() | {"recipe": self.recipe.to_json(), "protocol": self.protocol.to_json()}
