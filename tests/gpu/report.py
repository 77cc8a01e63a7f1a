"""The book as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.gpu.recipes import Entry

NAME = "gpu.md"
FIELDS = ("gradient of D", "gradient of G")
PRECISIONS = ("float32", "TF32", "bfloat16", "bfloat16 on the CPU")
NO_GPU = "A rehearsal on a CPU: no GPU was tried. The device's side of a step is the CPU's own, channels last."
CHECKS = ("features", "optimiser", "resume", "memory")

Found = dict[str, Any]
Results = dict[str, Found]
"""By name."""


def markdown(book: Found, entries: list[Entry]) -> str:
    """All tables."""
    about, results = book["provenance"], book["results"]
    libraries = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
    text = [
        f"# ganbench on {about['device']}\n",
        f"ganbench {about['ganbench']}, commit {about['commit']}; Python {about['python']}, {libraries};",
        f"host {about['host']}, {about['threads']} thread(s), at most {about['images']} images a step there;",
        f"{', '.join(f'{n} {state}' for state, n in book['states'].items())}, in {book['seconds']:,.0f} s;",
        f"{len(book['not_implemented'])} cells are not implemented.\n",
        f"{NO_GPU}\n" * (about["device"] == about["host"]),
        *(_listed(title, book[title]) for title in ("failed", "not_reached")),
        _checks({section: results.get(section, {}) for section in CHECKS}),
        _steps(results.get("steps", {}), {e.cell: e.cells - 1 for e in entries}),
        _modes(results.get("modes", {})),
        _speed(results.get("speed", {})),
    ]
    return "\n".join(part for part in text if part)


def _checks(found: dict[str, Results]) -> str:
    rows = [(section, name, _ended(one), _said(one)) for section, ones in found.items() for name, one in ones.items()]
    return _table("Checks", ("", "of", "", "found"), rows)


def _steps(found: Results, others: dict[str, int]) -> str:
    rows = []
    for cell, one in found.items():
        also = f" and {n} more" if (n := others.get(cell, 0)) else ""
        distances = [" ".join(f"{one[p][f]:.1e}" for f in FIELDS) if p in one else "" for p in PRECISIONS]
        rows.append((cell + also, one.get("images", ""), *distances, _ended(one)))
    title = "A step: how far the gradients of D and of G are from the CPU's in float32"
    return _table(title, ("of", "images", "float32", "float32, TF32", "bfloat16", "the CPU's own bfloat16", ""), rows)


def _modes(found: Results) -> str:
    rows = []
    for cell, one in found.items():
        for mode, told in ((m, t) for m, t in one.items() if isinstance(t, dict)):
            figures = [_number(told, key) for key in ("step_s", "gain", "first_s")]
            rows.append((cell, mode, *figures, told.get("not possible", "")))
    head = ("of", "", "s a step", "times as fast", "s for the first", "not possible")
    return _table("Other ways of making a step", head, rows)


def _speed(found: Results) -> str:
    rows = []
    for cell, one in found.items():
        plan, single, half = (one.get(key, {}) for key in ("planned", "float32", "bfloat16"))
        both = "step_s" in plan and "step_s" in single
        rows.append((
            cell, f"{one.get('images', '')} x {one.get('n_dis', '')}", _number(single, "step_s"),
            _number(plan, "step_s"),
            f"{plan['step_s'] / single['step_s']:.2f}" if both else "", _number(single, "images_s"),
            _number(half, "images_s"), _gb(single, "allocated"), _gb(half, "allocated"), _gb(plan, "memory"),
            _gb(single, "reserved"), _gb(plan, "asked"), _ended(one),
        ))  # fmt: skip
    planner = next((one["planner"] for one in found.values() if "planner" in one), "")
    head = (
        "of", "images x D steps", "s", "planned", "planned : measured", "images/s", "in bfloat16", "GB at most",
        "in bfloat16", "planned", "GB reserved", "asked for by a run", "",
    )  # fmt: skip
    return _table(f"A step: time and memory in float32, beside the planner's ({planner})", head, rows)


def _ended(one: Found) -> str:
    said = f"{one['state']}: {one['why']}" if one["why"] else str(one["state"])
    return f"{said}, random weights of {', '.join(one['random weights'])}" if "random weights" in one else said


def _said(one: Found) -> str:
    return "; ".join(f"{k} {_short(v)}" for k, v in one.items() if k not in ("state", "why", "seconds", "trace"))


def _table(title: str, head: Iterable[object], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(rows[0]), *rows]
    told = ("| " + " | ".join(str(cell).replace("|", "¦") for cell in line) + " |" for line in lines)
    return f"## {title}\n\n" + "\n".join(told) + "\n"


def _listed(title: str, names: list[str]) -> str:
    heading = f"## {title.replace('_', ' ').capitalize()}: {len(names)}\n\n"
    return heading + "\n".join(f"- {name}" for name in names) + "\n" if names else ""


def _number(found: Found, key: str) -> str:
    return f"{found[key]:.3g}" if found.get(key) is not None else ""


def _gb(found: Found, key: str) -> str:
    return f"{found[key] / 1e9:.2f}" if found.get(key) is not None else ""


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
