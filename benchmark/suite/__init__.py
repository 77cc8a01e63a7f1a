"""What the papers said: suite files, cells, filters, profiles, claims. Imports neither torch nor ray."""
