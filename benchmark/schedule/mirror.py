"""Checkpoints at a URL: any that fsspec can open (``s3://…``, ``gs://…``, ``file:///…``), for nodes without a shared
disk.

A run works in a folder of its node. Each checkpoint is copied to the URL after it was written, and
the URL's are copied back before a run begins: what is there counts, also where the node has others.
"""

from __future__ import annotations

import errno
from pathlib import Path

from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.pulse import doing

FILES = ("checkpoint.pt", "checkpoint-previous.pt")  # of train/checkpoint.py, newest first
MOST_BYTES = 2**33  # of one


def is_url(folder: str) -> bool:
    """Whether checkpoints are to be kept at a URL."""
    return "://" in folder


def workplace(folder: str) -> Path:
    """Where a run writes: the folder itself, or, of a URL, one in this node's cache."""
    return cache_folder() / "runs" / folder.rstrip("/").rsplit("/", 1)[-1] if is_url(folder) else Path(folder)


def mirror_of(folder: str) -> Mirror:
    """What copies the checkpoints of ``folder``: nothing, unless it is a URL."""
    return RemoteMirror(folder) if is_url(folder) else Mirror()


class Mirror:
    """Of a folder that needs none."""

    def pull(self, folder: Path) -> None:
        """Before the run: bring ``folder`` its checkpoints."""

    def push(self, folder: Path) -> None:
        """After each checkpoint: copy it away."""

    def release(self, folder: Path) -> None:
        """After a run whose newest checkpoint was copied: free the node's disk."""


class RemoteMirror(Mirror):
    """Copies to and from a URL.

    Raises:
        GanbenchError: the URL's kind is unknown, or needs a package that is not installed.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self._url = url
        try:
            self._fs, self._path = fsspec.core.url_to_fs(url)
        except Exception as error:  # each store has errors of its own for what it is not told
            why = (str(error).splitlines() or [""])[0][:200]
            raise GanbenchError(f"checkpoints cannot be kept at {url}: {why or type(error).__name__}", 2) from None

    @doing("fetching its checkpoint")
    def pull(self, folder: Path) -> None:
        """Replace the folder's checkpoints by the URL's.

        Raises:
            GanbenchError: they cannot be read. The run does not begin anew: it would write over them.
        """
        try:
            there = [name for name in FILES if self._exists(f"{self._path}/{name}")]
            if odd := next((name for name in there if not self._fs.isfile(f"{self._path}/{name}")), None):
                raise OSError(f"{odd} is not a file")  # reading a FIFO might never end
            if large := next((name for name in there if self._fs.size(f"{self._path}/{name}") > MOST_BYTES), None):
                raise OSError(f"{large} has more than {MOST_BYTES:,} bytes")
            for name in FILES:
                if name in there:
                    self._fs.get_file(f"{self._path}/{name}", str(folder / f"{name}.pulled"))
                    (folder / f"{name}.pulled").replace(folder / name)
                else:
                    (folder / name).unlink(missing_ok=True)
        except Exception as error:  # each store has errors of its own
            raise GanbenchError(
                f"the checkpoints at {self._url} cannot be read ({type(error).__name__}: {error})"
            ) from None

    @doing("copying its checkpoint")
    def push(self, folder: Path) -> None:
        """Copy the newest checkpoint, whole before it takes the old one's name; the one before is kept.

        Raises:
            OSError: it cannot be written; those that were there are still there.
        """
        current, previous = (f"{self._path}/{name}" for name in FILES)
        try:
            self._fs.makedirs(self._path, exist_ok=True)
            self._fs.put_file(str(folder / FILES[0]), f"{current}.tmp")
            if self._exists(current):
                self._fs.mv(current, previous)
            self._fs.mv(f"{current}.tmp", current)
        except Exception as error:
            raise OSError(f"{self._url}: {type(error).__name__}: {error}") from None

    def _exists(self, path: str) -> bool:
        """Raises what the store does when it cannot tell, where ``exists`` of most stores says no."""
        try:
            self._fs.info(path)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR) or isinstance(error, FileNotFoundError):
                return False
            raise
        return True

    def release(self, folder: Path) -> None:
        """Remove the node's own copies."""
        for name in FILES:
            (folder / name).unlink(missing_ok=True)


def check_room(folder: Path) -> str | None:
    """Why checkpoints cannot be written to ``folder``, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        return (
            f"cannot write checkpoints to {folder} ({error.strerror}); give --checkpoints a folder that every "
            "node can write, or a URL"
        )
    return None
