"""``python -m benchmark`` is ``ganbench``."""

import sys

from benchmark.cli import main

sys.exit(main())
