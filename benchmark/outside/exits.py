"""``sys.exit`` in code of others, and whatever else is no ``Exception`` (the panic of a library in Rust, a cancelled
task): a failure of that code as any other, since nobody has asked this process to end. KeyboardInterrupt is a person's.
"""

from __future__ import annotations

import traceback

from benchmark.errors import GanbenchError, plain, said, short
from benchmark.outside.running import is_file_of_one


class Ends(str):
    """Why a recipe cannot be trained: code of others ends the process."""


def ends(exit: BaseException) -> Ends:
    """In words, with the file and line of the plug-in that asked for it, where there is one."""
    frames = traceback.extract_tb(exit.__traceback__)
    places = [f"{frame.filename}:{frame.lineno}" for frame in frames if is_file_of_one(frame.filename)]
    what = plain(short(f"{type(exit).__name__}: {said(exit)}"))
    return Ends(f"{places[-1] if places else 'code from outside'} ends the process ({what}), as none of it may")


def failure(exit: BaseException) -> GanbenchError:
    """What to raise in its place; raises it again where it is Ray's own, by which a worker that gets SIGTERM leaves:
    its run goes on elsewhere.
    """
    frames = list(traceback.walk_tb(exit.__traceback__))
    if frames and frames[-1][0].f_globals.get("__name__", "").partition(".")[0] == "ray":
        raise exit
    return GanbenchError(ends(exit))
