"""Symbols as they are printed, with what they mean; and texts in which they are typeset.

A text may come from anyone: it is escaped first, and only then gets subscripts and superscripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "IS": ("IS", "Inception Score: how sharp a classifier is on each image and how varied over all"),
    "FID": ("FID", "Fréchet Inception Distance: between Gaussians fitted to the features of generated and real images"),
    "tFID": ("tFID", "FID against the training images"),
    "vFID": ("vFID", "FID against the validation images, of as many generated ones"),
    "KIDx1000": ("KID×1000", "Kernel Inception Distance, times 1000: a kernel distance between the same features"),
    "precision": ("precision", "share of the generated images that lie among the real ones"),
    "recall": ("recall", "share of the real images that lie among the generated ones"),
    "L_Vg_Bz": ("L_{V_g}B_z", "Lipschitz constant of V_g in the noise, times the size of the noise's domain"),
    "V_g": ("V_g", "the generator's loss, log(1 − D(G(z))), mean over noises"),
    "D_G": ("−D(G(z))", "the discriminator's output on generated images, with the sign that the paper prints"),
    "jac_D": ("‖∂D/∂x‖_F", "jac_D: Jacobian norm of the discriminator at generated images"),
    "jac_V": ("‖∂V_g/∂z‖_F", "jac_V: Jacobian norm of V_g in the noise; its maximum is L_{V_g}"),
    "jac_G": ("‖∂G/∂z‖_F", "jac_G: Jacobian norm of the generator in the noise"),
    "D_real": ("D(real)", "mean logit of D on training images"),
    "D_fake": ("D(fake)", "mean logit of D on generated images"),
    "D_test": ("D(test)", "mean logit of D on held-out images"),
    "gap_real_fake": ("|D(real)−D(fake)|", "how far D tells training images from generated ones, in logits"),
    "gap_real_test": ("|D(real)−D(test)|", "how far D tells training images from held-out ones, in logits"),
    "gap_fake_test": ("|D(fake)−D(test)|", "how far D tells generated images from held-out ones, in logits"),
    "d_weight_grad": ("‖∂L/∂θ_D‖", "gradient norm of D's loss in its weights"),
    "feature_grad": ("‖∂L/∂H‖", "gradient norm of D's loss in its feature maps, mean over blocks"),
    "cosine": ("cosine", "mean cosine between D's features of two images"),
    "effective_rank": ("effective rank", "how many directions D's features take"),
    "D_loss": ("L_D", "D's adversarial loss, without penalties"),
    "grad_real": ("‖∇D(real)‖", "gradient norm of D's output at training images"),
    "grad_fake": ("‖∇D(fake)‖", "gradient norm of D's output at generated images"),
    "difference_real": ("Δ(real)", "finite differences of D's output along its gradient at training images"),
    "difference_fake": ("Δ(fake)", "finite differences of D's output along its gradient at generated images"),
    "grad_most": ("max ‖∇D‖", "largest gradient norm of D's output that is seen at and between images"),
    "pair_gap": ("(D(G(z'))−D(x'))^2", "score gap of realistic fakes and the nearest real images"),
    "pair_feature_gap": ("feature gap", "gap of D's features of realistic fakes and the nearest real images"),
    "pair_slope": ("|D(G(z'))−D(x')|/‖G(z')−x'‖", "score gap over distance of those pairs"),
    "pair_grad": ("‖∇D(x')‖", "gradient norm of D's output at those real images"),
    "V_d": ("V_d", "log D(x), mean over training images"),
    "jac_D_real": ("‖∂D/∂x‖_F (real)", "Jacobian norm of the discriminator at training images"),
    "V_theta": ("‖∂V/∂θ‖", "gradient norm of the game's value in D's weights"),
    "V_phi": ("‖∂V/∂φ‖", "gradient norm of the game's value in G's weights"),
    "V_d_gap": ("|V_d−V_{dS}|", "how far V_d on held-out images is from V_d on training images"),
    "V_d_bound": ("bound", "Corollary 1's bound of that, by the steepest point seen"),
    "d_weight_grad_real": ("‖∂L_{real}/∂θ_D‖", "gradient norm of D's loss on real images in its weights"),
    "d_weight_grad_fake": ("‖∂L_{fake}/∂θ_D‖", "gradient norm of D's loss on generated images in its weights"),
    "hessian_real": ("|λ_{max}| (real)", "top Hessian eigenvalue of D's loss on real images"),
    "hessian_fake": ("|λ_{max}| (fake)", "top Hessian eigenvalue of D's loss on generated images"),
    "cosine_centred": ("cosine, centred", "mean cosine between D's features of two images, their mean taken away"),
    "inverse_sigma": ("1/σ_{min}", "one over the smallest standard deviation of a channel of D's maps"),
    "psi_ratio": ("ψ_{min}/ψ_c", "the smallest root mean square of D's channels over each, their mean"),
    "chain_grad_ratio": ("‖ΔY‖/‖ΔẎ‖", "gradient norms before and after a CHAIN layer"),
    "chain_p": ("p", "CHAIN's probability of normalising"),
    "chain_r": ("r", "CHAIN's mean sign of D on real images"),
}
"""Metric -> how it is printed, with ``_`` and ``^`` for what is lowered and raised, and what it is."""

NAMES = sorted((name for name in (*DEFINITIONS, "L_Vg", "B_z") if "_" in name or name == "KIDx1000"), key=len)[::-1]
IN_TEXT = re.compile(rf"\$([^$\n]{{1,80}})\$|((?:(?<!\w)(?:{'|'.join(NAMES)})|‖_F)(?!\w))")
LOWERED = re.compile(r"([_^])(?:\{([^{}]{1,20}(?:_[A-Za-z])?)\}|(-?\d+|[A-Za-zθ]))")
NAMED = re.compile(
    r"\\(mathcal|mathbf|mathrm|text|alpha|beta|gamma|delta|epsilon|lambda|mu|sigma|tau|theta|rightarrow|to|infty)\b"
)
LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "lambda": "λ", "mu": "μ", "sigma": "σ",
    "tau": "τ", "theta": "θ", "rightarrow": "→", "to": "→", "infty": "∞",
}  # fmt: skip
METHOD = re.compile(
    r"(?<![A-Za-z])([A-Z])_([A-Za-z]{1,4}|\d)(?!\w)|(?<!\w)(\d+|[A-Za-z])\^(-?\d+)|sqrt\((\d+)\)|\b(sigma|lambda)(?==)"
)


def typeset(text: str) -> Markup:
    """A text with what stands between dollars, and the names of metrics and methods, typeset; all else as it is."""
    from markupsafe import Markup

    out, at = [], 0
    for found in IN_TEXT.finditer(text):
        out += [label(text[at : found.start()]), formula(found[1] or _of_text(found[2]))]
        at = found.end()
    return Markup("".join([*out, label(text[at:])]))


def formula(tex: str) -> str:
    """``L_{V_g}B_z`` as HTML."""
    plain = NAMED.sub(lambda m: LETTERS.get(m[1], ""), tex)
    plain = re.sub(r"\s+", " ", plain).strip() if tex != plain else plain
    return _lowered(escape(re.sub(r"^\{([^{}]*)\}$", r"\1", plain)))


def _lowered(text: str) -> str:
    def tag(m: re.Match[str]) -> str:
        name = "sub" if m[1] == "_" else "sup"
        return f"<{name}>{_lowered((m[2] or m[3]).replace('-', '−'))}</{name}>"

    return LOWERED.sub(tag, text)


def _of_text(symbol: str) -> str:
    """A name of the suites, as the papers print it."""
    return "L_{V_g}" if symbol == "L_Vg" else DEFINITIONS[symbol][0] if symbol in DEFINITIONS else symbol


def label(text: str) -> Markup:
    """A method's or a cell's name: ``B_z=10^-2`` and ``sigma=sqrt(2)`` as printed."""
    from markupsafe import Markup

    out, at = [], 0
    for m in METHOD.finditer(text):
        out.append(escape(text[at : m.start()]))
        if m[1]:
            out.append(f"{m[1]}<sub>{m[2]}</sub>")
        elif m[3]:
            out.append(f"{m[3]}<sup>{m[4].replace('-', '−')}</sup>")
        else:
            out.append(f"√{m[5]}" if m[5] else LETTERS[m[6]])
        at = m.end()
    return Markup("".join([*out, escape(text[at:])]))


def head(text: str) -> Markup:
    """A column's or row's head, ``cifar10 FID ↓``, or several metrics: each with its definition on hover."""
    from markupsafe import Markup

    words = [_defined(word) or str(label(word)) for word in text.split(" ")]
    return Markup(" ".join(words))


def _defined(word: str) -> str:
    bare = word.rstrip(",:;")
    if bare not in DEFINITIONS:
        return ""
    printed, meaning = DEFINITIONS[bare]
    return f'<abbr title="{escape(plain(meaning))}">{formula(printed)}</abbr>{word[len(bare) :]}'


def drawn(text: str) -> str:
    """A figure's text as the inside of an SVG ``text`` element: what is lowered and raised moves by three pixels."""
    out, deep, at = [], [0], 0
    for piece in re.split(r"(</?su[bp]>)", str(typeset(text))):
        if piece.startswith("<su"):
            deep.append(3 if piece == "<sub>" else -4)
        elif piece.startswith("</"):
            deep.pop()
        elif piece:
            size = ' font-size="80%"' if deep[-1] else ""
            out.append(f'<tspan dy="{deep[-1] - at}"{size}>{piece}</tspan>' if at or deep[-1] else piece)
            at = deep[-1]
    return "".join(out)


def shortened(text: str, longest: int) -> str:
    """A figure's text without its last words where it is longer than so many letters as it is drawn."""
    letters = len(re.sub(r"<[^>]*>", "", str(typeset(text))))
    return text if letters <= longest else text[: longest - 1].rsplit(" ", 1)[0] + " …"


def plain(text: str) -> str:
    """A definition for where nothing can be lowered: ``L_{V_g}`` as ``L_Vg``."""
    return re.sub(r"\{([^{}]*)\}", lambda m: m[1].replace("_", ""), text)


def glossary(metrics: Iterable[str]) -> list[tuple[Markup, Markup]]:
    """Each symbol and what it is, in order, once."""
    from markupsafe import Markup

    known = [DEFINITIONS[m] for m in dict.fromkeys(metrics) if m in DEFINITIONS]
    return [(Markup(formula(printed)), Markup(_lowered(escape(meaning)))) for printed, meaning in known]
