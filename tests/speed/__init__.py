"""Timings against named peers, as ratios. ``python -m tests.speed`` lists them and runs a short round of each.

A script states ``PEER``, what it is held against, and ``SHORT``, the arguments of a round that takes seconds.
"""
