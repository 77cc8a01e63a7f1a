"""A table's LaTeX. Every name comes from data: none of them can become a command."""

from __future__ import annotations

import unicodedata

from benchmark.collate.presenting.table import Square, View


def latex(v: View) -> str:
    r"""A booktabs table with its notes below. Needs ``\usepackage{booktabs}``; with ``xcolor`` verdicts are coloured,
    with ``graphicx`` wide tables are fitted to the line.
    """
    heads = " & ".join(f"\\multicolumn{{2}}{{c}}{{{tex(c)}}}" for c in v.columns)
    rules = "".join(f"\\cmidrule(lr){{{2 + 2 * i}-{3 + 2 * i}}}" for i in range(len(v.columns)))
    under = " & ".join("published & achieved" for _ in v.columns)
    lines = [
        " & ".join([tex(label), *(text for s in squares for text in _tex_square(s))]) + r" \\"
        for label, squares in v.rows
    ]
    notes = "".join(f"\\par {_raised((n.mark,) if n.mark else ())} {tex(n.text)}\n" for n in v.footnotes)
    return (
        f"{_FALLBACKS}\\begin{{table}}\n\\centering\\footnotesize\\setlength{{\\tabcolsep}}{{3pt}}\n"
        f"\\caption{{{tex(v.caption)}}}\n\\resizebox{{{_fitted(v)}}}{{!}}{{%\n"
        f"\\begin{{tabular}}{{l{'rr' * len(v.columns)}}}\n\\toprule\n{tex(v.corner)} & {heads} \\\\\n"
        f"{rules}\n & {under} \\\\\n\\midrule\n"
        + "\n".join(lines)
        + f"\n\\bottomrule\n\\end{{tabular}}}}\n\\end{{table}}\n"
        f"{{\\footnotesize\\setlength{{\\parindent}}{{0pt}}\n{notes}\\par}}\n"
    )


_FALLBACKS = "\\providecommand{\\textcolor}[3][]{#3}\\providecommand{\\resizebox}[3]{#3}\n"
"""Where xcolor and graphicx are not loaded, what they would do is left out."""


def _fitted(v: View) -> str:
    return r"\linewidth" if len(v.columns) > 3 else "!"


def _tex_square(s: Square) -> tuple[str, str]:
    published = f"\\textbf{{{tex(s.published)}}}" if s.best else tex(s.published)
    achieved = tex(f"{s.achieved} {s.symbol}".strip())
    if s.verdict in _TEX_COLOURS:
        achieved = f"\\textcolor[rgb]{{{_TEX_COLOURS[s.verdict]}}}{{{achieved}}}"
    return published + _raised(s.published_marks), achieved + _raised(s.achieved_marks)


def _raised(marks: tuple[str, ...]) -> str:
    return f"\\textsuperscript{{{','.join(marks)}}}" if marks else ""


_TEX_COLOURS = {
    "reproduced": "0,0.40,0.33",
    "reproduced where it trains": "0,0.40,0.33",
    "better": "0.10,0.32,0.70",
    "not reproduced": "0.70,0.15,0.12",
    "not reached as assumed": "0.64,0.29,0",
    "converged": "0.10,0.32,0.70",
    "inconclusive": "0.48,0.34,0",
    "incomparable": "0.38,0.38,0.42",
    "diverged": "0.55,0.10,0.50",
    "differs": "0.10,0.32,0.70",
    "untrained": "0.55,0.10,0.50",
    "failed": "0.70,0.15,0.12",
    "contested": "0.70,0.15,0.12",
}
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
