"""Text for LaTeX: nothing in it can become a command."""

from __future__ import annotations

import unicodedata

GREEK = [
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "pi"),
    *("rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
    *("Gamma", "Delta", "Theta", "Lambda", "Pi", "Sigma", "Phi", "Psi", "Omega"),
]
_TEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "→": r"$\to$",
    "±": r"$\pm$",
    "²": "$^2$",
    "³": "$^3$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "∇": r"$\nabla$",
    "∂": r"$\partial$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≈": r"$\approx$",
    "≠": r"$\ne$",
    "∈": r"$\in$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "‖": r"$\|$",
    "″": "$''$",
    "′": "$'$",
    "½": r"$\frac12$",
    "⁻": "$^-$",
    "ℓ": r"$\ell$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "✓": r"$\surd$",
    "▲": r"$\bigtriangleup$",
    "✗": r"$\times$",
    "≁": r"$\not\sim$",
    "‼": "!!",
    "∅": r"$\emptyset$",
    "⊘": r"$\oslash$",
    "○": r"$\circ$",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "§": r"\S{}",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    **{c: f"$\\{name}$" for c, name in zip("αβγδεζηθκλμνξπρστφχψωΓΔΘΛΠΣΦΨΩ", GREEK)},
}


def tex(text: str) -> str:
    """Text for LaTeX; a character that it has no name for is shown by its number."""
    return "".join(_tex_character(c) for c in " ".join(text.split()))


def _tex_character(c: str) -> str:
    if c in _TEX_ESCAPES or (c.isascii() and c.isprintable()):
        return _TEX_ESCAPES.get(c, c)
    plain = unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode()
    return "".join(_TEX_ESCAPES.get(p, p) for p in plain if p.isprintable()) or f"[U+{ord(c):04X}]"
