"""Pure functions of numbers: intervals over seeds, looks, noise, comparisons, what more seeds would bring."""
