"""Dogs, cats and horses."""

from segsg.world.figure import Figure, coin, colour, darker


def animal(rng, name: str, x: float, y: float, length: float) -> Figure:
    """A dog, cat or horse whose feet are at height y; `length` is nose to tail."""
    forward, coat = coin(rng), colour(rng, 50, 205)
    shade = darker(coat, 0.8)
    depth = {"dog": 0.32, "cat": 0.30, "horse": 0.34}[name] * length
    leg = {"dog": 0.30, "cat": 0.24, "horse": 0.44}[name] * length
    body = y - leg - depth / 2
    figure = Figure(name)
    width = 0.11 * length
    for i, offset in enumerate((-0.33, -0.2, 0.2, 0.33)):
        foot = x + (offset + rng.uniform(-0.04, 0.04)) * length
        figure.back.line([(x + offset * length, body), (foot, y - width / 2)], width, shade if i % 2 else coat)
    figure.back.ellipse(x, body, 0.44 * length, depth / 2, coat)
    {"dog": _dog, "cat": _cat, "horse": _horse}[name](figure, (x, body), forward, length, (coat, shade))
    figure.marks |= {"back": (x, body - depth / 2), "body": (x, body)}
    figure.lengths |= {"depth": depth} | {f"coat {i}": v for i, v in enumerate(shade)}
    return figure


def _dog(figure: Figure, body, forward: int, length: float, colours) -> None:
    (x, y), (coat, shade), sketch = body, colours, figure.back
    hx, hy, radius = x + forward * 0.47 * length, y - 0.2 * length, 0.16 * length
    sketch.line([(x + forward * 0.32 * length, y), (hx, hy)], 0.18 * length, coat)
    sketch.line(
        [(x - forward * 0.4 * length, y - 0.05 * length), (x - forward * 0.55 * length, y - 0.3 * length)],
        0.09 * length,
        shade,
    )
    sketch.ellipse(hx, hy, radius, radius * 0.9, coat)
    sketch.ellipse(hx + forward * radius * 0.8, hy + radius * 0.3, radius * 0.6, radius * 0.45, shade)
    sketch.line(
        [(hx - forward * radius * 0.5, hy - radius * 0.6), (hx - forward * radius * 0.8, hy + radius * 0.6)],
        0.1 * length,
        shade,
    )
    sketch.ellipse(hx + forward * radius * 0.3, hy - radius * 0.2, radius * 0.14, radius * 0.14, (20, 20, 20))
    figure.marks["head"], figure.lengths["head"] = (hx, hy), radius


def _cat(figure: Figure, body, forward: int, length: float, colours) -> None:
    (x, y), (coat, shade), sketch = body, colours, figure.back
    hx, hy, radius = x + forward * 0.42 * length, y - 0.2 * length, 0.19 * length
    tail = [
        (x - forward * 0.4 * length, y),
        (x - forward * 0.58 * length, y - 0.2 * length),
        (x - forward * 0.48 * length, y - 0.48 * length),
    ]
    sketch.line(tail, 0.09 * length, shade)
    for side in (-1, 1):
        ear = [
            (hx + side * radius * 0.95, hy - radius * 0.2),
            (hx + side * radius * 0.85, hy - radius * 1.6),
            (hx + side * radius * 0.1, hy - radius * 0.8),
        ]
        sketch.polygon(ear, shade)
    sketch.ellipse(hx, hy, radius, radius * 0.92, coat)
    for side in (-1, 1):
        sketch.ellipse(hx + side * radius * 0.4, hy - radius * 0.1, radius * 0.15, radius * 0.2, (30, 60, 20))
    figure.marks["head"], figure.lengths["head"] = (hx, hy), radius


def _horse(figure: Figure, body, forward: int, length: float, colours) -> None:
    (x, y), (coat, shade), sketch = body, colours, figure.back
    hx, hy = x + forward * 0.52 * length, y - 0.4 * length
    sketch.line(
        [(x - forward * 0.4 * length, y - 0.08 * length), (x - forward * 0.52 * length, y + 0.25 * length)],
        0.09 * length,
        shade,
    )
    sketch.line([(x + forward * 0.32 * length, y - 0.02 * length), (hx, hy)], 0.17 * length, coat)
    sketch.line(
        [(x + forward * 0.24 * length, y - 0.14 * length), (hx - forward * 0.07 * length, hy - 0.04 * length)],
        0.08 * length,
        shade,
    )
    sketch.line([(hx, hy), (hx + forward * 0.17 * length, hy + 0.1 * length)], 0.13 * length, coat)
    sketch.polygon(
        [(hx - 0.05 * length, hy - 0.02 * length), (hx, hy - 0.16 * length), (hx + 0.06 * length, hy - 0.03 * length)],
        shade,
    )
    sketch.ellipse(hx + forward * 0.04 * length, hy, 0.02 * length, 0.02 * length, (20, 20, 20))
    figure.marks["head"], figure.lengths["head"] = (hx, hy - 0.02 * length), 0.09 * length
