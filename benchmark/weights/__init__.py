"""Weights that were trained elsewhere, of feature extractors and of parts: never downloaded unasked, and taken only if
their hash is the one that ``known.py`` states. Torch is imported where they are read, and nowhere else.
"""
