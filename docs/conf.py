"""Sphinx's settings: ``sphinx-build -W -c docs . FOLDER`` from the repository's root, with the extra ``docs``.

The source folder is the repository itself, so that README, CONTRIBUTING, the change log and the results are pages as
they stand, with the links that they have: nothing is copied, and a dead link in any of them is an error.
"""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import textwrap
import tokenize
from dataclasses import is_dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import benchmark

project = "ganbench"
release = version = benchmark.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "suites/*.md", "results/**.md"]
exclude_patterns = [".*", "results/runs", "report"]
html_theme = "furo"
html_title = f"ganbench {release}"
html_extra_path = ["site"]  # index.html, which leads to docs/index.html

myst_heading_anchors = 4  # page.md#heading is checked, too
suppress_warnings = [
    "misc.highlighting_failure",  # suites/README.md writes "…" in YAML where something is left out
    "ref.python",  # two rooms may each have a class of one name; annotations are shown without their module
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 100

SECTIONS = re.compile(r"(Args|Attributes|Raises|Returns|Yields):$")
TOOLS = re.compile(r"# *(noqa|type:|fmt:)")  # comments that are no description
SPECIAL = re.compile(r"[*|\\]|(?<=\w)_(?!\w)")


def setup(app: Sphinx) -> None:
    """A page a room, and docstrings on their way to reStructuredText, before napoleon reads their sections."""
    app.connect("builder-inited", write_rooms)
    app.connect("autodoc-process-docstring", add_fields, priority=300)
    app.connect("autodoc-process-docstring", keep_as_written, priority=400)


def write_rooms(app: Sphinx) -> None:
    """``docs/api/``: a page for each package of ``benchmark``, with its modules one after the other."""
    root, out = Path(benchmark.__file__).parent, app.srcdir / "docs" / "api"
    shutil.rmtree(out, ignore_errors=True)  # pages of rooms that are no more
    out.mkdir()
    for init in root.rglob("__init__.py"):
        package = ".".join(init.parent.relative_to(root.parent).parts)
        files = sorted(path for path in init.parent.glob("*.py") if not path.stem.startswith("__"))
        parts = [_heading(package, "="), _members(package) if init.parent != root else ""]
        parts += [_heading(f"{package}.{f.stem}", "-") + _members(f"{package}.{f.stem}") for f in files]
        (out / f"{package}.rst").write_text("\n".join(parts), encoding="utf-8")


def _heading(name: str, line: str) -> str:
    return f"{name}\n{line * len(name)}\n"


def _members(module: str) -> str:
    return f"\n.. automodule:: {module}\n   :members:\n   :show-inheritance:\n"


def add_fields(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """The fields of a class are described by the comments on their lines."""
    if what == "class" and obj.__module__.startswith("benchmark") and (found := _comments(obj)):
        section = "Args:" if is_dataclass(obj) else "Attributes:"
        lines += ["", section, *(f"    {field}: {text}" for field, text in found.items())]


def _comments(cls: type) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(cls))
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    said = {
        t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT and not TOOLS.match(t.string)
    }
    body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
    fields = [n for n in body if isinstance(n, ast.AnnAssign) and not ast.unparse(n.target).startswith("_")]
    return {ast.unparse(f.target): said[f.end_lineno] for f in fields if f.end_lineno in said}


def keep_as_written(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Formulas and tables keep their lines, and no character but the double backtick means anything."""
    paragraphs = re.split(r"\n(?:\s*\n)+", "\n".join(lines).strip("\n"))
    lines[:] = "\n\n".join(map(_paragraph, paragraphs)).splitlines()


def _paragraph(text: str) -> str:
    """One paragraph; as a literal block, where its lines are set in and it is neither a section nor a list."""
    first, *rest = text.splitlines() or [""]
    by_hand = first.startswith(" ") or any(line.startswith(" ") for line in rest)
    if by_hand and not first.startswith("- ") and not SECTIONS.match(first):
        return f"::\n\n{textwrap.indent(textwrap.dedent(text), '    ')}"
    between = re.split(r"(``.+?``)", text, flags=re.S)
    return "".join(part if n % 2 else SPECIAL.sub(r"\\\g<0>", part) for n, part in enumerate(between))
