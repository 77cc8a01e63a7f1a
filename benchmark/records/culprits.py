"""A record that passed every check, and with which something fails all the same: found, named, and left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmark.errors import GanbenchError
from benchmark.records.record import Record, RecordError

T = TypeVar("T")
MOST = 20
"""Records that are left out one by one; where there are more, it is no longer they."""

Use = Callable[[list[Record], list[RecordError]], T]
"""What is done with the records, told which were left out of them so far; it may be done several times."""


def without_culprits(use: Use[T], records: Sequence[Record]) -> tuple[T, list[Record], list[RecordError]]:
    """What ``use`` makes of the records; those that are left when the ones with which it fails are not; and these.

    Raises:
        Exception: what ``use`` raises without any record too, and what is no record's fault (of a disk, for people).
    """
    left, out = list(records), list[RecordError]()
    while True:
        try:
            return use(left, out), left, out
        except (GanbenchError, OSError, MemoryError):
            raise
        except Exception as error:  # whatever a record from anyone can do to code that believed it
            if len(out) == MOST or _fails(use, [], out):
                raise
            culprit = left.pop(_first(use, left, out))
            said = f"cannot be used ({type(error).__name__}: {str(error)[:200]})"
            out.append(RecordError(place_of(culprit), said, damaged=True))


def place_of(record: Record) -> Path:
    """The file that it was read from; its name alone where it was not."""
    return Path(record.__dict__.get("_path") or record.name)


def _first(use: Use[T], records: list[Record], out: list[RecordError]) -> int:
    """Of the first record with which it fails, though it works with all before it."""
    works, fails = 0, len(records)
    while fails - works > 1:
        middle = (works + fails) // 2
        works, fails = (works, middle) if _fails(use, records[:middle], out) else (middle, fails)
    return works


def _fails(use: Use[T], records: list[Record], out: list[RecordError]) -> bool:
    try:
        use(records, out)
    except (OSError, MemoryError):
        raise
    except GanbenchError:  # that there is nothing to do, say
        return False
    except Exception:  # as above
        return True
    return False
