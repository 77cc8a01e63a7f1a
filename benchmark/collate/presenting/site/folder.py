"""The folder that a report is written to: what earlier reports wrote there and this one has not goes, and nothing else.

What was written is listed in the folder, with the hash of its content. The list may come from anyone: only a plain
file of a report's own kinds is removed, and only while its content is what was written.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path

from benchmark.files import let_go, read_regular
from benchmark.records.leftovers import sweep_beside

LIST = ".ganbench-report.json"
MOST_BYTES = 50_000_000
OURS = re.compile(r"((cells|samples|figures)/)?[^/\\\x00.][^/\\\x00]*\.(html|md|tex|csv|png)")


class Folder:
    """Files are written to it one by one, in a ``with`` statement; at its end, what only earlier reports wrote goes."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if the folder cannot be made."""
        path.mkdir(parents=True, exist_ok=True)
        sweep_beside(path)
        self.path, self.gone = path, 0  # files of earlier reports that were removed
        self._before, self._written = _listed(path), dict[str, str]()

    def write(self, name: str, content: str | bytes) -> Path:
        """One file by its name within the folder, whole or as it was before, whatever stands there; raises OSError."""
        data, path = (
            content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content,
            self.path / name,
        )
        digest = hashlib.sha256(data).hexdigest()
        if self._written.get(name) != digest:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._written[name] = digest
            self._put(path, data)
        return path

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        """Raises OSError; a report that an error has ended takes nothing away, and says what it has written."""
        if kind is None:
            self._clear()
            self._list(self._written)
        else:
            with suppress(OSError):
                self._list(self._before | self._written)

    def _clear(self) -> None:
        stale = self._before.keys() - self._written.keys()
        gone = [path for name in stale if _is_ours(path := self.path / name, name, self._before[name])]
        for path in gone:
            path.unlink()
        for folder in {path.parent for path in gone} - {self.path}:
            if not any(folder.iterdir()):
                folder.rmdir()
        self.gone = len(gone)

    def _list(self, files: dict[str, str]) -> None:
        listed = json.dumps({"files": dict(sorted(files.items()))}, indent=0)
        self._put(self.path / LIST, listed.encode())

    def _put(self, path: Path, data: bytes) -> None:
        temporary = self.path / f".ganbench-report.{os.getpid()}.tmp"
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            let_go(temporary)


def _listed(folder: Path) -> dict[str, str]:
    """What earlier reports wrote, name -> hash; nothing if there is no list, or none that can be read."""
    try:
        files = json.loads(read_regular(folder / LIST, MOST_BYTES))["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return (
        {name: digest for name, digest in files.items() if isinstance(digest, str)} if isinstance(files, dict) else {}
    )


def _is_ours(path: Path, name: str, digest: str) -> bool:
    """Whether a listed file is there as a report wrote it, in the folder itself and not behind a link."""
    if not OURS.fullmatch(name) or any(p.is_symlink() for p in (path, path.parent)[: 1 + ("/" in name)]):
        return False
    with suppress(OSError):
        return hashlib.sha256(read_regular(path)).hexdigest() == digest
    return False  # none of ours, or gone
