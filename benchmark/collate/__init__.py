"""Published beside achieved: tiers, intervals, verdicts, claims, tables, the page. Imports neither torch nor ray."""
