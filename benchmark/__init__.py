"""ganbench: what a GAN paper's tables say, what its recipes give when run, and whether its claims hold.

The public API is re-exported lazily, so that ``import benchmark`` (and ``ganbench --help``) costs
nothing: torch, ray and pandas are imported by the rooms that use them, when they are used.
"""

__version__ = "0.1.0"
