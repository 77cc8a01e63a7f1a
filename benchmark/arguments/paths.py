"""Paths on the command line: what cannot be a folder to write in, or a file to read, is said before all else.

Whether this user may write there is for the command to see: that can change while it runs.
"""

from __future__ import annotations

import os
import re
import stat
from argparse import ArgumentTypeError
from pathlib import Path

from benchmark.arguments.numbers import shown

SCHEME = re.compile(r"[A-Za-z][\w+.-]*(::[A-Za-z][\w+.-]*)*", re.ASCII)
FOLDER, FILE, CLOSED = "a folder", "a file", "in a folder that is closed to this user"


def text(given: str) -> str:
    """Anything but nothing: an empty word is most often a shell variable that was not set."""
    if not given.strip():
        raise ArgumentTypeError("is empty")
    return given


def name_or_path(given: str) -> str:
    """A name, or a path such as a file can have; the command tells them apart."""
    if "://" in given:
        raise ArgumentTypeError(f"{shown(given)} is an address; a path on this machine is wanted")
    _kind(Path(text(given)))
    return given


def path(given: str) -> Path:
    """Of what may or may not be there."""
    return Path(name_or_path(given))


def folder(given: str) -> Path:
    """One that is there, or can be made."""
    found = path(given)
    nearest, kind = next((p, kind) for p in (found, *found.parents) if (kind := _kind(p)))
    if kind not in (FOLDER, CLOSED):
        raise ArgumentTypeError(f"{nearest} is {kind}; a folder is wanted")
    return found


def new_file(given: str) -> Path:
    """One to write, in a folder that is there."""
    found = path(given)
    if (kind := _kind(found)) not in ("", FILE):
        raise ArgumentTypeError(f"{given} is {kind}; a file is wanted")
    if _kind(found.parent) != FOLDER:
        raise ArgumentTypeError(f"{found.parent}, in which {found.name} is to be, is no folder")
    return found


def old_file(given: str) -> Path:
    """One to read."""
    found = path(given)
    if not (kind := _kind(found)):
        raise ArgumentTypeError(f"there is no file {given}")
    if kind != FILE:
        raise ArgumentTypeError(f"{given} is {kind}; a file is wanted")
    if not os.access(found, os.R_OK):
        raise ArgumentTypeError(f"{given} cannot be read by this user")
    return found


def folder_or_url(given: str) -> str:
    """Where checkpoints are kept."""
    kind, mark, place = given.partition("://")
    if mark and not (SCHEME.fullmatch(kind) and place.strip("/")):
        raise ArgumentTypeError(f"{shown(given)} is no place such as s3://bucket/runs")
    return given if mark else str(folder(given))


def _kind(path: Path) -> str:
    """What is there; nothing where nothing is."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "a link to nothing" if os.path.islink(path) else ""
    except PermissionError:
        return CLOSED
    except OSError as error:  # a name that is too long, links in a circle
        raise ArgumentTypeError(f"{shown(str(path))} cannot be used: {error.strerror}") from None
    return FOLDER if stat.S_ISDIR(mode) else FILE if stat.S_ISREG(mode) else "neither a file nor a folder"
