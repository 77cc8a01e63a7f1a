"""What became of a plan's runs, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Summary:
    """What became of a plan."""

    # done, partial, diverged, failed, interrupted, blocked, missing here
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 all asked for is done; 1 something failed or is missing; 130 interrupted."""
        if self.counts["interrupted"]:
            return 130
        return 1 if any(self.counts[kind] for kind in ("failed", "blocked", "missing here")) else 0
