"""Which versions of other packages this Python has."""

from __future__ import annotations

from importlib import metadata


def installed(package: str) -> str:
    """The version of a package; "absent" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"
