"""The book as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.gpu.recipes import Entry

NAME = "gpu.md"
FIELDS = ("gradient of D", "gradient of G")


def markdown(book: dict[str, Any], entries: list[Entry]) -> str:
    """All tables."""
    about, results = book["provenance"], book["results"]
    said = ", ".join(f"{n} {state}" for state, n in book["states"].items())
    libraries = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
    text = [
        f"# A GPU's part of ganbench, on {about['device']}\n",
        f"ganbench {about['ganbench']}, commit {about['commit']}; Python {about['python']}, {libraries}; host {about['host']}, {about['threads']} thread(s). {said}; {book['seconds']:,.0f} s.\n",
    ]
    if about["device"] == about["host"]:
        text.append(
            "A rehearsal on a CPU: no GPU was tried. What stands under the device's name is the CPU's own, channels last.\n"
        )
    text += [
        _listed(f"{title} ({len(book[key])})", book[key])
        for title, key in (("Failed", "failed"), ("Not reached", "not_reached"))
        if book[key]
    ]
    text += [
        _checks(results),
        _steps(results.get("steps", {}), entries),
        _modes(results.get("modes", {})),
        _speed(results.get("speed", {})),
    ]
    text.append(
        _listed(
            "Not implemented, and so not tried",
            [f"{len(book['not_implemented'])} cells of few-shot and 100-shot tables"],
        )
    )
    return "\n".join(part for part in text if part)


def _checks(results: dict[str, Any]) -> str:
    rows = [
        (
            section,
            name,
            found["state"],
            found["why"]
            or "; ".join(f"{k} {_short(v)}" for k, v in found.items() if k not in ("state", "why", "seconds")),
        )
        for section in ("features", "optimiser", "resume", "memory")
        for name, found in results.get(section, {}).items()
    ]
    return _table("Checks", ("", "of", "", ""), rows)


def _steps(found: dict[str, Any], entries: list[Entry]) -> str:
    cells = {e.cell: e.cells for e in entries}
    rows = []
    for cell, one in found.items():
        distances = [
            " ".join(f"{one[p][f]:.1e}" for f in FIELDS) if p in one else ""
            for p in ("float32", "TF32", "bfloat16", "bfloat16 on the CPU")
        ]
        rows.append(
            (
                f"{cell}{f' and {n - 1} more' if (n := cells.get(cell, 1)) > 1 else ''}",
                one.get("images", ""),
                *distances,
                one["state"] + (f": {one['why']}" if one["why"] else ""),
            )
        )
    head = ("step of", "images", "float32", "float32, TF32", "bfloat16", "the CPU's own bfloat16", "")
    return _table("Distance of D's and G's gradients from the CPU's float32", head, rows)


def _speed(found: dict[str, Any]) -> str:
    rows = []
    for cell, one in found.items():
        plan, single, half = one.get("planned", {}), one.get("float32", {}), one.get("bfloat16", {})
        ratio = f"{plan['step_s'] / single['step_s']:.2f}" if plan and "step_s" in single else ""
        rows.append(
            (cell, f"{one.get('images', '')} x {one.get('n_dis', '')}", _number(single, "step_s"), _number(plan, "step_s"), ratio, _number(single, "images_s"), _number(half, "images_s"),
             _gb(single, "allocated"), _gb(plan, "memory"), _gb(single, "reserved"), _gb(plan, "asked"), one["state"] + (f": {one['why']}" if one["why"] else ""))
        )  # fmt: skip
    head = (
        "step of",
        "images x D steps",
        "s a step",
        "planned",
        "planned : measured",
        "images/s",
        "in bfloat16",
        "GB at most",
        "planned",
        "GB reserved",
        "asked for",
        "",
    )
    planner = next((one["planner"] for one in found.values() if "planner" in one), "")
    return _table(f"Speed and memory beside the planner's ({planner})", head, rows)


def _modes(found: dict[str, Any]) -> str:
    rows = []
    for cell, one in found.items():
        for mode, told in one.items():
            if isinstance(told, dict):
                gain = f"{told['gain']:.2f}" if "gain" in told else ""
                rows.append(
                    (cell, mode, _number(told, "step_s"), gain, _number(told, "first_s"), told.get("not possible", ""))
                )
    return _table(
        "Other ways of making a step",
        ("step of", "", "s a step", "times as fast", "s for the first", "not possible"),
        rows,
    )


def _table(title: str, head: Iterable[object], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(rows[0]), *rows]
    return (
        f"## {title}\n\n"
        + "\n".join("| " + " | ".join(str(c).replace("|", "¦") for c in line) + " |" for line in lines)
        + "\n"
    )


def _listed(title: str, names: list[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {name}" for name in names) + "\n"


def _number(found: dict[str, Any], key: str) -> str:
    return f"{found[key]:.3g}" if found.get(key) is not None else ""


def _gb(found: dict[str, Any], key: str) -> str:
    return f"{found[key] / 1e9:.2f}" if found.get(key) is not None else ""


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
