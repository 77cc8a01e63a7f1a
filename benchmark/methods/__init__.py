"""One idea a file: losses, normalisers, penalties, augmentations, adaptive rules. See ``part.py``."""
