"""One log file a run, beside its checkpoints: when it started, was resumed or stopped, where, what it measured, and
what went wrong.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from benchmark.errors import continued, plain
from benchmark.files import refuse_others

NAME = "run.log"
MOST_BYTES = 500_000  # of a file; the one before is kept, so that a run has a megabyte at most
LONGEST = 20_000  # of one message


@contextmanager
def logged(folder: Path) -> Iterator[LogFile]:
    """What the package logs meanwhile is appended to ``folder/run.log``, with times in UTC.

    A disk that takes nothing costs the log only; what is yielded says so.
    """
    handler = LogFile(
        folder / NAME, maxBytes=MOST_BYTES, backupCount=1, delay=True, encoding="utf-8", errors="backslashreplace"
    )
    formatter = _Bounded("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    loggers = [(logger, logger.level) for logger in map(logging.getLogger, ("benchmark", "py.warnings"))]
    for logger, _ in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        if logging.lastResort:  # standard error still gets the warnings
            logger.addHandler(logging.lastResort)
    logging.captureWarnings(True)
    try:
        yield handler
    finally:
        logging.captureWarnings(False)
        for logger, level in loggers:
            logger.removeHandler(handler)
            if logging.lastResort:
                logger.removeHandler(logging.lastResort)
            logger.setLevel(level)
        handler.close()


class _Bounded(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """At most ``LONGEST`` characters, none of which steers a terminal that the file is shown on."""
        return continued(plain(super().format(record)[:LONGEST], lines=True))


class LogFile(RotatingFileHandler):
    """One that never fails who logs."""

    lost: OSError | None = None  # why something could not be written

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk, or a folder that cannot be written: the run goes on without its log."""
        error = sys.exc_info()[1]
        self.lost = error if isinstance(error, OSError) else self.lost

    def _open(self) -> TextIOWrapper:
        """As the parent's; raises OSError where the log is no file, which opening might wait on for ever."""
        refuse_others(Path(self.baseFilename))
        return super()._open()

    def close(self) -> None:
        """What is still to be written may fail once more."""
        try:
            super().close()
        except OSError as error:
            self.lost = error
        except ValueError:  # its stream was closed when the disk would take no more
            self.lost = self.lost or OSError("closed")
