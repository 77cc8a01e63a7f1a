"""What published and achieved numbers say together: tiers, verdicts, claims, rankings, and which seeds would decide."""
