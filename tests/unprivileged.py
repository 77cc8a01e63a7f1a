"""What a test of permissions needs: to be refused by them, also where the tests are run by root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION = 0x20080522  # of the kernel's capability calls: two words of 32 capabilities
PAST_PERMISSIONS = (
    1 << 1 | 1 << 2
)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: root's to read and write whatever there is


@contextmanager
def without_rights() -> Iterator[None]:
    """Meanwhile, permissions count for this thread, and those that it starts; skips the test where they cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, words = (
        (ctypes.c_uint32 * 2)(VERSION, 0),
        (ctypes.c_uint32 * 6)(),
    )  # twice effective, permitted, inheritable
    if libc.capget(header, words) != 0:
        pytest.skip("the kernel does not say which rights this process has")
    before = words[0]
    words[0] = before & ~PAST_PERMISSIONS
    assert libc.capset(header, words) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        words[0] = before
        libc.capset(header, words)


@contextmanager
def locked(path: Path, mode: int = 0) -> Iterator[None]:
    """Meanwhile, nobody may read ``path``, or do more than ``mode`` says."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)
