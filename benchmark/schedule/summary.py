"""What became of a plan's runs, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Summary:
    """What became of a plan."""

    counts: Counter[str] = field(default_factory=Counter)  # done, partial, diverged, failed, interrupted, blocked
    failures: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 all asked for is done; 1 something failed or is missing; 130 interrupted."""
        if self.counts["interrupted"]:
            return 130
        return 1 if self.counts["failed"] or self.counts["blocked"] else 0
