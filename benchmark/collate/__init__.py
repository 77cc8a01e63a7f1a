"""Published beside achieved: tiers, intervals, verdicts, claims, tables, the page. Imports neither torch nor ray.

The room itself can be called: ``benchmark.collate(["gran"], results="results")`` gives everything as pandas frames
(``frames.py``). A module that is called keeps the one name that both a notebook and the design use for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.collate.presenting.frames import Collated


class _Room(ModuleType):
    """This module, callable."""

    def __call__(
        self, suites: str | Sequence[str] = (), results: str | Path | None = None, profile: str | None = None
    ) -> Collated:
        """Everything that is known of some suites, judged: see ``benchmark.collate.presenting.frames.collate``."""
        from benchmark.collate.presenting.frames import collate

        return collate(suites, results, profile)


sys.modules[__name__].__class__ = _Room
