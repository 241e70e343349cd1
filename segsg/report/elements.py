"""Charts as elements of a page: a picture for each panel, which stand beside or below each other, and their key."""

from collections.abc import Callable

from markupsafe import Markup, escape

from segsg.figures.style import PAGE_COLOURS, inline_svg
from segsg.report import panels
from segsg.report.panels import Chart, Mark, Panel


def element(chart: Chart, name: str, words: Callable[[Panel], str]) -> Markup:
    """All panels as SVG with their `words` for who does not see them; `name` is one of its own on the page."""
    drawn = [
        inline_svg(panels.alone(panel), f"{name}-{place}", words(panel)) for place, panel in enumerate(chart.panels)
    ]
    return Markup(f'<div class="panels">{"".join(drawn)}</div>{key(chart.key)}')


def key(marks: tuple[Mark, ...]) -> str:
    """What the colours of a chart mean."""
    lines = [
        f'<li{" class=hollow" if mark.hollow else ""} style="--mark: {PAGE_COLOURS.get(mark.colour, mark.colour)}">'
        f"{escape(mark.words)}</li>"
        for mark in marks
    ]
    return f'<ul class="key">{"".join(lines)}</ul>' if lines else ""
