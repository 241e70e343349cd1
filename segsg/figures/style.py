"""One look for all figures, and files whose bytes depend on nothing but the data."""

import base64
import io
import re
from pathlib import Path
from xml.sax.saxutils import quoteattr

from matplotlib import rc_context
from matplotlib.figure import Figure

from segsg.files import whole

INK, FAINT, GRID, LOSS = "#22303c", "#6b7a87", "#dde3e8", "#b03a48"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7b61c9", "#8c6d31", "#b03a48", "#3b8686")
"""distinct for readers with any colour vision"""
STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "legend.frameon": False,
    "text.parse_math": False,
    "svg.fonttype": "none",
}
DPI = 110
SHARP = 2 * DPI
"""pixels per inch of photos with fine lines"""
PAGE_COLOURS = {
    INK: "currentColor",
    FAINT: "var(--faint)",
    GRID: "var(--line)",
    LOSS: "var(--loss)",
    PALETTE[0]: "var(--accent)",
    PALETTE[1]: "var(--control)",
}
"""what a page draws our colours in, so that charts follow its dark mode"""


def rgb(colour: str) -> tuple[float, float, float]:
    """The parts of "#rrggbb", each from 0 to 1."""
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def contrast(a: str, b: str) -> float:
    """Contrast of two colours, from 1 (equal) to 21 (black and white): WCAG 2."""
    darker, lighter = sorted(_luminance(colour) for colour in (a, b))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb(colour))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def ink_on(colour: str) -> str:
    """The colour of text that can be read on a ground of `colour`."""
    return max(("#ffffff", INK), key=lambda ink: contrast(ink, colour))


def new_figure(width: float, height: float, dpi: int = DPI) -> Figure:
    """A white figure of `width` by `height` inches with the project's style."""
    return Figure((width, height), dpi=dpi, layout="constrained", facecolor="white")


def save(figure: Figure, path: Path | str) -> Path:
    """Write the figure as PNG or JPEG (by the ending), whole or not at all, and return the path."""
    path = Path(path)
    kind = "jpeg" if path.suffix in (".jpg", ".jpeg") else "png"
    # The version of matplotlib in the file would change it with every update.
    options = {"pil_kwargs": {"quality": 88}} if kind == "jpeg" else {"metadata": {"Software": None}}
    with rc_context(STYLE), whole(path) as part:
        figure.savefig(part, format=kind, **options)
    return path


def inline_svg(figure: Figure, name: str, words: str) -> str:
    """The figure as an element of a page: transparent, in the page's colours and fonts, `words` for who can't see it.

    Equal figures give equal text. `name` keeps the marks of several figures of one page apart.
    """
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    stream = io.StringIO()
    with rc_context(STYLE | {"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", transparent=True, metadata=nothing)
    svg = stream.getvalue()
    svg = re.sub(
        r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>|<clipPath.*?</clipPath>",
        "",
        svg[svg.index("<svg") :],
        flags=re.DOTALL,
    )
    svg = re.sub(r'\s*clip-path="[^"]*"', "", svg)  # clip paths are addresses, and pages have none
    used = set(re.findall(r'href="#([^"]+)"', svg))
    svg = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", svg)
    for ours, of_page in PAGE_COLOURS.items():
        svg = svg.replace(ours, of_page)
    svg = re.sub(r"\n\s*", "\n", re.sub(r'font-family: [^;"]*', "font-family: inherit", svg))
    return svg.replace("<svg ", f'<svg role="img" aria-label={quoteattr(words)} ', 1)


def data_uri(content: bytes, kind: str) -> str:
    """A picture as an address that a page can hold; `kind` is "png" or "jpeg"."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
