"""What Python source means, as a hash: comments, formatting and docstrings change nothing."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator

BODIES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.lru_cache(maxsize=1024)
def syntax_hash(source: str) -> str:
    """sha256 of the syntax tree. What a node does not have is left out, so that versions of Python whose trees have
    further fields agree.

    Raises:
        SyntaxError: it is no Python; or ValueError, where it holds a null byte.
    """
    return hashlib.sha256("\n".join(_words(ast.parse(source))).encode("utf-8", "surrogatepass")).hexdigest()


def _words(node: ast.AST) -> Iterator[str]:
    yield f"({type(node).__name__}"
    for name, value in ast.iter_fields(node):
        if (value is None and not isinstance(node, ast.Constant)) or value == []:
            continue
        yield f".{name}"
        values = value if isinstance(value, list) else [value]
        if name == "body" and isinstance(node, BODIES) and ast.get_docstring(node, clean=False) is not None:
            values = values[1:]
        for part in values:
            yield from _words(part) if isinstance(part, ast.AST) else [f"{type(part).__name__} {part!r}"]
    yield ")"
