"""Plug-ins from outside the package: their source, read as text; and what imports it, once the user has let it run."""
