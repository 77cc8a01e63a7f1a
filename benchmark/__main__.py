"""``python -m benchmark`` is ``ganbench``."""

import sys

from benchmark.process.home import leave_working_directory

leave_working_directory()  # before anything else is imported

from benchmark.cli import main  # noqa: E402  # only now, for that reason

sys.exit(main())
